-- The Location that a webhook endpoint answered a redirect with: redirects are not followed, so its owner must see where to.
ALTER TABLE delivery_attempt ADD COLUMN location TEXT;
