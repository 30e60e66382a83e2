"""What the journal asks of a database engine; `store.sqlite` and `store.postgres` answer."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from store.place import Place, SchemaAddress


class Backend(Protocol):
    """One engine at one place. All of it blocks."""

    @property
    def readers(self) -> int:
        """How many transactions read at once."""

    def writer(self) -> Engine:
        """The one connection of this process that writes. A transaction takes the write lock of
        the whole journal at its start, so that what it reads cannot change before it writes."""

    def reader(self) -> Engine:
        """Connections that cannot write; each transaction sees one state of the journal."""

    def exists(self) -> bool:
        """Whether a journal was ever made there. Nothing is made by asking."""

    def prepare(self) -> None:
        """Make the place that the journal is to be in, where there is none."""

    def check(self, reader: Engine) -> None:
        """Raise DatabaseDamaged, or UnfitDatabase, unless a journal can be trusted to it;
        JournalBusy where that may change by itself."""

    def adopt(self, writer: Engine) -> None:
        """Set what lasts: asked only once the database is known to be ours or empty."""

    def keep(self, writer: Engine, version: str) -> None:
        """Before an upgrade: keep what the database is now, where the engine has no other way
        back from one that fails halfway."""

    def unhurried(self) -> AbstractContextManager[None]:
        """Within it a statement may take as long as it takes, as an upgrade of large tables does;
        else one that is not answered in time is JournalBusy."""

    def put_aside(self, folder: Path) -> None:
        """Make room for a new journal; the old one is kept, in place of one that was put aside
        before. `folder` is where files go. Nobody may have it open."""

    def naming_trouble(self) -> AbstractContextManager[None]:
        """Turn what the engine says of a lock, or of a server that is away, into JournalBusy;
        Overtaken where the transaction was undone and may simply run again."""


def backend(place: Place) -> Backend:
    """The engine for a place. A driver is imported only where it is used."""
    if isinstance(place, SchemaAddress):
        from store.postgres import Postgres

        return Postgres(place)
    from store.sqlite import Sqlite

    return Sqlite(place)
