-- What the bootstrap engine keeps (design 2). Bodies are JSON; columns are keys, fences and what is searched by.
CREATE TABLE project (
  id   TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE target (
  id                    TEXT    PRIMARY KEY,
  project               TEXT    NOT NULL,
  generation            INTEGER NOT NULL,
  current_deployment_id TEXT,
  body                  TEXT    NOT NULL
) STRICT;

CREATE TABLE cycle (
  id            TEXT    PRIMARY KEY,
  version       INTEGER NOT NULL,
  project       TEXT    NOT NULL,
  repository    TEXT    NOT NULL,
  target        TEXT,
  state         TEXT    NOT NULL,
  live          INTEGER NOT NULL CHECK (live IN (0, 1)),
  created_at_ms INTEGER NOT NULL,
  body          TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX cycle_live_on_target ON cycle (target) WHERE live = 1 AND target IS NOT NULL;
CREATE UNIQUE INDEX cycle_live_on_repository ON cycle (repository) WHERE live = 1;
CREATE INDEX cycle_by_time ON cycle (created_at_ms, id);

CREATE TRIGGER cycle_terminal_is_final BEFORE UPDATE ON cycle
WHEN OLD.live = 0 AND NEW.state IS NOT OLD.state
BEGIN
  SELECT RAISE(ABORT, 'a cycle that has ended stays ended');
END;

CREATE TABLE decision (
  id            TEXT    PRIMARY KEY,
  version       INTEGER NOT NULL,
  state         TEXT    NOT NULL,
  cycle_id      TEXT    NOT NULL,
  target        TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  body          TEXT    NOT NULL
) STRICT;

CREATE INDEX decision_by_time ON decision (created_at_ms, id);

CREATE TABLE approval (
  id              TEXT    PRIMARY KEY,
  decision_id     TEXT    NOT NULL,
  state           TEXT    NOT NULL,
  requested_at_ms INTEGER NOT NULL,
  body            TEXT    NOT NULL
) STRICT;

CREATE INDEX approval_by_decision ON approval (decision_id, requested_at_ms);

CREATE TABLE operation (
  id             TEXT    PRIMARY KEY,
  cycle_id       TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  phase          TEXT    NOT NULL,
  intended_at_ms INTEGER NOT NULL,
  body           TEXT    NOT NULL
) STRICT;

CREATE INDEX operation_by_cycle ON operation (cycle_id, intended_at_ms);

CREATE TABLE release (
  target        TEXT    NOT NULL,
  id            TEXT    NOT NULL,
  health        TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  body          TEXT    NOT NULL,
  PRIMARY KEY (target, id)
) STRICT;

CREATE TABLE deployment (
  id          TEXT    PRIMARY KEY,
  target      TEXT    NOT NULL,
  release_id  TEXT    NOT NULL,
  predecessor TEXT,
  generation  INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  body        TEXT    NOT NULL
) STRICT;

CREATE INDEX deployment_by_target ON deployment (target, at_ms);

CREATE TABLE interruption (
  id           TEXT    PRIMARY KEY,
  kind         TEXT    NOT NULL,
  target       TEXT,
  open         INTEGER NOT NULL CHECK (open IN (0, 1)),
  opened_at_ms INTEGER NOT NULL,
  body         TEXT    NOT NULL
) STRICT;

CREATE INDEX interruption_open ON interruption (opened_at_ms, id) WHERE open = 1;

CREATE TABLE timer (
  id        TEXT    PRIMARY KEY,
  cycle_id  TEXT    NOT NULL,
  due_at_ms INTEGER NOT NULL,
  body      TEXT    NOT NULL
) STRICT;

CREATE INDEX timer_by_due ON timer (due_at_ms, id);

CREATE TABLE output_log (
  cycle_id TEXT NOT NULL,
  stage    TEXT NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (cycle_id, stage)
) STRICT;

CREATE TABLE config_approval (
  project TEXT    NOT NULL,
  digest  TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  body    TEXT    NOT NULL,
  PRIMARY KEY (project, digest)
) STRICT;

CREATE TABLE safe_mode (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT    NOT NULL
) STRICT;
