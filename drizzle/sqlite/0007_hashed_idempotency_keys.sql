-- Seals what is kept of the bodies of requests with an Idempotency-Key.
INSERT INTO secrets (name, value) VALUES ('idempotency_keys', randomblob(32));

-- Of a key its hash is enough to know it again, and of a body a digest that nobody can guess salaries
-- by. The functions are those of src/store/sqlite/idempotency-digests.ts.
CREATE TABLE known_keys AS
SELECT
  client,
  key_hash(key) AS key,
  body_digest((SELECT value FROM secrets WHERE name = 'idempotency_keys'), key, body_hash) AS body_hash,
  employee_id,
  created_at,
  row_number() OVER (PARTITION BY client ORDER BY created_at) AS number
FROM idempotency_keys;

-- The columns of before are those that a release before this one goes on writing while it still runs.
DROP TABLE idempotency_keys;
CREATE TABLE idempotency_keys (
  client text NOT NULL,
  -- The hash, a blob. Text: the key itself, by a release before, whose body_hash is no digest either.
  key any NOT NULL,
  body_hash blob NOT NULL,
  employee_id integer NOT NULL,
  created_at integer NOT NULL DEFAULT (unixepoch()),
  -- Counts on with each key of a client: from the oldest to the newest there are as many as it has.
  number integer,
  PRIMARY KEY (client, key)
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency_keys SELECT client, key, body_hash, employee_id, created_at, number FROM known_keys;
DROP TABLE known_keys;

-- The oldest first: whether there is anything to sweep, and what.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- The ends of a client's keys: two seeks tell how many there are.
CREATE INDEX idempotency_keys_by_number ON idempotency_keys (client, number);
