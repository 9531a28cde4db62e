-- What the operator accepted as the surface of a server (design 1.4). The audit chain keeps who, when and why for good;
-- this is what holds now. `released_surface` is a surface in spite of which the operator switched a quarantined server on.
CREATE TABLE baseline (
  server           TEXT    PRIMARY KEY,
  snapshot_id      TEXT    NOT NULL,
  at_ms            INTEGER NOT NULL,
  actor            TEXT    NOT NULL,
  reason           TEXT    NOT NULL,
  released_surface TEXT
) STRICT;
