-- An id is never given twice (AUTOINCREMENT): a client that still holds the id of somebody deleted
-- must not reach somebody else.
CREATE TABLE employees (
  id integer PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 9007199254740991),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  salary real NOT NULL CHECK (salary BETWEEN 0 AND 1e12),
  department text NOT NULL CHECK (length(department) BETWEEN 1 AND 100)
) STRICT;

-- The employees of one department by ascending id: the filtered list and its pages.
CREATE INDEX employees_by_department ON employees (department);

-- The employees of one department from the highest salary down: the ranking and its triggers.
CREATE INDEX employees_by_department_salary ON employees (department, salary DESC);

CREATE TABLE view_versions (
  view text PRIMARY KEY,
  version text NOT NULL
) STRICT, WITHOUT ROWID;

-- The triggers of a cached view tell rows apart by id, and INSERT OR REPLACE hides a row's end from
-- them; UPDATE OR REPLACE of an id would hide it for good.
CREATE TRIGGER employees_keep_id BEFORE UPDATE OF id ON employees
WHEN new.id <> old.id
BEGIN
  SELECT raise(ABORT, 'an employee keeps its id');
END;
