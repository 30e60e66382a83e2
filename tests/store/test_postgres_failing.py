"""A PostgreSQL server that fails: its disk, all of it at once, or in silence."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlmodel import Session

from app.config import Config, DatabaseSection
from app.errors import DependencyError
from app.links import open_journal
from domain.venue import Mode
from store import schema
from store.engine import Database
from store.errors import (
    JournalBusy,
    JournalFailing,
)
from store.journal import Journal
from store.place import SchemaAddress
from tests.store.builders import NOW, a_request, admitted, ready_at
from tests.store.test_schema import add_a_version
from tests.support.places import snapshot
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgres
SLOWLY = "    op.execute('SELECT pg_sleep(2)')\n"


@pytest.fixture
def where(postgres_url: str, request: pytest.FixtureRequest) -> SchemaAddress:
    """A schema that only this test has."""
    return SchemaAddress(postgres_url, f"own_{abs(hash(request.node.nodeid))}")


@pytest.mark.parametrize("state", ["53000", "53100", "53200", "53400", "58030"])
async def test_a_disk_of_the_server_that_fails_is_told_and_keeps_nothing(
    where: SchemaAddress, state: str
) -> None:
    journal = await ready_at(where)
    before = await journal.settings.load()

    def fail(session: Session) -> None:
        session.connection().execute(text("UPDATE run_state SET epoch = 77"))
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '{state}'; END $$"
        session.connection().execute(text(raised))

    with pytest.raises(JournalFailing, match="was not written: no space"):
        await journal.write(NOW, fail)
    assert (await journal.run_state()).epoch != 77
    assert await journal.settings.load() == before
    journal.close()


async def test_what_somebody_at_the_server_cancels_may_be_asked_again(where: SchemaAddress) -> None:
    journal = await ready_at(where)
    before = (await journal.run_state()).epoch
    cancelled = "DO $$ BEGIN RAISE EXCEPTION 'by hand' USING ERRCODE = '57014'; END $$"

    def work(session: Session) -> None:
        session.connection().execute(text("UPDATE run_state SET epoch = epoch + 10"))
        session.connection().execute(text(cancelled))

    with pytest.raises(JournalBusy, match="the server gave it up \\(by hand\\)") as told:
        await journal.write(NOW, work)
    assert not isinstance(told.value, JournalFailing)
    assert (await journal.run_state()).epoch == before
    await admitted(journal)
    journal.close()


def as_admin(server: Postgres, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_server_that_has_become_read_only_is_failing_and_gone_on_with(
    own_server: Postgres,
) -> None:
    """A managed server whose disk is nearly full; the sessions that are open see it, too."""
    journal = await ready_at(SchemaAddress(own_server.url, "lockstep_sim"))
    request = await admitted(journal)
    intent = request.orders[0][0].intent_id
    shut = "ALTER SYSTEM SET default_transaction_read_only = on"
    as_admin(own_server, shut, "SELECT pg_reload_conf()")
    await until_begun_with(own_server, "on")
    for _ in range(2):
        with pytest.raises(JournalFailing, match="read-only transaction"):
            await until_read_only(journal, request.arb_id)
    assert (await journal.arbitrage(request.arb_id)).opportunity == request.opportunity
    as_admin(own_server, "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
    await until_begun_with(own_server, "off")
    await journal.mark_sent(intent, NOW + 1)
    journal.close()


async def until_begun_with(server: Postgres, wanted: str) -> None:
    """Until a session that begins now has this `default_transaction_read_only`: that the settings
    were to be read again was a signal, and no more."""
    deadline = time.monotonic() + 30
    while True:
        with psycopg.connect(server.url) as connection:
            found = connection.execute("SHOW default_transaction_read_only").fetchone()
        if found == (wanted,):
            return
        assert time.monotonic() < deadline, f"expected {wanted}, found {found}"
        await asyncio.sleep(0.05)


async def until_read_only(journal: Journal, arb_id: str) -> None:
    """The sessions that were open hear of a setting a moment later."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        await journal.note(arb_id, "seen", {}, NOW)
        await asyncio.sleep(0.05)


async def test_another_server_is_looked_for_where_ours_was_demoted(
    own_server: Postgres,
) -> None:
    """What answers under the address may be another one by now: the session is not kept."""
    journal = await ready_at(SchemaAddress(own_server.url, "lockstep_sim"))

    def pid(session: Session) -> int:
        asked = session.connection().execute(text("SELECT pg_backend_pid()"))
        return int(asked.scalar_one())

    def refused(session: Session) -> None:
        session.connection().execute(text("SET TRANSACTION READ ONLY"))
        session.connection().execute(text("UPDATE run_state SET epoch = 77"))

    before = await journal.write(NOW, pid)
    assert await journal.write(NOW, pid) == before
    with pytest.raises(JournalFailing, match="read-only"):
        await journal.write(NOW, refused)
    assert await journal.write(NOW, pid) != before
    journal.close()


