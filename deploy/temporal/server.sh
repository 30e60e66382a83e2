#!/bin/sh
# The server with our configuration. Its password is a file until here, and no part of what the
# container engine shows of the container.
set -eu
SQL_PASSWORD=$(cat "$SQL_PASSWORD_FILE")
export SQL_PASSWORD
cd "$CONFIG_DIR"
exec temporal-server --root "$CONFIG_DIR" --config . --env server --allow-no-auth start
