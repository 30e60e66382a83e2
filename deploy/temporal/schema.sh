#!/bin/sh
# Both of Temporal's databases with the schema of this version. A second run changes nothing, an
# older schema is brought up to date.
set -eu
SQL_PASSWORD=$(cat "$SQL_PASSWORD_FILE")
export SQL_PASSWORD

prepare() {
    temporal-sql-tool --database "$1" create-database --defaultdb postgres
    temporal-sql-tool --database "$1" setup-schema --version 0.0
    temporal-sql-tool --database "$1" update-schema --schema-dir "$SCHEMA_DIR/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
