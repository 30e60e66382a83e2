"""Where a test's journal is: in the file it names, or in a schema of its own on PostgreSQL.

With TEST_POSTGRES_URL set (`make test-postgres`) every path stands for a schema named after it, in
each process alike.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from store.place import Place, SchemaAddress
from tests.support.driver import sqlite3
from tests.support.postgres import VARIABLE

REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError, IntegrityError)
"""What either engine raises for a row that breaks a rule."""


def place(path: Path) -> Place:
    """The file, or the schema that stands for it."""
    url = os.environ.get(VARIABLE)
    return path if url is None else SchemaAddress(url, schema_of(path))


def told(where: Place) -> dict[str, str]:
    """The variables by which a process of ours finds that place; none for a file, which is where
    its data directory says."""
    if not isinstance(where, SchemaAddress):
        return {}
    return {
        "LOCKSTEP_DATABASE__URL": where.url,
        "LOCKSTEP_DATABASE__SCHEMA_NAME": where.schema,
    }


def schema_of(path: Path) -> str:
    """A name that only this path has."""
    return f"t_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"


def plain(where: Place) -> Any:
    """A connection past our code: `execute`, `commit` and `close` are the same on both."""
    if isinstance(where, SchemaAddress):
        return psycopg.connect(where.url, options=f"-c search_path={where.schema}")
    return sqlite3.connect(where)


def snapshot(where: Place, *tables: str) -> dict[str, list[Mapping[str, Any]]]:
    """All rows of these tables, in one consistent reading of a journal that is there."""
    connection = _reading(where)
    try:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for table in tables:
            cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - ours
            names = [column[0] for column in cursor.description]
            found[table] = [dict(zip(names, row, strict=True)) for row in cursor]
        return found
    finally:
        connection.close()


def ask(where: Place, query: str, **given: object) -> list[tuple[Any, ...]]:
    """The rows of a question in plain SQL, its parameters written as `:name`."""
    connection = _reading(where)
    try:
        if isinstance(where, SchemaAddress):
            query = re.sub(r":(\w+)", r"%(\1)s", query.replace("%", "%%"))
        return [tuple(row) for row in connection.execute(query, given).fetchall()]
    finally:
        connection.close()


def _reading(where: Place) -> Any:
    if isinstance(where, SchemaAddress):
        connection = plain(where)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return connection
    opened = sqlite3.connect(f"file:{where}?mode=ro", uri=True, isolation_level=None)
    opened.execute("BEGIN")
    return opened


FILES = pytest.mark.skipif(VARIABLE in os.environ, reason="about the file of a journal")


def folder_of(where: Place) -> Path:
    """Where what belongs to the journal is kept: beside its file, or in a folder of its name."""
    if isinstance(where, Path):
        return where.parent
    folder = Path(tempfile.gettempdir()) / where.schema
    folder.mkdir(exist_ok=True)
    return folder


def file_of(where: Place) -> Path:
    """The file of a journal that is one."""
    assert isinstance(where, Path), f"expected a file, found {where}"
    return where
