-- When each view last got a new version, as Unix time in seconds. A column that is filled in for the
-- views of later migrations cannot be added to a table (its default must be a constant there), so the
-- table is made anew; the triggers of the views find it by its name. By julianday(), since
-- unixepoch('subsec') is NULL to the shells of SQLite before 3.42.
CREATE TABLE known_versions AS SELECT view, version FROM view_versions;
DROP TABLE view_versions;
CREATE TABLE view_versions (
  view text PRIMARY KEY,
  version text NOT NULL,
  changed_at real NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400)
) STRICT, WITHOUT ROWID;
INSERT INTO view_versions (view, version) SELECT view, version FROM known_versions;
DROP TABLE known_versions;

CREATE TRIGGER view_versions_changed AFTER UPDATE OF version ON view_versions
BEGIN
  UPDATE view_versions SET changed_at = (julianday('now') - 2440587.5) * 86400 WHERE view = new.view;
END;
