-- Who drives, and what the others ask of it (design 4, "Who drives").
CREATE TABLE lease (
  name         TEXT    PRIMARY KEY,
  owner        TEXT    NOT NULL,
  held         INTEGER NOT NULL CHECK (held IN (0, 1)),
  epoch        INTEGER NOT NULL,
  acquired_ms  INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE request (
  id          TEXT    PRIMARY KEY,
  kind        TEXT    NOT NULL,
  body        TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  at_ms       INTEGER NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('pending', 'taken', 'done', 'refused')),
  taken_by    INTEGER,
  taken_at_ms INTEGER,
  ended_at_ms INTEGER,
  answer      TEXT
) STRICT;

CREATE INDEX request_open ON request (at_ms, id) WHERE state IN ('pending', 'taken');
