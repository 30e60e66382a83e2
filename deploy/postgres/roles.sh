#!/bin/sh
# The first start of PostgreSQL: a role and a database for the journal, a role for Temporal, whose
# schema job makes its own databases. Neither role can read what is the other's.
set -eu
secrets="${SECRETS_DIR:-/run/secrets}"

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" \
    --dbname=postgres --set=journal="$(cat "$secrets/journal_password")" \
    --set=temporal="$(cat "$secrets/temporal_password")" <<'SQL'
CREATE ROLE journal LOGIN PASSWORD :'journal';
CREATE DATABASE lockstep OWNER journal ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE lockstep FROM PUBLIC;
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal';
SQL
