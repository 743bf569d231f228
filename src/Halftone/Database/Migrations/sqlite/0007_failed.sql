-- The failed images of a request, which are few, without a walk over those that are done.
CREATE INDEX image_failed ON image (image_id) WHERE state = 'failed';
