-- What changed of a view from one version to the next: a miss then costs what changed, and not what the
-- view holds. Each new version of a view has a number, and a link here which says which parts changed
-- (a JSON array of them; NULL: anything may have). Links go round: a view keeps its last `links`, whoever
-- writes them, and nothing has to be swept.
ALTER TABLE view_versions
  ADD COLUMN number bigint NOT NULL DEFAULT 0,
  ADD COLUMN links integer NOT NULL DEFAULT 1024 CHECK (links > 0);

-- Pages have room: each link is a new tuple in the place of an old one.
CREATE TABLE view_changes (
  view text COLLATE "C" NOT NULL,
  slot integer NOT NULL,
  number bigint NOT NULL,
  -- That it led to.
  version text COLLATE "C" NOT NULL,
  parts jsonb,
  PRIMARY KEY (view, slot)
) WITH (fillfactor = 50);

-- A version that bears no number of its own says nothing of what changed: so do a shell, the keeper of the
-- views, and a release before this one.
CREATE FUNCTION view_versions_link() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    NEW.number := OLD.number + 1;
  END IF;
  INSERT INTO view_changes (view, slot, number, version)
  VALUES (NEW.view, NEW.number % NEW.links, NEW.number, NEW.version)
  ON CONFLICT (view, slot)
  DO UPDATE SET number = excluded.number, version = excluded.version, parts = NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER view_versions_changed BEFORE UPDATE ON view_versions FOR EACH ROW
WHEN (NEW.version <> OLD.version AND NEW.number = OLD.number) EXECUTE FUNCTION view_versions_link();
CREATE TRIGGER view_versions_begun AFTER INSERT ON view_versions FOR EACH ROW
EXECUTE FUNCTION view_versions_link();
INSERT INTO view_changes (view, slot, number, version) SELECT view, 0, 0, version FROM view_versions;

-- Else two versions could have one number, and a link would seem to lead from the other.
CREATE FUNCTION view_versions_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the number of a version only grows' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER view_versions_grow BEFORE UPDATE ON view_versions FOR EACH ROW
WHEN (NEW.number < OLD.number) EXECUTE FUNCTION view_versions_grow();

-- Whoever may serve over the tables of before goes on serving, also by a grant to everybody or of columns.
DO $$
DECLARE
  role text;
BEGIN
  FOR role IN
    SELECT DISTINCT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
    FROM (
      SELECT relacl AS acl FROM pg_class WHERE oid = 'view_versions'::regclass
      UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = 'view_versions'::regclass
    ) AS granted, aclexplode(acl) WHERE privilege_type = 'UPDATE'
  LOOP
    EXECUTE 'GRANT SELECT, INSERT, UPDATE ON view_changes TO ' || role;
    EXECUTE 'GRANT SELECT, UPDATE (number) ON view_versions TO ' || role;
  END LOOP;
END
$$;
