-- What changed of a view from one version to the next: a miss then costs what changed, and not what the
-- view holds. Each new version of a view has a number, and a link here which says which parts changed
-- (the employee's before and after; NULL: anything may have). Links go round: a view keeps its last
-- `links`, whoever writes them, and nothing has to be swept.
ALTER TABLE view_versions ADD COLUMN number integer NOT NULL DEFAULT 0;
ALTER TABLE view_versions ADD COLUMN links integer NOT NULL DEFAULT 1024 CHECK (links > 0);

CREATE TABLE view_changes (
  view text NOT NULL,
  slot integer NOT NULL,
  number integer NOT NULL,
  -- That it led to.
  version text NOT NULL,
  part any,
  part_before any,
  PRIMARY KEY (view, slot)
) STRICT, WITHOUT ROWID;

-- A version that bears no number of its own says nothing of what changed: so do a shell, a bulk load, the
-- keeper of the views, and a release before this one, whose triggers do not set the time either.
DROP TRIGGER view_versions_changed;
CREATE TRIGGER view_versions_changed AFTER UPDATE OF version ON view_versions
WHEN new.number = old.number
BEGIN
  UPDATE view_versions
  SET number = number + 1, changed_at = (julianday('now') - 2440587.5) * 86400 WHERE view = new.view;
  INSERT INTO view_changes (view, slot, number, version)
  SELECT view, number % links, number, version FROM view_versions WHERE view = new.view
  ON CONFLICT (view, slot) DO UPDATE
    SET number = excluded.number, version = excluded.version, part = NULL, part_before = NULL;
END;
CREATE TRIGGER view_versions_begun AFTER INSERT ON view_versions
BEGIN
  INSERT INTO view_changes (view, slot, number, version)
  SELECT view, number % links, number, version FROM view_versions WHERE view = new.view
  ON CONFLICT (view, slot) DO UPDATE
    SET number = excluded.number, version = excluded.version, part = NULL, part_before = NULL;
END;
INSERT INTO view_changes (view, slot, number, version) SELECT view, 0, 0, version FROM view_versions;

-- Else two versions could have one number, and a link would seem to lead from the other.
CREATE TRIGGER view_versions_grow BEFORE UPDATE OF number ON view_versions WHEN new.number < old.number
BEGIN
  SELECT raise(ABORT, 'the number of a version only grows');
END;
