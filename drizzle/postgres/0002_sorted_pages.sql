-- Pages by salary, and by name: of a range, from wherever the last one ended, in the order of the answer.
-- Each costs a write one more page of a tree. While they are built, writers wait.
CREATE INDEX employees_by_salary ON employees (salary DESC, id);
CREATE INDEX employees_by_name ON employees (name, id);
