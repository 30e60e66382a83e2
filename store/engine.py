"""The database file: one writing connection on one thread, a few reading ones, and its checks.

Everything that knows SQLite is here and in the migrations' triggers; the rest is plain SQLAlchemy.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from store.driver import sqlite
from store.errors import DatabaseDamaged, JournalBusy, JournalConflict
from store.failpoints import Point, hit
from store.writing import Turn, WritingThread

T = TypeVar("T")
Work = Callable[[Session], T]

BUSY_MS = 5_000
READERS = 4
# Below this version two connections that write and checkpoint at once may corrupt a WAL file.
WAL_SAFE = (3, 51, 3)


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
        with naming_busy(path), engine.connect() as connection:
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


class Database:
    """One file, opened. `write` and `read` run a function of a Session off the event loop.

    All writes of this process queue for one thread; a write that was begun is finished even if
    the task that asked for it is cancelled.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = writer_engine(path)
        self.reader = reader_engine(path)
        self._writing = WritingThread("journal-write")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="journal-read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction with the write lock held; commit, or roll all back."""
        return await self.on_writer(lambda: self.write_here(work))

    async def on_writer(self, act: Callable[[], T], turn: Turn = Turn.USUAL) -> T:
        """Run `act` on the writing thread, when it is its turn."""
        return await asyncio.wrap_future(self._writing.submit(act, turn))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent state of the database."""
        return await asyncio.wrap_future(self._reading.submit(self.read_here, work))

    def write_here(self, work: Work[T]) -> T:
        """As `write`, on the calling thread."""
        return self._run(self.writer, work)

    def read_here(self, work: Work[T]) -> T:
        """As `read`, on the calling thread."""
        return self._run(self.reader, work)

    def close(self) -> None:
        """Finish what was begun and let go of the file."""
        self._writing.close()
        self._reading.shutdown(wait=True)
        self.writer.dispose()
        self.reader.dispose()

    def _run(self, engine: Engine, work: Work[T]) -> T:
        try:
            with (
                naming_busy(self.path),
                Session(engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                return work(session)
        except IntegrityError as error:
            raise JournalConflict(f"the database refuses it: {error.orig}") from error


@contextmanager
def naming_busy(path: Path) -> Iterator[None]:
    """A lock that another process keeps too long is JournalBusy."""
    try:
        yield
    except OperationalError as error:
        if _is_busy(error):
            raise JournalBusy(_busy_message(path)) from error
        raise


def _is_busy(error: OperationalError | sqlite.OperationalError) -> bool:
    cause = error.orig if isinstance(error, OperationalError) else error
    code = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED)


def _busy_message(path: Path) -> str:
    return f"{path} stayed locked by another process for {BUSY_MS} ms"


def _damaged_message(path: Path, found: str) -> str:
    return (
        f"{path} is not a sound database (found: {found}). Stop every lockstep process, move the "
        f"file aside together with its -journal or -wal file, put the newest backup in its place, "
        f"and start again: positions are compared with both venues before anything is traded."
    )
