"""Which version of the schema a database has, and the way to the newest one.

Alembic takes a quarter of a second to import, longer than most commands take to answer: only who
changes a schema does.
"""

import re
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from store.backend import Backend
from store.engine import Database
from store.errors import ForeignDatabase, JournalMoved, SchemaTooNew, SchemaTooOld
from store.failpoints import Point, hit

SCRIPTS = Path(__file__).parent / "migrations"
MOVED = "moved_to"
"""The fact of an installation that says where its journal went."""


def newest() -> str:
    """The version that this program writes, such as "0001"."""
    steps = (SCRIPTS / "versions").glob("v[0-9][0-9][0-9][0-9]_*.py")
    return max(step.name[1:5] for step in steps)


def version(connection: Connection) -> str | None:
    """The version of a database of ours, None where it is empty; else ForeignDatabase."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    if not {"alembic_version", "installation"} <= names:
        found = ", ".join(sorted(names)[:5])
        raise ForeignDatabase(f"expected an empty database or lockstep's journal, found {found}")
    product = connection.execute(text("SELECT value FROM installation WHERE key = 'product'"))
    if (owner := product.scalar()) != "lockstep":
        raise ForeignDatabase(f"expected the journal of lockstep, found that of {owner!r}")
    moved = text("SELECT value FROM installation WHERE key = :key")
    if (to := connection.execute(moved, {"key": MOVED}).scalar()) is not None:
        raise JournalMoved(str(to))
    stamped = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stamped is None or not re.fullmatch(r"\d{4}", str(stamped)):
        raise ForeignDatabase(f"expected a schema version such as {newest()}, found {stamped!r}")
    return str(stamped)


def upgrade(database: Database) -> str:
    """Bring the database to the newest version in one transaction and return that version.

    What it was is kept first, by `Backend.keep`. A newer one raises SchemaTooNew, one that is not
    ours ForeignDatabase; both stay as they are.
    """
    with database.backend.naming_trouble():
        return _upgrade(database.backend, database.writer)


def require_newest(database: Database) -> None:
    """Raise SchemaTooOld, or as `upgrade` does, unless the database has the newest version. It
    stays as it is: processes of the older version may be at work on it, and would not start again
    upon a newer schema."""
    with database.backend.naming_trouble(), database.reader.connect() as connection:
        found = version(connection)
    _refuse_newer(found)
    if found != newest():
        there = "no schema" if found is None else f"schema {found}"
        raise SchemaTooOld(
            f"the database has {there}, this program wants {newest()}: "
            "`lockstep db upgrade` brings it there, as every start of this version does. What runs "
            "of an older version goes on then, and does not start again; until then ask that one"
        )


def _upgrade(backend: Backend, engine: Engine) -> str:
    with engine.connect() as connection:
        found = version(connection)
    _refuse_newer(found)
    backend.adopt(engine)
    head = newest()
    if found == head:
        return head
    if found is not None:
        backend.keep(engine, found)
    with backend.unhurried(), engine.begin() as connection:
        # Another process may have upgraded it while this one waited for the write lock.
        found = version(connection)
        _refuse_newer(found)
        if found != head:
            make(connection)
    return head


def make(connection: Connection) -> None:
    """Every step from what the database is to the newest version, within the transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    hit(Point.MIGRATION, "begun")
    command.upgrade(config, "head")
    hit(Point.MIGRATION, "written")


def _refuse_newer(found: str | None) -> None:
    if found is not None and int(found) > int(newest()):
        raise SchemaTooNew(
            f"the database has schema {found}, this program knows {newest()}: "
            f"use the newer program, or put back a backup made before it was upgraded"
        )
