-- Cached view: every employee who earns more than 100000, by ascending id.
CREATE VIEW high_salary_emps AS
SELECT id, name, salary, department FROM employees WHERE salary > 100000 ORDER BY id;

-- By id, not by salary: the view is read in the order of the answer, a row at a time, with no sort
-- in front that would grow with the table.
CREATE INDEX employees_high_salary ON employees (id) WHERE salary > 100000;

INSERT INTO view_versions (view, version) VALUES ('high_salary_emps', lower(hex(randomblob(16))));

-- A new version exactly when the view shows something else: a row in it before or after that is not
-- the same before and after.
CREATE TRIGGER high_salary_emps_insert AFTER INSERT ON employees
WHEN new.salary > 100000
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'high_salary_emps';
END;

CREATE TRIGGER high_salary_emps_update AFTER UPDATE ON employees
WHEN (old.salary > 100000 OR new.salary > 100000)
  AND (old.name, old.salary, old.department) IS NOT (new.name, new.salary, new.department)
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'high_salary_emps';
END;

CREATE TRIGGER high_salary_emps_delete AFTER DELETE ON employees
WHEN old.salary > 100000
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'high_salary_emps';
END;

-- INSERT OR REPLACE fires no delete trigger unless recursive_triggers is on, so the row that is
-- about to be replaced is looked at beforehand.
CREATE TRIGGER high_salary_emps_replace BEFORE INSERT ON employees
WHEN EXISTS (SELECT 1 FROM employees WHERE id = new.id AND salary > 100000)
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'high_salary_emps';
END;
