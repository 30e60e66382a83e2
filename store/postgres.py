"""The journal in a schema of a PostgreSQL database: its connections, its lock and its checks.

One writer at a time, as with a file: every writing transaction first takes one advisory lock of
the schema, so that what the gate reads cannot change before it writes, whichever process asks.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import Loader
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from store.errors import JournalBusy, JournalFailing, Overtaken, UnfitDatabase
from store.place import SchemaAddress

BUSY_MS = 5_000
READERS = 4
UNTIMED = {"statement_timeout": 0, "idle_session_timeout": 0}
"""What the role or its database was given would end an upgrade, or a gate that waits."""
CONNECT_S = 5
IDLE_MS = 4_000
"""How long a process may stand still within a transaction before the server ends it: the lock of
one that was paused is free again before those who wait for it give up."""
SILENT_S = 8
"""How long a server that was asked may say nothing at all; longer than it waits for a lock."""
GONE_MS = 5_000
TCP: dict[str, Any] = {
    "tcp_user_timeout": GONE_MS,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
"""A host that vanished acknowledges nothing: what was sent to it, nor the probes that follow once
it had acknowledged all of it. What acknowledges and never answers is found by SILENT_S."""
OLDEST = 140_000
LOCKS = 0x10C4
"""The first key of our advisory locks; the second is the schema's."""
RV = TypeVar("RV")
_OVERTAKEN = {"40001", "40P01"}
_LOCKED = {"55P03"}
_CANCELLED = "57014"
"""A person or a watchdog of the server did it; ours sets no time for a statement."""
_READ_ONLY = "25006"
_FAILING = {_READ_ONLY, "58030"}
"""Only to be read, as a managed server with a full disk or one that was demoted, and io_error; all
of class 53 (no disk, no memory) but _GONE's "too many connections" is the same to us."""
_GONE = {"25P03", "25P04", "53300", "57P01", "57P02", "57P03", "57P05"}
_FIT = """
    SELECT current_setting('server_version_num')::int, current_setting('server_version'),
        current_setting('server_encoding'), current_setting('fsync'),
        current_setting('full_page_writes'), pg_is_in_recovery()
"""


class _Whole(Loader):
    """A sum of 64-bit integers comes as numeric; every number of the journal is whole."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


class _Text(StrDumperUnknown):
    """PostgreSQL's text holds no NUL; what a venue sends may."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Session(psycopg.Connection[Any]):
    """A connection that is given up once the server has said nothing for SILENT_S."""

    of: "Postgres"

    def wait(self, gen: PQGen[RV], *args: Any, **kwargs: Any) -> RV:
        """As psycopg's; OperationalError where the server was silent, and it is closed then."""
        return super().wait(self._heard(gen), *args, **kwargs)

    def _heard(self, gen: PQGen[RV]) -> PQGen[RV]:
        """What `gen` waits for, for as long as the server says anything. What it had begun may
        still be kept there, as when a connection breaks."""
        since = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                # Nothing is ready a few times a second, so that whoever waits can look around.
                ready = yield wanted
                if ready:
                    since = time.monotonic()
                elif self.of.hurried and time.monotonic() - since > SILENT_S:
                    self.close()
                    raise psycopg.OperationalError(f"it said nothing for {SILENT_S} s")
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: RV = ended.value
            return result


