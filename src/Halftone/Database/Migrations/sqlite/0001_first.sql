-- Times are UTC milliseconds since 1970-01-01. Ids of products and images are handed out in blocks (id_block), one block a
-- request and in the order of the CSV, so the rows of a request are a range of the primary key: intake needs no second index,
-- the planner walks the range, and results are read in CSV order. There are no foreign keys for the same reason.

CREATE TABLE request (
    request_id        TEXT    NOT NULL PRIMARY KEY CHECK (length(request_id) = 36),   -- UUIDv7, lower case
    owner             TEXT    NOT NULL,                        -- API key id; '' where the server asks for none
    file_name         TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('receiving', 'pending', 'processing', 'cancelling', 'completed', 'failed', 'cancelled', 'deleting')),
    run               INTEGER NOT NULL DEFAULT 1 CHECK (run >= 1),
    planned_to        INTEGER NOT NULL DEFAULT 0,              -- image_id up to which Image messages were published in this run
    first_product_id  INTEGER NOT NULL,
    products          INTEGER NOT NULL CHECK (products >= 0),
    first_image_id    INTEGER NOT NULL,
    images            INTEGER NOT NULL CHECK (images >= 0),
    completed         INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
    failed            INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
    bytes_in          INTEGER NOT NULL DEFAULT 0 CHECK (bytes_in >= 0),
    bytes_out         INTEGER NOT NULL DEFAULT 0 CHECK (bytes_out >= 0),
    quality           INTEGER NOT NULL CHECK (quality BETWEEN 1 AND 100),
    format            TEXT             CHECK (format IN ('jpeg', 'png', 'webp', 'gif', 'avif')),   -- NULL keeps the source's
    escape_formulas   INTEGER NOT NULL DEFAULT 0 CHECK (escape_formulas IN (0, 1)),
    dialect           TEXT    NOT NULL,
    webhook_url       TEXT,
    idempotency_key   TEXT,
    body_hash         TEXT,                                    -- SHA-256 of the upload, hexadecimal
    upload_key        TEXT    NOT NULL,
    result_key        TEXT,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    CHECK (completed + failed <= images),
    CHECK (state NOT IN ('completed', 'failed') OR completed + failed = images),
    CHECK (state NOT IN ('completed', 'failed', 'cancelled') OR (result_key IS NOT NULL AND finished_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX request_by_owner ON request (owner, request_id);
CREATE INDEX request_open ON request (state) WHERE state IN ('receiving', 'pending', 'processing', 'cancelling', 'deleting');
CREATE UNIQUE INDEX request_by_idempotency_key ON request (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE product (
    product_id      INTEGER NOT NULL PRIMARY KEY,
    request_id      TEXT    NOT NULL,
    line            INTEGER NOT NULL CHECK (line >= 1),        -- 1-based line of the CSV where the row begins
    serial_number   TEXT    NOT NULL,                          -- as written: '007' stays '007'
    product_name    TEXT    NOT NULL,
    first_image_id  INTEGER NOT NULL,
    images          INTEGER NOT NULL CHECK (images >= 0),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);

CREATE TABLE image (
    image_id         INTEGER NOT NULL PRIMARY KEY,
    product_id       INTEGER NOT NULL,
    input_url        TEXT    NOT NULL,
    same_as          INTEGER CHECK (same_as < image_id),       -- the first image of the request with this URL: fetched once, recorded for all
    state            TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'completed', 'failed')),
    attempt          INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),   -- failed attempts recorded in this run
    next_attempt_at  INTEGER,
    error_code       TEXT,
    http_status      INTEGER,
    object_key       TEXT,
    bytes_in         INTEGER CHECK (bytes_in >= 0),
    bytes_out        INTEGER CHECK (bytes_out >= 0),
    kept_original    INTEGER CHECK (kept_original IN (0, 1)),
    width            INTEGER,
    height           INTEGER,
    content_hash     TEXT,                                     -- SHA-256 of the output, hexadecimal
    fetch_ms         INTEGER,
    compress_ms      INTEGER,
    store_ms         INTEGER,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    CHECK (state <> 'failed' OR error_code IS NOT NULL),
    CHECK (next_attempt_at IS NULL OR state = 'pending'),
    CHECK ((state = 'completed') = (object_key IS NOT NULL)),
    CHECK (state <> 'completed' OR (error_code IS NULL AND bytes_in IS NOT NULL AND bytes_out IS NOT NULL))
);
CREATE INDEX image_due ON image (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX image_same_as ON image (same_as) WHERE same_as IS NOT NULL;

CREATE TABLE error_count (
    request_id  TEXT    NOT NULL,
    error_code  TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    images      INTEGER NOT NULL CHECK (images > 0),
    PRIMARY KEY (request_id, error_code, host)
) WITHOUT ROWID;

CREATE TABLE webhook (
    webhook_id    TEXT    NOT NULL PRIMARY KEY,
    owner         TEXT    NOT NULL,
    request_id    TEXT,                                        -- NULL: every request of the owner
    callback_url  TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER                                      -- the endpoint answered 410
) WITHOUT ROWID;
CREATE INDEX webhook_by_owner ON webhook (owner);

CREATE TABLE delivery (
    delivery_id      INTEGER NOT NULL PRIMARY KEY,
    request_id       TEXT    NOT NULL,
    run              INTEGER NOT NULL,
    webhook_id       TEXT    NOT NULL,                         -- '' is the webhook_url given with the upload
    endpoint         TEXT    NOT NULL,
    body             TEXT    NOT NULL,                         -- the same at every attempt
    state            TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempt          INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),   -- attempts made
    schedule_from    INTEGER NOT NULL DEFAULT 0 CHECK (schedule_from <= attempt),   -- attempts made before the schedule began anew by a replay
    next_attempt_at  INTEGER,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    UNIQUE (request_id, run, webhook_id),
    CHECK (next_attempt_at IS NULL OR state = 'pending')
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX delivery_by_webhook ON delivery (webhook_id, delivery_id);

CREATE TABLE delivery_attempt (
    delivery_id   INTEGER NOT NULL,
    attempt       INTEGER NOT NULL CHECK (attempt >= 1),
    attempted_at  INTEGER NOT NULL,
    http_status   INTEGER,
    error         TEXT,
    milliseconds  INTEGER NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
) WITHOUT ROWID;

CREATE TABLE outbox (
    outbox_id   INTEGER NOT NULL PRIMARY KEY,
    message     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
);

CREATE TABLE api_key (
    key_id      TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    key_hash    TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) WITHOUT ROWID;

CREATE TABLE id_block (
    name     TEXT    NOT NULL PRIMARY KEY CHECK (name IN ('product', 'image')),
    next_id  INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO id_block (name, next_id) VALUES ('product', 1), ('image', 1);

CREATE TABLE setting (
    name   TEXT NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;
