#!/bin/sh
# Runs once, when the primary's volume is new: roles for the standby and for the service, one that owns
# the tables and one that serves, and the database.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
  --set standby="$STANDBY_PASSWORD" --set owner="$OWNER_PASSWORD" --set serving="$SERVING_PASSWORD" <<'SQL'
CREATE ROLE standby REPLICATION LOGIN PASSWORD :'standby';
CREATE ROLE owner LOGIN PASSWORD :'owner';
CREATE ROLE employees LOGIN PASSWORD :'serving';
CREATE DATABASE employees OWNER owner ENCODING 'UTF8' TEMPLATE template0;
-- From the next start on, which comes right behind this: until then there is no standby to wait for.
ALTER SYSTEM SET synchronous_standby_names = 'standby';
SQL
echo 'host replication standby all scram-sha-256' >>"$PGDATA/pg_hba.conf"
