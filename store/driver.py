"""Which SQLite the journal uses.

A Python carries the SQLite of the day it was built, often one whose write-ahead log is not sound
(below 3.51.3). Where a wheel with a newer one exists it is installed and used; elsewhere the one of
Python serves with a rollback journal, at three flushes a commit in place of one.

A process must use only one of them for a file: file locks belong to a process, and each library
knows only its own, so that the second would close the first one's locks.
"""

import importlib
import sqlite3
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ("newest", "sqlite")


def newest() -> ModuleType:
    """The DB-API module with the newest SQLite: that of a wheel, or Python's own."""
    try:
        wheel = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3
    return max(sqlite3, wheel, key=lambda module: module.sqlite_version_info)


if TYPE_CHECKING:
    import sqlite3 as sqlite
else:
    sqlite = newest()
