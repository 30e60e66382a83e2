"""`lockstep db`: the journal, which is the one thing to be kept."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.frame import (
    AsJson,
    ConfigFile,
    emit,
    group,
    in_steps,
    load,
    run,
    say,
    verb,
    working,
)
from app.errors import ExitCode

Source = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="The journal's file; the mode's.")
]
Backup = Annotated[Path, typer.Argument(metavar="FILE", help="What `db backup` wrote.")]
Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    db = group(app, "db", "Look after the journal.")
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
    verb(
        db,
        "restore",
        "db restore journal-2026-11-27.sqlite3: put a backup in the journal's place",
        "db restore copy.sqlite3 --json | jq -r .aside: where the one before it is kept",
    )(restore)
    verb(
        db,
        "check",
        "db check: is the journal sound, by its engine and by its audit trail",
        "db check --json | jq -r .problem: for a script",
    )(check)
    verb(
        db,
        "migrate-to-postgres",
        "db migrate-to-postgres: move the journal's file to database.url, with everything stopped",
        "db migrate-to-postgres --from old/lockstep-live.sqlite3: another file than the mode's",
    )(migrate_to_postgres)


def upgrade(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Bring the journal to the newest schema; every process does so as it starts.

    A file is copied beside itself before; PostgreSQL undoes an upgrade that fails. Exit code 3
    where a newer program has written it.
    """
    from app.operating import database

    with in_steps(2) as steps:
        told = run(database.upgrade(load(config), steps))
    if told.before == told.after:
        emit(told, as_json, f"{told.path}: schema {told.after} already, nothing was changed")
        return
    kept = f"; what it was is in {told.copied_to}" if told.copied_to else ""
    emit(told, as_json, f"{told.path}: schema {told.before} is now {told.after}{kept}")


def backup(target: Target, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Copy the journal while it is in use; a copy by hand would miss what is in its -wal file.

    On PostgreSQL this is pg_dump's custom format. To go on with a copy: `lockstep db restore`.
    """
    from app.operating import database

    with in_steps(2) as steps:
        told = run(database.copy_to(load(config), target, steps))
    emit(told, as_json, f"{told.path}: {told.bytes} bytes")


def restore(source: Backup, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Put a backup in the journal's place, with everything stopped; what was there is kept.

    No entry leaves until an executor has read both venues and a person has said
    `lockstep confirm-restore`: a backup does not know what was sent after it was made.
    """
    from app.operating import restoring

    with in_steps(3) as steps:
        told = restoring.restore(load(config), source, steps)
    before = f"; what was there is in {told.aside}" if told.aside else ""
    emit(
        told,
        as_json,
        f"{told.path}: as in {told.copied_from}{before}. Entries are halted: start `lockstep run`, "
        "let it read both venues, then `lockstep confirm-restore`",
    )


def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Tell whether the journal is sound: by its engine's own check, its version, its audit trail.

    It is brought to this version's schema first, as by every start. Exit code 3 where the database
    must not be used, 1 where the trail is broken.
    """
    from app.operating import checking

    with in_steps(3) as steps:
        told = run(checking.check(load(config), steps))
    sound = told.problem or f"sound, version {told.version}, {told.audit_rows} rows of audit"
    emit(told, as_json, f"{told.path}: {sound}")
    if told.problem is not None:
        raise typer.Exit(ExitCode.FAILURE)


def migrate_to_postgres(
    source: Source = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Move the journal from its file to the PostgreSQL database of database.url.

    Everything must be stopped. Each table is compared by its rows and their digest before the
    server keeps anything; then the file is closed for good. Cut off at any moment: run it again.
    """
    from app.operating.moving import move_to_postgres

    configured = load(config)
    with working("moving the journal") as status:

        def told(table: str, done: int, total: int) -> None:
            status.update(f"{table}: {done} of {total} rows")
            if done == total and not status.console.is_terminal:
                say(f"{table}: {total} rows")

        moved = move_to_postgres(configured, source, told)
    if moved.already:
        emit(moved, as_json, f"{moved.path}: moved to {moved.to} before, nothing was changed")
        return
    rows = sum(one.rows for one in moved.tables)
    same = f"{rows} rows of {len(moved.tables)} tables, each with the digest of the file's"
    emit(moved, as_json, f"{moved.path}: moved to {moved.to}: {same}. The file is closed for good")
