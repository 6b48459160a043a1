-- Pages by salary, and by name: of a range, from wherever the last one ended, in the order of the answer.
-- The id stands behind each, as in every index. Each costs a write one more page of a tree.
CREATE INDEX employees_by_salary ON employees (salary DESC);
CREATE INDEX employees_by_name ON employees (name);
