"""The journal's file: a process dies while it upgrades or copies one. Nothing may be lost by it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from store import schema
from store.engine import Database
from store.sqlite import check_sound
from tests.chaos.cases import Case, Wrong
from tests.chaos.stack import Stack
from tests.support.driver import sqlite3

OLDEST = "0001"


async def die_upgrading(stack: Stack, case: Case) -> bool:
    """An old journal with a row in it, upgraded by a process that dies at the point, then by one
    that lives."""
    path = stack.folder / f"old-{case.part}.sqlite3"
    await asyncio.to_thread(_make_old, path)
    hit = await _dies(case, "open", path)
    if not await _lives("open", path):
        raise Wrong(f"{path.name} cannot be opened after an upgrade that died")
    plain = sqlite3.connect(path)
    try:
        (version,) = plain.execute("SELECT version_num FROM alembic_version").fetchone()
        kept = plain.execute("SELECT value FROM installation WHERE key = 'chaos'").fetchone()
    finally:
        plain.close()
    if (version, kept) != (schema.newest(), ("kept",)):
        raise Wrong(f"{path.name}: expected schema {schema.newest()} and its row, found {version}")
    return hit


async def die_copying(stack: Stack, case: Case) -> bool:
    """The journal that trades is copied by a process that dies at the point, then by one that
    lives. Half a copy is never taken for one."""
    target = stack.folder / f"backup-{case.part}.sqlite3"
    hit = await _dies(case, "copy", stack.database, target)
    if target.exists():
        raise Wrong(f"{target.name} is there, and its process died before it was whole")
    if not await _lives("copy", stack.database, target):
        raise Wrong(f"{target.name} cannot be made after a copy that died")
    await asyncio.to_thread(_check, target)
    return hit


def _make_old(path: Path) -> None:
    database = Database(path)
    try:
        config = Config()
        config.set_main_option("script_location", str(schema.SCRIPTS))
        config.set_main_option("path_separator", "os")
        with database.writer.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, OLDEST)
            connection.exec_driver_sql("INSERT INTO installation VALUES ('chaos', 'kept')")
    finally:
        database.close()


def _check(path: Path) -> None:
    database = Database(path)
    try:
        check_sound(database.reader, path)
        with database.reader.connect() as connection:
            found = schema.version(connection)
        assert found == schema.newest(), f"expected schema {schema.newest()}, found {found}"
    finally:
        database.close()


async def _dies(case: Case, *arguments: object) -> bool:
    return await _run(f"{case.point}/{case.part}:1", arguments) == -signal.SIGKILL


async def _lives(*arguments: object) -> bool:
    return await _run("", arguments) == 0


async def _run(spec: str, arguments: tuple[object, ...]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.opener", *map(str, arguments),
        env={**os.environ, "FP": spec}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait()
