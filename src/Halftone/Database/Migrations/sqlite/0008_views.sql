-- Read-only views in the words of the design documents, for people and reports; the program does not use them.
-- Times are UTC in ISO 8601. Paths are keys in the store, below /images/ and the files of the data folder or bucket.
CREATE VIEW requests AS
SELECT request_id AS id,
       CASE state WHEN 'cancelling' THEN 'processing' ELSE state END AS status,
       file_name,
       webhook_url,
       upload_key AS input_file_path,
       result_key AS output_file_path,
       products   AS product_count,
       images     AS image_count,
       completed  AS completed_count,
       failed     AS failed_count,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch')  AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch')  AS updated_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at
FROM   request
WHERE  state NOT IN ('receiving', 'deleting');

CREATE VIEW images AS
SELECT i.image_id AS id,
       i.product_id,
       p.request_id,
       i.input_url  AS input_image_url,
       i.object_key AS output_image_url,
       CASE WHEN i.state = 'pending' AND r.state IN ('processing', 'cancelling') AND i.image_id <= r.planned_to
            THEN 'processing' ELSE i.state END AS status,
       i.error_code,
       i.http_status,
       i.bytes_in,
       i.bytes_out,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM   image i
JOIN   product p ON p.product_id = i.product_id
JOIN   request r ON r.request_id = p.request_id
WHERE  r.state NOT IN ('receiving', 'deleting');

CREATE VIEW products AS
SELECT p.product_id AS id,
       p.request_id,
       p.serial_number,
       p.product_name,
       p.line,
       (SELECT group_concat(i.input_url, ',' ORDER BY i.image_id) FROM image i
        WHERE  i.image_id >= p.first_image_id AND i.image_id < p.first_image_id + p.images) AS input_image_urls,
       (SELECT group_concat(i.object_key, ',' ORDER BY i.image_id) FROM image i
        WHERE  i.image_id >= p.first_image_id AND i.image_id < p.first_image_id + p.images) AS output_image_urls,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM   product p
JOIN   request r ON r.request_id = p.request_id
WHERE  r.state NOT IN ('receiving', 'deleting');
