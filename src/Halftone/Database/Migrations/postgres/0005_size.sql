-- What the outputs of a request fit into, in pixels; NULL: no bound.
ALTER TABLE request ADD COLUMN max_width INTEGER CHECK (max_width BETWEEN 1 AND 65535);
ALTER TABLE request ADD COLUMN max_height INTEGER CHECK (max_height BETWEEN 1 AND 65535);