async def test_a_standby_is_waited_for_until_it_is_the_primary(own_server: Postgres) -> None:
    """A start in the midst of a failover is tried again by whoever starts it."""
    where = SchemaAddress(own_server.url, "lockstep_sim")
    (await ready_at(where)).close()
    own_server.stop()
    (own_server.folder / "data" / "standby.signal").touch()
    own_server.start()
    with pytest.raises(JournalBusy, match="a standby that cannot be written"):
        Journal.open(where, NOW)
    config = Config(mode=Mode.SIM, database=DatabaseSection(url=SecretStr(where.url)))
    with pytest.raises(DependencyError, match="a standby"):
        open_journal(config)
    as_admin(own_server, "SELECT pg_promote()")
    Journal.open(where, NOW).close()


async def test_a_server_that_dies_loses_nothing_and_is_gone_on_with(own_server: Postgres) -> None:
    journal = await ready_at(SchemaAddress(own_server.url, "lockstep_sim"))
    request = await admitted(journal)
    own_server.stop(signal.SIGKILL)
    for asked in (journal.run_state(), journal.reserve(a_request())):
        with pytest.raises(JournalBusy, match="does not answer"):
            await asked
    own_server.start()
    assert (await journal.arbitrage(request.arb_id)).opportunity == request.opportunity
    await journal.mark_sent(request.orders[0][0].intent_id, NOW + 1)
    journal.close()


@pytest.mark.parametrize("role", ["writer", "reader"])
def test_a_host_that_is_gone_without_a_word_is_noticed_by_tcp_itself(
    where: SchemaAddress, role: str
) -> None:
    Journal.open(where, NOW).close()
    database = Database(where)
    engine: Engine = getattr(database, role)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as ours:
            told = {
                name: ours.getsockopt(level, getattr(socket, name))
                for level, name in (
                    (socket.SOL_SOCKET, "SO_KEEPALIVE"),
                    (socket.IPPROTO_TCP, "TCP_KEEPIDLE"),
                    (socket.IPPROTO_TCP, "TCP_KEEPINTVL"),
                    (socket.IPPROTO_TCP, "TCP_KEEPCNT"),
                    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT"),
                )
            }
    database.close()
    assert told == {
        "SO_KEEPALIVE": 1,
        "TCP_KEEPIDLE": 2,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 5_000,
    }


@contextmanager
def dead(server: Postgres) -> Iterator[None]:
    """As after a power cut, until the block ends."""
    server.stop(signal.SIGKILL)
    yield
    server.start()


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """Its kernel goes on to acknowledge, and nothing answers."""
    assert server.process is not None
    main = server.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii")
    pids = [main, *(int(pid) for pid in children.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_server_that_answers_nothing_is_given_up_and_found_again(
    own_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postgres.SILENT_S", 1)
    monkeypatch.setattr("store.postgres.CONNECT_S", 1)
    journal = await ready_at(SchemaAddress(own_server.url, "lockstep_sim"))
    request = await admitted(journal)
    intent = request.orders[0][0].intent_id
    with stopped(own_server):
        for _ in range(2):
            for asked in (journal.run_state(), journal.mark_sent(intent, NOW + 1)):
                begun = time.monotonic()
                with pytest.raises(JournalBusy, match="does not answer"):
                    await asyncio.wait_for(asked, 20)
                assert time.monotonic() - begun < 5
    assert (await journal.arbitrage(request.arb_id)).opportunity == request.opportunity
    await journal.mark_sent(intent, NOW + 1)
    journal.close()


async def test_a_long_answer_is_no_silence_and_an_upgrade_may_take_its_time(
    where: SchemaAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("store.postgres.SILENT_S", 1)
    journal = await ready_at(where)
    slowly = text("SELECT n, repeat('x', 9000), pg_sleep(0.5) FROM generate_series(1, 4) AS n")
    assert len(await journal.read(lambda s: s.connection().execute(slowly).all())) == 4
    journal.close()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "SCRIPTS", add_a_version(tmp_path, SLOWLY))
        Journal.open(where, NOW).close()
        (row,) = snapshot(where, "alembic_version")["alembic_version"]
        assert row["version_num"] == schema.newest()
