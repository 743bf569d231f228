-- Times are UTC milliseconds since 1970-01-01. Ids of products and images are handed out in blocks (id_block), one block a
-- request and in the order of the CSV, so the rows of a request are a range of the primary key: intake needs no second index,
-- the planner walks the range, and results are read in CSV order. There are no foreign keys for the same reason.
-- The tables are those of SQLite, column by column; only the types are PostgreSQL's.

CREATE TABLE request (
    request_id        UUID     NOT NULL PRIMARY KEY,           -- UUIDv7
    owner             TEXT     NOT NULL,                       -- API key id; '' where the server asks for none
    file_name         TEXT     NOT NULL,
    state             TEXT     NOT NULL CHECK (state IN ('receiving', 'pending', 'processing', 'cancelling', 'completed', 'failed', 'cancelled', 'deleting')),
    run               INTEGER  NOT NULL DEFAULT 1 CHECK (run >= 1),
    planned_to        BIGINT   NOT NULL DEFAULT 0,             -- image_id up to which Image messages were published in this run
    first_product_id  BIGINT   NOT NULL,
    products          BIGINT   NOT NULL CHECK (products >= 0),
    first_image_id    BIGINT   NOT NULL,
    images            BIGINT   NOT NULL CHECK (images >= 0),
    completed         BIGINT   NOT NULL DEFAULT 0 CHECK (completed >= 0),
    failed            BIGINT   NOT NULL DEFAULT 0 CHECK (failed >= 0),
    bytes_in          BIGINT   NOT NULL DEFAULT 0 CHECK (bytes_in >= 0),
    bytes_out         BIGINT   NOT NULL DEFAULT 0 CHECK (bytes_out >= 0),
    quality           INTEGER  NOT NULL CHECK (quality BETWEEN 1 AND 100),
    format            TEXT              CHECK (format IN ('jpeg', 'png', 'webp', 'gif', 'avif')),   -- NULL keeps the source's
    escape_formulas   BOOLEAN  NOT NULL DEFAULT FALSE,
    dialect           TEXT     NOT NULL,
    webhook_url       TEXT,
    idempotency_key   TEXT,
    body_hash         TEXT,                                    -- SHA-256 of the upload, hexadecimal
    upload_key        TEXT     NOT NULL,
    result_key        TEXT,
    created_at        BIGINT   NOT NULL,
    updated_at        BIGINT   NOT NULL,
    finished_at       BIGINT,
    CHECK (completed + failed <= images),
    CHECK (state NOT IN ('completed', 'failed') OR completed + failed = images),
    CHECK (state NOT IN ('completed', 'failed', 'cancelled') OR (result_key IS NOT NULL AND finished_at IS NOT NULL))
) WITH (fillfactor = 50);                                      -- one row is updated by every batch of outcomes: room for its next version beside it
CREATE INDEX request_by_owner ON request (owner, request_id);
CREATE INDEX request_open ON request (state) WHERE state IN ('receiving', 'pending', 'processing', 'cancelling', 'deleting');
CREATE UNIQUE INDEX request_by_idempotency_key ON request (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE product (
    product_id      BIGINT  NOT NULL PRIMARY KEY,
    request_id      UUID    NOT NULL,
    line            BIGINT  NOT NULL CHECK (line >= 1),        -- 1-based line of the CSV where the row begins
    serial_number   TEXT    NOT NULL,                          -- as written: '007' stays '007'
    product_name    TEXT    NOT NULL,
    first_image_id  BIGINT  NOT NULL,
    images          BIGINT  NOT NULL CHECK (images >= 0),
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL
);

CREATE TABLE image (
    image_id         BIGINT   NOT NULL PRIMARY KEY,
    product_id       BIGINT   NOT NULL,
    input_url        TEXT     NOT NULL,
    same_as          BIGINT            CHECK (same_as < image_id),       -- the first image of the request with this URL: fetched once, recorded for all
    state            TEXT     NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'completed', 'failed')),
    attempt          INTEGER  NOT NULL DEFAULT 0 CHECK (attempt >= 0),   -- failed attempts recorded in this run
    next_attempt_at  BIGINT,
    error_code       TEXT,
    http_status      INTEGER,
    object_key       TEXT,
    bytes_in         BIGINT            CHECK (bytes_in >= 0),
    bytes_out        BIGINT            CHECK (bytes_out >= 0),
    kept_original    BOOLEAN,
    width            INTEGER,
    height           INTEGER,
    content_hash     TEXT,                                     -- SHA-256 of the output, hexadecimal
    fetch_ms         BIGINT,
    compress_ms      BIGINT,
    store_ms         BIGINT,
    created_at       BIGINT   NOT NULL,
    updated_at       BIGINT   NOT NULL,
    CHECK (state <> 'failed' OR error_code IS NOT NULL),
    CHECK (next_attempt_at IS NULL OR state = 'pending'),
    CHECK ((state = 'completed') = (object_key IS NOT NULL)),
    CHECK (state <> 'completed' OR (error_code IS NULL AND bytes_in IS NOT NULL AND bytes_out IS NOT NULL))
);
CREATE INDEX image_due ON image (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX image_same_as ON image (same_as) WHERE same_as IS NOT NULL;

CREATE TABLE error_count (
    request_id  UUID    NOT NULL,
    error_code  TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    images      BIGINT  NOT NULL CHECK (images > 0),
    PRIMARY KEY (request_id, error_code, host)
);

CREATE TABLE webhook (
    webhook_id    TEXT    NOT NULL PRIMARY KEY,
    owner         TEXT    NOT NULL,
    request_id    UUID,                                        -- NULL: every request of the owner
    callback_url  TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL,
    disabled_at   BIGINT                                       -- the endpoint answered 410
);
CREATE INDEX webhook_by_owner ON webhook (owner);

CREATE TABLE delivery (
    delivery_id      BIGINT   NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    request_id       UUID     NOT NULL,
    run              INTEGER  NOT NULL,
    webhook_id       TEXT     NOT NULL,                        -- '' is the webhook_url given with the upload
    endpoint         TEXT     NOT NULL,
    body             TEXT     NOT NULL,                        -- the same at every attempt
    state            TEXT     NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempt          INTEGER  NOT NULL DEFAULT 0 CHECK (attempt >= 0),   -- attempts made
    schedule_from    INTEGER  NOT NULL DEFAULT 0 CHECK (schedule_from <= attempt),   -- attempts made before the schedule began anew by a replay
    next_attempt_at  BIGINT,
    created_at       BIGINT   NOT NULL,
    updated_at       BIGINT   NOT NULL,
    UNIQUE (request_id, run, webhook_id),
    CHECK (next_attempt_at IS NULL OR state = 'pending')
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX delivery_by_webhook ON delivery (webhook_id, delivery_id);

CREATE TABLE delivery_attempt (
    delivery_id   BIGINT   NOT NULL,
    attempt       INTEGER  NOT NULL CHECK (attempt >= 1),
    attempted_at  BIGINT   NOT NULL,
    http_status   INTEGER,
    error         TEXT,
    milliseconds  BIGINT   NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
);

CREATE TABLE outbox (
    outbox_id   BIGINT  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    message     TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE TABLE api_key (
    key_id      TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    key_hash    TEXT    NOT NULL UNIQUE,
    created_at  BIGINT  NOT NULL,
    revoked_at  BIGINT
);

CREATE TABLE id_block (
    name     TEXT    NOT NULL PRIMARY KEY CHECK (name IN ('product', 'image')),
    next_id  BIGINT  NOT NULL
);
INSERT INTO id_block (name, next_id) VALUES ('product', 1), ('image', 1);

CREATE TABLE setting (
    name   TEXT NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL
);
