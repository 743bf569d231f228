-- Outputs that a later request of the same owner may take over: what was asked of them, and what their origin said of their source. The keys stand on
-- completed images alone, so an upload pays for neither index, and an entry goes with the row it is part of.

ALTER TABLE request ADD COLUMN reuse INTEGER NOT NULL DEFAULT 1 CHECK (reuse IN (0, 1));    -- 0: this upload asked for everything to be fetched anew
ALTER TABLE request ADD COLUMN reused INTEGER NOT NULL DEFAULT 0 CHECK (reused >= 0);      -- completed images whose output was taken over

ALTER TABLE image ADD COLUMN url_key TEXT;                     -- 128 bits of SHA-256 over owner, options and URL, base64url
ALTER TABLE image ADD COLUMN source_key TEXT;                  -- the same over owner, options and the source's bytes; NULL where those were not hashed
ALTER TABLE image ADD COLUMN etag TEXT;                        -- of the source, as it was sent, with its quotes
ALTER TABLE image ADD COLUMN last_modified INTEGER;            -- of the source, where it is good for a comparison
ALTER TABLE image ADD COLUMN source_url TEXT;                  -- 128 bits of SHA-256 over where redirects led to; NULL where there were none
ALTER TABLE image ADD COLUMN reused INTEGER CHECK (reused IN (0, 1));
CREATE INDEX image_by_url ON image (url_key, image_id) WHERE url_key IS NOT NULL;
CREATE INDEX image_by_source ON image (source_key, image_id) WHERE source_key IS NOT NULL;
