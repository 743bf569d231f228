-- Requests by their end, for what deletes those that ended long ago.
CREATE INDEX request_ended ON request (finished_at) WHERE finished_at IS NOT NULL;
