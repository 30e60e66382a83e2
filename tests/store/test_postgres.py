"""The journal on a real PostgreSQL server: made, refused, locked, fenced, and cut off."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import InternalError
from sqlmodel import Session

from domain.order import NotFilled, Rejection
from store import schema
from store.backend import backend
from store.engine import ATTEMPTS, Database
from store.errors import (
    ForeignDatabase,
    JournalBusy,
    Overtaken,
    SchemaTooNew,
    UnfitDatabase,
)
from store.journal import Journal
from store.place import SchemaAddress
from store.tables import Base
from tests.store.builders import NOW, a_request, admitted, ready_at
from tests.store.test_schema import READING_COLUMNS
from tests.support.places import plain
from tests.support.postgres import throwaway

pytestmark = pytest.mark.postgres
ROLE = "CREATE ROLE {name} LOGIN PASSWORD 'guessed' {more}"


@pytest.fixture
def where(postgres_url: str, request: pytest.FixtureRequest) -> SchemaAddress:
    """A schema that only this test has."""
    return SchemaAddress(postgres_url, f"own_{abs(hash(request.node.nodeid))}")


@pytest.fixture
def admin(postgres_url: str) -> "Iterator[psycopg.Connection[Any]]":
    """Somebody who may do anything at the server."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def with_words(where: SchemaAddress, old: str, new: str) -> SchemaAddress:
    return SchemaAddress(where.url.replace(old, new), where.schema)


def password(where: SchemaAddress) -> str:
    return where.url.split(":")[2].split("@")[0]


