-- From here on cached views are defined in drizzle/views, and everything that keeps them fresh is
-- generated from that at the start: the views and triggers of the migrations before this one are
-- replaced by the generated ones in the transaction that applies it.

-- The definition that a view's triggers stand for, and that its version belongs to: a hash, but for
-- what these migrations have made.
ALTER TABLE view_versions ADD COLUMN definition text NOT NULL DEFAULT 'migration';

-- The definitions that releases over this database have ('': a release that does not know the view),
-- and when each was last known to be in use, as Unix time in seconds: two releases may run side by
-- side, and one may be rolled back.
CREATE TABLE view_definitions (
  view text NOT NULL,
  definition text NOT NULL,
  seen_at integer NOT NULL DEFAULT (unixepoch()),
  PRIMARY KEY (view, definition)
) STRICT, WITHOUT ROWID;
