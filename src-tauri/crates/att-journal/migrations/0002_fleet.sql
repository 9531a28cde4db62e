-- What the fleet keeps (design 1). Bodies are JSON; columns are what is searched by.
CREATE TABLE server_state (
  server   TEXT    PRIMARY KEY,
  as_of_ms INTEGER NOT NULL,
  status   TEXT    NOT NULL,
  body     TEXT    NOT NULL
) STRICT;

CREATE TABLE event (
  seq            INTEGER PRIMARY KEY,
  id             TEXT    NOT NULL UNIQUE,
  at_ms          INTEGER NOT NULL,
  server         TEXT    NOT NULL,
  generation     INTEGER NOT NULL,
  kind           TEXT    NOT NULL,
  phase          TEXT,
  method         TEXT,
  correlation_id TEXT    NOT NULL,
  request_id     TEXT,
  body           TEXT    NOT NULL
) STRICT;

-- Each filter with the time behind it: newest first, from a time on, and the next page are ranges of one index.
CREATE INDEX event_by_time ON event (at_ms);
CREATE INDEX event_by_server ON event (server, at_ms);
CREATE INDEX event_by_kind ON event (kind, at_ms);
CREATE INDEX event_by_correlation ON event (correlation_id, at_ms);
CREATE INDEX event_by_request ON event (request_id, at_ms) WHERE request_id IS NOT NULL;
CREATE INDEX event_by_method ON event (method, at_ms) WHERE method IS NOT NULL;
CREATE INDEX event_by_phase ON event (phase, at_ms) WHERE phase IS NOT NULL;

CREATE TABLE attempt (
  seq            INTEGER PRIMARY KEY,
  request_id     TEXT    NOT NULL,
  place          INTEGER NOT NULL,
  at_ms          INTEGER NOT NULL,
  server         TEXT    NOT NULL,
  correlation_id TEXT    NOT NULL,
  body           TEXT    NOT NULL
) STRICT;

CREATE INDEX attempt_by_request ON attempt (request_id, place);
CREATE INDEX attempt_by_server ON attempt (server, seq);
CREATE INDEX attempt_by_correlation ON attempt (correlation_id, seq);

CREATE TABLE snapshot (
  seq             INTEGER PRIMARY KEY,
  id              TEXT    NOT NULL UNIQUE,
  server          TEXT    NOT NULL,
  parent          TEXT,
  surface         TEXT    NOT NULL,
  taken_at_ms     INTEGER NOT NULL,
  last_seen_at_ms INTEGER NOT NULL,
  body            TEXT    NOT NULL
) STRICT;

CREATE INDEX snapshot_by_server ON snapshot (server, seq);

CREATE TRIGGER snapshot_refuses_change BEFORE UPDATE ON snapshot
WHEN NEW.id IS NOT OLD.id OR NEW.server IS NOT OLD.server OR NEW.parent IS NOT OLD.parent
  OR NEW.surface IS NOT OLD.surface OR NEW.taken_at_ms IS NOT OLD.taken_at_ms OR NEW.body IS NOT OLD.body
BEGIN
  SELECT RAISE(ABORT, 'a snapshot is never changed, only seen again');
END;

CREATE TABLE consent (
  server TEXT    NOT NULL,
  digest TEXT    NOT NULL,
  at_ms  INTEGER NOT NULL,
  actor  TEXT    NOT NULL,
  PRIMARY KEY (server, digest)
) STRICT;
