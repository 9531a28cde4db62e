-- The audit chain: gap-free, hash-linked, append-only.
CREATE TABLE audit (
  seq       INTEGER PRIMARY KEY,
  id        TEXT    NOT NULL,
  at_ms     INTEGER NOT NULL,
  actor     TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  subject   TEXT    NOT NULL,
  body      TEXT    NOT NULL,
  prev_hash TEXT    NOT NULL,
  hash      TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX audit_by_id ON audit (id);

CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never deleted');
END;

-- Also what stops INSERT OR REPLACE on a connection without recursive_triggers: an existing seq is never max + 1.
CREATE TRIGGER audit_refuses_gap BEFORE INSERT ON audit
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN
  SELECT RAISE(ABORT, 'audit entries are numbered without gaps');
END;

CREATE TRIGGER audit_refuses_fork BEFORE INSERT ON audit
WHEN NEW.seq > 1 AND NEW.prev_hash IS NOT (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1)
BEGIN
  SELECT RAISE(ABORT, 'audit entries continue the newest one');
END;

CREATE TRIGGER audit_refuses_second_id BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'audit entries have an id each');
END;
