"""A clock and the journal: what a command needs of a system without being an executor.

Apart from `app.wiring`, which brings both venues' signing along: that alone takes half a second.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.config import Config
from app.errors import ConfigError, DependencyError, OlderJournalError
from store.backend import backend
from store.errors import (
    DatabaseDamaged,
    ForeignDatabase,
    JournalBusy,
    SchemaTooNew,
    SchemaTooOld,
    UnfitDatabase,
)
from store.journal import Journal


def wall_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def open_journal(config: Config, *, upgrading: bool = True) -> Journal:
    """The mode's database, checked and upgraded; ConfigError where it must not be used,
    DependencyError where it does not answer. Without `upgrading` OlderJournalError where it is of
    an older version: for whoever only looks, beside processes that may be of that one."""
    with database_trouble():
        first = config.settings.first()
        return Journal.open(config.journal, wall_ms(), first, upgrading=upgrading)


def journal_exists(config: Config) -> bool:
    """Whether anything was ever journaled in this mode; DependencyError where nobody answers."""
    with database_trouble():
        return backend(config.journal).exists()


@contextmanager
def database_trouble() -> Iterator[None]:
    """A database that must not be used is a ConfigError, one that does not answer a
    DependencyError."""
    try:
        yield
    except (DatabaseDamaged, ForeignDatabase, SchemaTooNew, UnfitDatabase) as problem:
        raise ConfigError(f"database: {problem}") from None
    except SchemaTooOld as problem:
        raise OlderJournalError(f"database: {problem}") from None
    except JournalBusy as problem:
        raise DependencyError(f"database: {problem}") from None
