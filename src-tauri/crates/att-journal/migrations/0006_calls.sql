-- What servers asked of the operator (design 1, invocation). What was answered is not here: it may be secret.
CREATE TABLE question (
  id          TEXT    PRIMARY KEY,
  server      TEXT    NOT NULL,
  asked_at_ms INTEGER NOT NULL,
  open        INTEGER NOT NULL CHECK (open IN (0, 1)),
  body        TEXT    NOT NULL,
  closure     TEXT
) STRICT;

CREATE INDEX question_open ON question (asked_at_ms, id) WHERE open = 1;

-- Every call with the arguments it was made with, without secrets: what can be looked up and made again.
CREATE TABLE call (
  seq        INTEGER PRIMARY KEY,
  request_id TEXT    NOT NULL UNIQUE,
  at_ms      INTEGER NOT NULL,
  server     TEXT,
  body       TEXT    NOT NULL
) STRICT;

CREATE INDEX call_by_server ON call (server, seq);
