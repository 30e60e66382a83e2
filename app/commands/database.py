"""`lockstep db upgrade` and `db backup`: the journal, which is the one thing to be kept."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.frame import AsJson, ConfigFile, emit, group, load, run, verb, working

Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    db = group(app, "db", "Look after the journal's file.")
    verb(
        db,
        "upgrade",
        "db upgrade: bring the journal to this version's schema, keeping a copy",
        "db upgrade --json | jq -r .after: for a script",
    )(upgrade)
    verb(
        db,
        "backup",
        "db backup journal-2026-11-27.sqlite3: copy the journal while it is in use",
        'db backup "$(date +%F).sqlite3" --json: for a nightly script',
    )(backup)


def upgrade(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Bring the journal to the newest schema; every process does so as it starts.

    A file is copied beside itself before; PostgreSQL undoes an upgrade that fails. Exit code 3
    where a newer program has written it.
    """
    from app.operating import database

    with working("looking at the journal"):
        told = run(database.upgrade(load(config)))
    if told.before == told.after:
        emit(told, as_json, f"{told.path}: schema {told.after} already, nothing was changed")
        return
    kept = f"; what it was is in {told.copied_to}" if told.copied_to else ""
    emit(told, as_json, f"{told.path}: schema {told.before} is now {told.after}{kept}")


def backup(target: Target, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Copy the journal while it is in use; a copy by hand would miss what is in its -wal file.

    On PostgreSQL this is pg_dump's custom format. To go on with a copy: stop everything, put it in
    the journal's place (pg_restore), start, and see `lockstep confirm-restore`.
    """
    from app.operating import database

    with working("copying the journal"):
        told = run(database.copy_to(load(config), target))
    emit(told, as_json, f"{told.path}: {told.bytes} bytes")
