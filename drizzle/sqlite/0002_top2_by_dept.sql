-- Cached view: every employee whose rank() by salary within the department is 1 or 2, by department,
-- salary descending, id. rank() <= 2 is "fewer than two rows of the department earn strictly more",
-- which is "at or above the salary of the second row from the top". So there is no window over the
-- table but a loose index scan: the next department by one seek, its second salary by another, and
-- then only the rows of the answer.
CREATE VIEW top2_by_dept AS
WITH RECURSIVE departments (department) AS (
  SELECT min(department) FROM employees
  UNION ALL
  SELECT (SELECT min(next.department) FROM employees AS next WHERE next.department > departments.department)
  FROM departments WHERE department IS NOT NULL
)
SELECT e.id, e.name, e.salary, e.department
FROM departments
CROSS JOIN employees AS e INDEXED BY employees_by_department_salary
  ON e.department = departments.department
  AND e.salary >= ifnull(
    (SELECT salary FROM employees WHERE department = departments.department ORDER BY salary DESC LIMIT 1 OFFSET 1),
    0
  )
ORDER BY e.department, e.salary DESC, e.id;

INSERT INTO view_versions (view, version) VALUES ('top2_by_dept', lower(hex(randomblob(16))));

-- A new version exactly when the view shows something else. The row is in the view when at most one
-- colleague earns more: LIMIT 1 OFFSET 1 asks the index for a second one.
CREATE TRIGGER top2_by_dept_insert AFTER INSERT ON employees
WHEN NOT EXISTS (
  SELECT 1 FROM employees WHERE department = new.department AND salary > new.salary LIMIT 1 OFFSET 1
)
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'top2_by_dept';
END;

-- The table holds the row's new state here, so its old place is judged against the others only.
CREATE TRIGGER top2_by_dept_update AFTER UPDATE ON employees
WHEN (old.name, old.salary, old.department) IS NOT (new.name, new.salary, new.department)
  AND (
    NOT EXISTS (
      SELECT 1 FROM employees
      WHERE department = old.department AND salary > old.salary AND id <> old.id LIMIT 1 OFFSET 1
    )
    OR NOT EXISTS (
      SELECT 1 FROM employees WHERE department = new.department AND salary > new.salary LIMIT 1 OFFSET 1
    )
  )
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'top2_by_dept';
END;

CREATE TRIGGER top2_by_dept_delete AFTER DELETE ON employees
WHEN NOT EXISTS (
  SELECT 1 FROM employees WHERE department = old.department AND salary > old.salary LIMIT 1 OFFSET 1
)
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'top2_by_dept';
END;

-- INSERT OR REPLACE fires no delete trigger unless recursive_triggers is on, so the row that is
-- about to be replaced is looked at beforehand.
CREATE TRIGGER top2_by_dept_replace BEFORE INSERT ON employees
WHEN EXISTS (
  SELECT 1 FROM employees AS old
  WHERE old.id = new.id AND NOT EXISTS (
    SELECT 1 FROM employees WHERE department = old.department AND salary > old.salary LIMIT 1 OFFSET 1
  )
)
BEGIN
  UPDATE view_versions SET version = lower(hex(randomblob(16))) WHERE view = 'top2_by_dept';
END;
