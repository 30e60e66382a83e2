"""A journal moves from its file to a PostgreSQL server: everything, or nothing.

The file is locked from the first row read to the last. The server gets all of it in one
transaction, which is kept only if every table there has the rows and the digest of the file's. Then
the file is closed for good: it opens for nobody, and nobody can take the lease in it any more.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, select

from store import presence, run_state, schema
from store.audit import Act
from store.codec import detail_json
from store.engine import Database
from store.errors import CannotMove
from store.failpoints import Point, hit
from store.tables import Base, InstallationRow, SenderLeaseRow

ROWS = 1_000
FOREVER_MS = 1 << 62
_MADE = ("reconciliation", "installation")
"""Tables that an empty journal has rows in."""


@dataclass(frozen=True, slots=True)
class TableMoved:
    """How many rows a table has, and the SHA-256 of all of them in the order of their keys."""

    name: str
    rows: int
    digest: str


Told = Callable[[str, int, int], None]
"""Is told a table, how many of its rows are there, and how many there will be."""


def move(
    source: Database, target: Database, act: Act, alive_since_ms: int, told: Told
) -> list[TableMoved]:
    """Move everything and close the file; what is in every table, on both sides. Both databases
    are of the newest schema or, the target, empty. Blocks.

    Raises CannotMove where an executor is at work, or where the target has a journal that is not
    this one. Killed at any moment and asked again it goes on: until the server's transaction is
    kept nothing has happened, after it only the file is left to be closed.
    """
    work = partial(_move, target=target, act=act, alive_since_ms=alive_since_ms, told=told)
    return source.write_here(work)


def _move(
    session: Session, target: Database, act: Act, alive_since_ms: int, told: Told
) -> list[TableMoved]:
    if (living := presence.at_work(session, act.at_ms, alive_since_ms)) is not None:
        raise CannotMove(f"{living}, then move")
    source = session.connection()
    with target.backend.naming_trouble(), target.backend.unhurried():
        moved = _copied(source, target, told)
    hit(Point.MIGRATION, "move", "kept")
    _close(session, target, act)
    hit(Point.MIGRATION, "move", "closed")
    return moved


def _copied(source: sa.Connection, target: Database, told: Told) -> list[TableMoved]:
    with target.writer.begin() as connection:
        # The server ends whoever stands still within a transaction; reading the file may take long.
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        if schema.version(connection) is not None:
            return _same(source, connection, target, told)
        schema.make(connection)
        for name in _MADE:
            connection.execute(Base.metadata.tables[name].delete())
        moved = []
        for table in Base.metadata.sorted_tables:
            read = _copy_table(source, connection, table, told)
            hit(Point.MIGRATION, "move", table.name)
            kept = digest(connection, table)
            if kept != read:
                raise CannotMove(f"{table.name}: the file has {read}, the server got {kept}")
            moved.append(kept)
        hit(Point.MIGRATION, "move", "written")
    return moved


def _same(
    source: sa.Connection, connection: sa.Connection, target: Database, told: Told
) -> list[TableMoved]:
    """An earlier run that was cut off moved everything already, or this is another journal."""
    found = []
    for table in Base.metadata.sorted_tables:
        here, there = digest(source, table), digest(connection, table)
        if here != there:
            raise CannotMove(
                f"{target.place} has a journal already that is not this one ({table.name}: "
                f"{there.rows} rows, the file has {here.rows}). Choose another "
                "database.schema_name, or drop that schema if nothing in it is wanted"
            )
        told(table.name, there.rows, here.rows)
        found.append(there)
    return found


def _copy_table(
    source: sa.Connection, target: sa.Connection, table: sa.Table, told: Told
) -> TableMoved:
    """Write every row; what was read."""
    total = source.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    sums, done = hashlib.sha256(), 0
    for rows in _in_order(source, table).partitions(ROWS):
        target.execute(table.insert(), [row._asdict() for row in rows])
        done += len(rows)
        _add(sums, rows)
        told(table.name, done, total)
    _count_on(source, target, table)
    return TableMoved(table.name, done, sums.hexdigest())


def _count_on(source: sa.Connection, target: sa.Connection, table: sa.Table) -> None:
    """A number that was ever given is not given again."""
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    highest = source.execute(last, {"name": table.name}).scalar()
    if highest:
        set_to = sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
        target.execute(set_to, {"name": table.name, "highest": highest})


def digest(connection: sa.Connection, table: sa.Table) -> TableMoved:
    """The number and the digest of a table's rows, the same on every engine."""
    sums, count = hashlib.sha256(), 0
    for rows in _in_order(connection, table).partitions(ROWS):
        _add(sums, rows)
        count += len(rows)
    return TableMoved(table.name, count, sums.hexdigest())


def _in_order(connection: sa.Connection, table: sa.Table) -> sa.CursorResult[Any]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    return connection.execute(query.execution_options(stream_results=True))


def _add(sums: "hashlib._Hash", rows: Any) -> None:
    for row in rows:
        said = detail_json({name: _known(value) for name, value in row._asdict().items()})
        sums.update(said.encode())
        sums.update(b"\n")


def _known(value: object) -> object:
    """PostgreSQL's text holds no NUL: `store.postgres` writes it as U+FFFD."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _close(session: Session, target: Database, act: Act) -> None:
    """Whoever still has the file open can send nothing by it; nobody opens it again."""
    why = f"moved to {target.place}"
    run_state.halt(session, why, act)
    for row in session.exec(select(SenderLeaseRow)):
        row.holder, row.epoch, row.expires_ms = why, row.epoch + 1, FOREVER_MS
    session.add(InstallationRow(key=schema.MOVED, value=str(target.place)))
    session.flush()
