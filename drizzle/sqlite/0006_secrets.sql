-- What only processes over this database know, by what it is for: whoever can write to Redis, or reads
-- a copy of one table, does not.
CREATE TABLE secrets (
  name text PRIMARY KEY,
  value blob NOT NULL CHECK (length(value) >= 32)
) STRICT, WITHOUT ROWID;

-- Signs the cached answers that are kept in Redis.
INSERT INTO secrets (name, value) VALUES ('cache_entries', randomblob(32));