class TestSchema:
    def test_an_empty_database_becomes_a_journal_and_opens_again(
        self, where: SchemaAddress
    ) -> None:
        assert not backend(where).exists()
        Journal.open(where, NOW).close()
        assert backend(where).exists()
        Journal.open(where, NOW + 1).close()
        raw = plain(where)
        found = raw.execute("SELECT version_num FROM alembic_version").fetchall()
        raw.close()
        assert found == [(schema.newest(),)]

    def test_the_migrations_make_exactly_the_tables_that_are_mapped(
        self, where: SchemaAddress
    ) -> None:
        Journal.open(where, NOW).close()
        database = Database(where)
        with database.reader.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = compare_metadata(context, Base.metadata)
        database.close()
        assert all(kind == "remove_column" for kind, *_ in differences), differences
        unmapped: dict[str, set[str]] = {}
        for _, _, table, column in differences:
            unmapped.setdefault(table, set()).add(column.name)
        assert unmapped == READING_COLUMNS

    def test_text_is_sorted_as_in_a_file_whatever_the_server_speaks(
        self, where: SchemaAddress
    ) -> None:
        Journal.open(where, NOW).close()
        raw = plain(where)
        assert raw.execute("SELECT 'a' < 'B', 'a' < 'B' COLLATE \"C\"").fetchone() == (True, False)
        sorted_by = raw.execute(
            "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = "
            "current_schema() AND data_type = 'text'"
        ).fetchall()
        raw.close()
        assert sorted_by == [("C",)]

    def test_many_processes_may_make_it_at_once(self, where: SchemaAddress) -> None:
        with ThreadPoolExecutor(6) as pool:
            for journal in pool.map(lambda _: Journal.open(where, NOW), range(6)):
                journal.close()

    def test_an_upgrade_that_fails_half_way_changes_nothing(
        self, where: SchemaAddress, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tests.store.test_schema import HALF_WAY, add_a_version

        Journal.open(where, NOW).close()
        with monkeypatch.context() as patched:
            patched.setattr(schema, "SCRIPTS", add_a_version(tmp_path, HALF_WAY))
            with pytest.raises(RuntimeError, match="power went out"):
                Journal.open(where, NOW)
        raw = plain(where)
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (
            schema.newest(),
        )
        with pytest.raises(psycopg.errors.UndefinedColumn):
            raw.execute("SELECT remark FROM intents")
        raw.close()
        Journal.open(where, NOW).close()

    async def test_nobody_empties_a_table_that_is_never_emptied(self, where: SchemaAddress) -> None:
        (await ready_at(where)).close()
        raw = plain(where)
        with pytest.raises(psycopg.IntegrityError, match="audit rows stay as they are"):
            raw.execute("TRUNCATE audit")
        raw.close()


class TestRefused:
    def test_a_newer_database_with_both_versions(self, where: SchemaAddress) -> None:
        Journal.open(where, NOW).close()
        raw = plain(where)
        raw.execute("UPDATE alembic_version SET version_num = '0099'")
        raw.commit()
        raw.close()
        with pytest.raises(
            SchemaTooNew, match=f"schema 0099, this program knows {schema.newest()}"
        ):
            Journal.open(where, NOW)

    def test_a_schema_of_somebody_else(
        self, where: SchemaAddress, admin: "psycopg.Connection[Any]"
    ) -> None:
        admin.execute(f"CREATE SCHEMA {where.schema}")
        admin.execute(f"CREATE TABLE {where.schema}.customers (id integer)")
        with pytest.raises(ForeignDatabase, match="lockstep's journal, found customers"):
            Journal.open(where, NOW)
        raw = plain(where)
        tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        assert raw.execute(tables, (where.schema,)).fetchall() == [("customers",)]
        raw.close()

    def test_an_encoding_that_holds_not_every_word(
        self, where: SchemaAddress, admin: "psycopg.Connection[Any]"
    ) -> None:
        admin.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc "
            "TEMPLATE template0"
        )
        with pytest.raises(UnfitDatabase, match="encoded in UTF8, found LATIN1"):
            Journal.open(with_words(where, "/postgres", "/latin"), NOW)

    def test_a_server_that_forgets_at_a_power_cut(self, where: SchemaAddress) -> None:
        with throwaway() as careless:
            careless.stop()
            with (careless.folder / "data" / "postgresql.auto.conf").open("a") as file:
                file.write("fsync = off\n")
            careless.start()
            with pytest.raises(UnfitDatabase, match="a power cut would lose orders"):
                Journal.open(SchemaAddress(careless.url, where.schema), NOW)

    def test_a_role_that_may_not_make_the_schema(
        self, where: SchemaAddress, admin: "psycopg.Connection[Any]"
    ) -> None:
        admin.execute(ROLE.format(name="guest", more=""))
        guest = with_words(where, f"lockstep:{password(where)}", "guest:guessed")
        with pytest.raises(UnfitDatabase, match="GRANT CREATE ON DATABASE postgres TO guest"):
            Journal.open(guest, NOW)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("lockstep:", "lockstep:no", "password authentication failed"),
            ("/postgres", "/nowhere", 'database "nowhere" does not exist'),
            ("127.0.0.1:", "127.0.0.1:1", "does not answer"),
        ],
    )
    def test_a_server_that_does_not_let_us_in_and_no_password_is_told(
        self, where: SchemaAddress, old: str, new: str, said: str
    ) -> None:
        elsewhere = with_words(where, old, new) if old != "127.0.0.1:" else port_of(where, 1)
        with pytest.raises(JournalBusy, match=said) as told:
            Journal.open(elsewhere, NOW)
        assert "correct database.url" in str(told.value)
        assert password(where) not in str(told.value)
        assert password(where) not in repr(elsewhere)


def port_of(where: SchemaAddress, port: int) -> SchemaAddress:
    head, tail = where.url.rsplit(":", 1)
    return SchemaAddress(f"{head}:{port}/{tail.split('/')[1]}", where.schema)


