"""The SQLite for tests that open the journal themselves: the product's, chosen without its code.

Two libraries on one file in one process would close each other's locks.
"""

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING or importlib.util.find_spec("pysqlite3") is None:
    import sqlite3
else:
    from pysqlite3 import dbapi2 as sqlite3

__all__ = ("sqlite3",)
