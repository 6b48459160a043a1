#!/bin/sh
# Copies the primary when the volume is new, and follows it. Runs as postgres.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  until pg_basebackup --pgdata "$PGDATA" --write-recovery-conf --wal-method stream \
    --dbname "host=primary user=standby password=$STANDBY_PASSWORD application_name=standby"; do
    echo 'The primary does not answer yet'
    rm -rf "${PGDATA:?}"/*
    sleep 1
  done
  chmod 0700 "$PGDATA"
  # It waits for nobody itself, until it is promoted.
  echo "synchronous_standby_names = ''" >>"$PGDATA/postgresql.auto.conf"
fi
exec postgres