class TestLock:
    async def test_a_reader_cannot_write(self, where: SchemaAddress) -> None:
        journal = await ready_at(where)
        with (
            journal.database.reader.connect() as connection,
            pytest.raises(InternalError, match="read-only transaction"),
        ):
            connection.exec_driver_sql("UPDATE run_state SET halted = 0")
        journal.close()

    async def test_a_reader_sees_one_state_while_others_write(self, where: SchemaAddress) -> None:
        journal = await ready_at(where)
        other = Journal.open(where, NOW)
        epoch = text("SELECT epoch FROM run_state")

        def look(session: Session) -> list[int]:
            before = session.connection().execute(epoch).scalar_one()
            other.database.write_here(
                lambda s: s.connection().execute(text("UPDATE run_state SET epoch = epoch + 1"))
            )
            return [before, session.connection().execute(epoch).scalar_one()]

        before, again = await journal.read(look)
        assert before == again
        assert (await journal.run_state()).epoch == before + 1
        journal.close()
        other.close()

    async def test_a_lock_held_by_somebody_else_is_reported_as_busy(
        self, where: SchemaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.postgres.BUSY_MS", 100)
        journal = await ready_at(where)
        other = Journal.open(where, NOW)
        release, begun = threading.Event(), threading.Event()

        def hold(session: Session) -> None:
            session.connection()
            begun.set()
            release.wait(timeout=30)

        holder = asyncio.create_task(other.write(NOW, hold))
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(JournalBusy, match="stayed locked by another process for 100 ms"):
            await journal.reserve(a_request())
        release.set()
        await holder
        await admitted(journal)
        journal.close()
        other.close()

    async def test_one_that_stands_still_with_the_lock_loses_it_and_writes_nothing(
        self, where: SchemaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.postgres.IDLE_MS", 2_000)
        paused = await ready_at(where)
        monkeypatch.undo()
        ours = Journal.open(where, NOW)
        release, begun = threading.Event(), threading.Event()

        def stand_still(session: Session) -> None:
            session.connection().execute(text("UPDATE run_state SET epoch = 77"))
            begun.set()
            release.wait(timeout=30)

        standing = asyncio.create_task(paused.write(NOW, stand_still))
        await asyncio.to_thread(begun.wait, 30)
        request = await admitted(ours)
        release.set()
        with pytest.raises(JournalBusy):
            await standing
        assert (await ours.run_state()).epoch != 77
        assert (await paused.arbitrage(request.arb_id)).opportunity == request.opportunity
        ours.close()
        paused.close()

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    async def test_what_the_server_undid_runs_again(self, where: SchemaAddress, state: str) -> None:
        journal = await ready_at(where)
        undo = text(f"DO $$ BEGIN RAISE EXCEPTION 'undone' USING ERRCODE = '{state}'; END $$")
        runs = []

        def work(session: Session) -> int:
            session.connection().execute(text("UPDATE run_state SET epoch = epoch + 10"))
            runs.append(1)
            if len(runs) < ATTEMPTS:
                session.connection().execute(undo)
            return len(runs)

        before = (await journal.run_state()).epoch
        assert await journal.write(NOW, work) == ATTEMPTS
        assert (await journal.run_state()).epoch == before + 10
        with pytest.raises(Overtaken, match="undone"):
            await journal.write(NOW, lambda s: s.connection().execute(undo))
        journal.close()

    async def test_no_statement_is_cut_off_by_what_the_server_gives_the_role(
        self, where: SchemaAddress, admin: "psycopg.Connection[Any]"
    ) -> None:
        admin.execute(ROLE.format(name="hurried", more=""))
        admin.execute("GRANT CREATE ON DATABASE postgres TO hurried")
        for name in ("statement_timeout", "idle_session_timeout"):
            admin.execute(f"ALTER ROLE hurried SET {name} = '50ms'")
        hurried = with_words(where, f"lockstep:{password(where)}", "hurried:guessed")
        holder, slow = Database(hurried), text("SELECT pg_sleep(0.2)")
        with holder.writer.begin():
            making = asyncio.create_task(asyncio.to_thread(Journal.open, hurried, NOW))
            await asyncio.sleep(0.5)
        journal = await making
        holder.close()
        for ask in (journal.read, partial(journal.write, NOW)):
            for _ in range(2):
                await ask(lambda s: s.connection().execute(slow).all())
                await asyncio.sleep(0.2)
        journal.close()

    async def test_a_nul_that_a_venue_sent_does_not_stop_its_record(
        self, where: SchemaAddress
    ) -> None:
        journal = await ready_at(where)
        request = await admitted(journal)
        order = request.orders[0][0]
        refused = NotFilled(Rejection.KILLED, "no\0depth")
        await journal.mark_sent(order.intent_id, NOW + 1)
        stored = await journal.record_answer(order.intent_id, refused, NOW + 2)
        assert (await journal.intent(order.intent_id)).answer == NotFilled(
            Rejection.KILLED, "no\ufffddepth"
        )
        assert stored.answer is not None
        journal.close()