class Postgres:
    """The engine of `store.backend` for a schema."""

    readers = READERS

    def __init__(self, address: SchemaAddress) -> None:
        self._address = address
        self.hurried = True
        self._url = make_url(address.url).set(drivername="postgresql+psycopg")

    def writer(self) -> Engine:
        """One connection; each transaction waits for the schema's lock."""
        settings = {
            "lock_timeout": BUSY_MS,
            "idle_in_transaction_session_timeout": IDLE_MS,
            "synchronous_commit": "on",
        }
        engine = self._engine("writer", 1, settings)
        lock = self._lock()

        @event.listens_for(engine, "begin")
        def start(connection: Any) -> None:
            connection.exec_driver_sql(lock)

        return engine

    def reader(self) -> Engine:
        """Read-only connections; REPEATABLE READ shows a transaction one state."""
        settings = {
            "default_transaction_read_only": "on",
            "default_transaction_isolation": "repeatable\\ read",
        }
        return self._engine("reader", READERS, settings)

    def exists(self) -> bool:
        """Whether the schema has a journal."""
        with self.naming_trouble(), self._plain() as connection:
            name = f'"{self._address.schema}".alembic_version'
            found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
        return found is not None and found[0] is not None

    def prepare(self) -> None:
        """Make the schema. The database itself is made by whoever runs the server."""
        schema = self._address.schema
        with self.naming_trouble(), self._plain() as connection:
            known = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
            if connection.execute(known, (schema,)).fetchone():
                return
            connection.execute(self._lock())
            make = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
            try:
                connection.execute(make)
            except psycopg.errors.InsufficientPrivilege:
                user, database = connection.info.user, connection.info.dbname
                raise UnfitDatabase(
                    f"{self._address}: {user} may not make the schema. Run as the database's "
                    f"owner: GRANT CREATE ON DATABASE {database} TO {user}"
                ) from None

    def check(self, reader: Engine) -> None:
        """The server must keep what it has committed, and be the primary: JournalBusy while it is
        not, as in a failover."""
        with self.naming_trouble(), reader.connect() as connection:
            row = connection.exec_driver_sql(_FIT).one()
        number, version, encoding, fsync, full_pages, standby = row
        if standby:
            raise JournalBusy(
                f"{self._address}: expected the primary server, found a standby that cannot be "
                "written. Wait for it to be promoted, or correct database.url"
            )
        wrong = None
        if number < OLDEST:
            wrong = f"expected PostgreSQL 14 or newer, found {version}"
        elif encoding != "UTF8":
            wrong = (
                f"expected a database encoded in UTF8, found {encoding}. Make another one: "
                "CREATE DATABASE lockstep ENCODING 'UTF8' TEMPLATE template0"
            )
        elif "off" in (fsync, full_pages):
            wrong = (
                f"expected fsync and full_page_writes on, found {fsync} and {full_pages}: a power "
                "cut would lose orders that are at the venues. Set both on in postgresql.conf"
            )
        if wrong is not None:
            raise UnfitDatabase(f"{self._address}: {wrong}")

    def adopt(self, writer: Engine) -> None:
        """Nothing: every session is told what it needs."""

    def keep(self, writer: Engine, version: str) -> None:
        """Nothing: an upgrade that fails is undone as a whole, tables included."""

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Statements that change whole tables may take longer than SILENT_S."""
        self.hurried = False
        try:
            yield
        finally:
            self.hurried = True

    def put_aside(self, folder: Path) -> None:  # noqa: ARG002 - it stays on the server
        """The schema is renamed to `<schema>_previous`."""
        ours = sql.Identifier(self._address.schema)
        aside = sql.Identifier(f"{self._address.schema}_previous")
        with self.naming_trouble(), self._plain() as connection:
            connection.execute(self._lock())
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(aside))
            connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(ours, aside))

    def put_in_place(self, ready: str, aside: str | None, alone: Callable[[], None]) -> None:
        """The schema `ready` becomes this one; what is here becomes `aside`. Both, or neither:
        that where `alone`, asked while nobody can write to what is here, raises."""
        ours = self._address.schema
        rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
        with self.naming_trouble(), self._plain() as connection:
            connection.execute(self._lock())
            if aside is not None:
                alone()
            for old, new in ((ours, aside), (ready, ours)):
                if new is not None:
                    connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))

    def drop(self) -> None:
        """Remove the schema, if it is there, with all that is in it."""
        ours = sql.Identifier(self._address.schema)
        with self.naming_trouble(), self._plain() as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(ours))

    @contextmanager
    def naming_trouble(self) -> Iterator[None]:
        """Turn a lock that is kept too long, or a server that is away, into JournalBusy, and a disk
        of the server that is full or fails into JournalFailing."""
        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            trouble = self._trouble(error)
            if trouble is None:
                raise
            raise trouble from error

    def _trouble(self, error: DBAPIError | psycopg.Error) -> JournalBusy | None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, psycopg.Error):
            return None
        state = cause.sqlstate or ""
        if state in _OVERTAKEN:
            return Overtaken(f"{self._address}: {_words(cause)}")
        if state in _LOCKED:
            return JournalBusy(f"{self._address} stayed locked by another process for {BUSY_MS} ms")
        if state == _CANCELLED:
            return JournalBusy(f"{self._address}: the server gave it up ({_words(cause)})")
        if state in _FAILING or (state[:2] == "53" and state not in _GONE):
            return JournalFailing(f"{self._address} was not written: {_words(cause)}")
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        # A connection that was never made, or broke, has no SQLSTATE.
        lost = lost or (not state and isinstance(cause, psycopg.OperationalError))
        if lost or state in _GONE or state[:2] in ("08", "28", "3D"):
            return JournalBusy(
                f"{self._address} does not answer: {_words(cause)}. Start the server, or correct "
                "database.url"
            )
        return None

    def _engine(self, role: str, connections: int, settings: dict[str, Any]) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            connect_args=self._arguments(role, settings),
        )

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: Any, _record: Any, _args: Any, told: dict[str, Any]) -> _Session:
            return self._session(**told)

        @event.listens_for(engine, "handle_error")
        def let_go(context: Any) -> None:
            # The address may lead to another server by now.
            if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
                context.is_disconnect = True

        @event.listens_for(engine, "connect")
        def prepare(raw: Any, _record: Any) -> None:
            raw.adapters.register_loader("numeric", _Whole)
            raw.adapters.register_dumper(str, _Text)

        return engine

    def _arguments(self, role: str, settings: dict[str, Any]) -> dict[str, Any]:
        ours = {
            "search_path": f'"{self._address.schema}"',
            "TimeZone": "UTC",
            **UNTIMED,
            **settings,
        }
        theirs = str(self._url.query.get("options", ""))
        return {
            "options": f"{theirs} {_options(ours)}".strip(),
            "application_name": f"lockstep-{role}",
            "client_encoding": "utf8",
        }

    def _plain(self) -> _Session:
        told = _options({"lock_timeout": BUSY_MS, **UNTIMED})
        return self._session(libpq(self._url), options=told)

    def _session(self, address: str = "", **told: Any) -> _Session:
        session = _Session.connect(address, connect_timeout=CONNECT_S, **TCP, **told)
        session.of = self
        return session

    def _lock(self) -> str:
        """What takes the schema's write lock until the transaction ends."""
        key = zlib.crc32(self._address.schema.encode()) - (1 << 31)
        return f"SELECT pg_advisory_xact_lock({LOCKS}, {key})"


def _options(settings: Mapping[str, object]) -> str:
    """Settings of a session as its start takes them."""
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def libpq(url: URL) -> str:
    """The address as PostgreSQL's own programs take it, password included; they want a space of
    it encoded, which SQLAlchemy leaves as it is."""
    written = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return written.replace(" ", "%20")


def _words(error: psycopg.Error) -> str:
    """What was said, in one line; of several addresses that were tried, the last one's."""
    if error.diag.message_primary:
        return error.diag.message_primary
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
