-- The span of the upload as a W3C traceparent, so that what is done for the request later, in whatever process, goes on from it; NULL where telemetry is off.
ALTER TABLE request ADD COLUMN trace_parent TEXT;
