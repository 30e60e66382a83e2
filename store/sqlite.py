"""The journal in a SQLite file: its connections, its lock, its checks and its copies."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from store.driver import sqlite
from store.errors import DatabaseDamaged, JournalBusy, JournalFailing
from store.failpoints import Point, hit

BUSY_MS = 5_000
READERS = 4
# Below this version two connections that write and checkpoint at once may corrupt a WAL file.
WAL_SAFE = (3, 51, 3)


class Sqlite:
    """The engine of `store.backend` for a file."""

    readers = READERS

    def __init__(self, path: Path) -> None:
        self._path = path

    def writer(self) -> Engine:
        """One connection; BEGIN IMMEDIATE takes the file's only write lock."""
        return writer_engine(self._path)

    def reader(self) -> Engine:
        """Connections under `query_only`."""
        return reader_engine(self._path)

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._path.exists()

    def prepare(self) -> None:
        """Make the folder; the file comes with the first connection."""
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def check(self, reader: Engine) -> None:
        """SQLite's own check of the file."""
        check_sound(reader, self._path)

    def adopt(self, writer: Engine) -> None:
        """Choose the journal of transactions."""
        use_journal(writer)

    def keep(self, writer: Engine, version: str) -> None:
        """A copy beside the file, `<name>.schema-<version>`."""
        backup(writer, self._path.with_name(f"{self._path.name}.schema-{version}"))
        hit(Point.MIGRATION, "copied")

    def unhurried(self) -> AbstractContextManager[None]:
        """Nothing: a file is always waited for."""
        return nullcontext()

    def put_aside(self, folder: Path) -> None:
        """The file and what SQLite keeps beside it go to the folder."""
        folder.mkdir(exist_ok=True)
        for part in self._path.parent.glob(self._path.name + "*"):
            part.replace(folder / part.name)

    @contextmanager
    def naming_trouble(self) -> Iterator[None]:
        """A lock that another process keeps too long is JournalBusy, a disk that is full or does
        not write JournalFailing."""
        try:
            yield
        except OperationalError as error:
            if _is_busy(error):
                raise JournalBusy(_busy_message(self._path)) from error
            if _code(error) in (sqlite.SQLITE_FULL, sqlite.SQLITE_IOERR):
                raise JournalFailing(f"{self._path} was not written: {error.orig}") from error
            raise


def journal_mode(version: tuple[int, ...] = sqlite.sqlite_version_info) -> str:
    """The journal of transactions: "wal" where this SQLite keeps one sound, else "persist", the
    rollback journal that commits fastest (its header is overwritten, the file stays)."""
    return "wal" if version >= WAL_SAFE else "persist"


def writer_engine(path: Path) -> Engine:
    """The one connection that writes. Every transaction takes the write lock at its start, so
    that what it reads cannot change before it writes."""
    return _engine(path, begin="BEGIN IMMEDIATE", connections=1, read_only=False)


def reader_engine(path: Path) -> Engine:
    """Connections that cannot write; each transaction sees one state of the database."""
    return _engine(path, begin="BEGIN", connections=READERS, read_only=True)


def _engine(path: Path, *, begin: str, connections: int, read_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        module=sqlite,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_MS // 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in _pragmas(read_only):
            raw.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _pragmas(read_only: bool) -> list[str]:
    common = [
        f"PRAGMA busy_timeout = {BUSY_MS}",
        "PRAGMA foreign_keys = ON",
        "PRAGMA mmap_size = 0",
    ]
    if read_only:
        return [*common, "PRAGMA query_only = ON"]
    return [*common, "PRAGMA synchronous = FULL"]


def use_journal(engine: Engine) -> None:
    """Have the file keep the journal of `journal_mode`. This writes to a file in another mode: ask
    only once the file is known to be ours. One that others have open stays in its mode, which is
    as sound and slower; the next start changes it."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute(f"PRAGMA journal_mode = {journal_mode()}")
    except sqlite.OperationalError as error:
        if not _is_busy(error):
            raise
    finally:
        raw.close()


def check_sound(engine: Engine, path: Path) -> None:
    """Raise DatabaseDamaged unless the file passes SQLite's own check."""
    try:
        with Sqlite(path).naming_trouble(), engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except OperationalError:
        raise
    except DatabaseError as error:
        raise DatabaseDamaged(_damaged_message(path, str(error.orig))) from error
    if found != "ok":
        raise DatabaseDamaged(_damaged_message(path, str(found)))


def backup(engine: Engine, target: Path) -> None:
    """Copy the whole database to `target` while others may use it; an existing copy stays."""
    if target.exists():
        return
    partial = target.with_suffix(target.suffix + ".partial")
    partial.unlink(missing_ok=True)
    raw = engine.raw_connection()
    try:
        source = raw.driver_connection
        assert isinstance(source, sqlite.Connection), "the online copy is SQLite's own"
        copy = sqlite.connect(partial)
        try:
            hit(Point.BACKUP, "begun")
            source.backup(copy)
        finally:
            copy.close()
    finally:
        raw.close()
    hit(Point.BACKUP, "copied")
    partial.replace(target)


def _is_busy(error: OperationalError | sqlite.OperationalError) -> bool:
    return _code(error) in (sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED)


def _code(error: OperationalError | sqlite.OperationalError) -> int:
    """SQLite's primary result code; 0 where it gave none."""
    cause = error.orig if isinstance(error, OperationalError) else error
    return int(getattr(cause, "sqlite_errorcode", 0)) & 0xFF


def _busy_message(path: Path) -> str:
    return f"{path} stayed locked by another process for {BUSY_MS} ms"


def _damaged_message(path: Path, found: str) -> str:
    return (
        f"{path} is not a sound database (found: {found}). Stop every lockstep process, put the "
        f"newest backup in its place by `lockstep db restore FILE`, which keeps this one, and "
        f"start again: positions are compared with both venues before anything is traded."
    )
