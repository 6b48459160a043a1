-- The keys of requests that created somebody, so that a client that heard no answer can ask again.
-- What was answered is the id and the fields of the body, so the id and a hash of the fields are all
-- there is to keep: no second copy of a salary. No reference to employees: the answer outlives them,
-- and an id is never given twice. The key of one client is nothing to another one.
CREATE TABLE idempotency_keys (
  client text NOT NULL,
  key text NOT NULL,
  body_hash blob NOT NULL,
  employee_id integer NOT NULL,
  created_at integer NOT NULL DEFAULT (unixepoch()),
  PRIMARY KEY (client, key)
) STRICT, WITHOUT ROWID;

-- The oldest first: whether there is anything to sweep, and what.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
