-- More outputs of each image, made of the same download.
ALTER TABLE request ADD COLUMN variants TEXT;                  -- as the upload asked for them, always written alike; NULL: none
ALTER TABLE image ADD COLUMN variants TEXT;                    -- those that are stored, as a JSON array: name, object key, bytes, width, height, hash; NULL where same_as names the row that has them
