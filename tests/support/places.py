"""Where a test's journal is: in the file it names, or in a schema of its own on PostgreSQL.

With TEST_POSTGRES_URL set (`make test-postgres`) every path stands for a schema named after it, in
each process alike.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.exc import IntegrityError

from store.engine import Database
from store.place import Place, SchemaAddress
from tests.support.driver import sqlite3
from tests.support.postgres import VARIABLE

REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError, IntegrityError)
"""What either engine raises for a row that breaks a rule."""


def place(path: Path) -> Place:
    """The file, or the schema that stands for it."""
    url = os.environ.get(VARIABLE)
    return path if url is None else SchemaAddress(url, schema_of(path))


def schema_of(path: Path) -> str:
    """A name that only this path has."""
    return f"t_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"


def plain(where: Place) -> Any:
    """A connection past our code: `execute`, `commit` and `close` are the same on both."""
    if isinstance(where, SchemaAddress):
        return psycopg.connect(where.url, options=f"-c search_path={where.schema}")
    return sqlite3.connect(where)


def file_of(database: Database) -> Path:
    """The file of a journal that is one."""
    assert isinstance(database.place, Path), f"expected a file, found {database.place}"
    return database.place
