"""The database file: made, upgraded, copied first, and refused when it is not ours to touch."""

import shutil
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column
from sqlalchemy.exc import OperationalError

from store import driver, schema
from store.engine import Database
from store.errors import (
    DatabaseDamaged,
    ForeignDatabase,
    JournalBusy,
    SchemaTooNew,
)
from store.journal import Journal
from store.sqlite import backup, journal_mode, use_journal, writer_engine
from store.tables import Base
from tests.store.builders import NOW, a_request, admitted
from tests.store.builders import ready_at as ready
from tests.support.driver import sqlite3

READING_COLUMNS = {
    "executor_settings": {"min_bet", "max_bet", "min_roi", "max_roi", "max_daily_loss"},
    "executor_trades": {"bet_size", "pnl", "roi"},
    "executor_positions": {"poly_price", "kalshi_price", "poly_contracts", "kalshi_contracts"},
}


def test_each_step_has_its_number_in_its_name_and_follows_the_one_before() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    for number, step in enumerate(reversed(steps), start=1):
        before = f"{number - 1:04}" if number > 1 else None
        assert (step.revision, step.down_revision) == (f"{number:04}", before)
        assert Path(step.path).name.startswith(f"v{number:04}_")
    assert steps[0].revision == schema.newest()


def test_an_empty_file_becomes_a_journal_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "journal.db"
    Journal.open(path, NOW).close()
    Journal.open(path, NOW + 1).close()

    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (schema.newest(),)
        ]
    plain.close()


def test_the_migrations_make_exactly_the_tables_that_are_mapped(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.db")
    schema.upgrade(database)
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    database.close()

    assert all(kind == "remove_column" for kind, *_ in differences), differences
    columns: list[tuple[str, Column[object]]] = [(table, c) for _, _, table, c in differences]
    unmapped = {table: {c.name for t, c in columns if t == table} for table, _ in columns}
    assert unmapped == READING_COLUMNS
    assert all(column.computed is not None for _, column in columns)


def test_every_table_is_strict_and_no_stored_column_is_real(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, NOW).close()
    plain = sqlite3.connect(path)
    tables = plain.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND name NOT LIKE 'sqlite%' AND name <> 'alembic_version'"
    ).fetchall()
    assert len(tables) == len(Base.metadata.tables)
    assert all(strict for _, strict in tables)
    for name, _ in tables:
        for column, kind, hidden in plain.execute(
            "SELECT name, type, hidden FROM pragma_table_xinfo(?)", (name,)
        ):
            assert kind in ("INTEGER", "TEXT") or (kind, hidden) == ("REAL", 2), (name, column)
    plain.close()


def test_a_newer_database_is_refused_with_both_versions_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, NOW).close()
    plain = sqlite3.connect(path)
    plain.execute("UPDATE alembic_version SET version_num = '0099'")
    plain.commit()
    plain.close()
    before = path.read_bytes()

    with pytest.raises(SchemaTooNew, match=f"schema 0099, this program knows {schema.newest()}"):
        Journal.open(path, NOW)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE customers (id INTEGER)",
        "CREATE TABLE alembic_version (version_num TEXT)",
    ],
)
def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "journal.db"
    plain = sqlite3.connect(path)
    plain.execute(statement)
    plain.commit()
    plain.close()
    before = path.read_bytes()

    with pytest.raises(ForeignDatabase, match="expected an empty database or lockstep's journal"):
        Journal.open(path, NOW)

    assert path.read_bytes() == before


def test_a_database_that_nobody_upgraded_is_told_apart(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.db")
    with database.reader.connect() as connection:
        assert schema.version(connection) is None
    schema.upgrade(database)
    with database.reader.connect() as connection:
        assert schema.version(connection) == schema.newest()
    database.close()


@pytest.mark.parametrize("damage", ["text", "torn page"])
def test_a_damaged_file_is_refused_with_the_way_back(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, NOW).close()
    if damage == "text":
        path.write_text("this is no database at all, only some text that is long enough\n" * 80)
    else:
        content = bytearray(path.read_bytes())
        content[4096:8192] = b"\xff" * 4096
        path.write_bytes(bytes(content))

    with pytest.raises(DatabaseDamaged, match="newest backup in its place by `lockstep db restore"):
        Journal.open(path, NOW)


HALF_WAY = """\
    op.execute('ALTER TABLE intents ADD COLUMN remark TEXT')
    raise RuntimeError('power went out')
"""


def add_a_version(folder: Path, body: str) -> Path:
    """The migrations with one more version after the newest."""
    scripts = folder / "migrations"
    shutil.copytree(schema.SCRIPTS, scripts)
    (scripts / "versions" / "v9000_test.py").write_text(
        "from alembic import op\n"
        f"revision = '9000'\ndown_revision = '{schema.newest()}'\n"
        f"branch_labels = depends_on = None\n\ndef upgrade():\n{body}"
    )
    return scripts


async def test_an_upgrade_keeps_what_is_journaled_and_copies_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    journal = await ready(path)
    request = await admitted(journal)
    journal.close()
    old = schema.newest()
    body = "    op.execute('ALTER TABLE intents ADD COLUMN remark TEXT')\n"
    monkeypatch.setattr(schema, "SCRIPTS", add_a_version(tmp_path, body))

    journal = Journal.open(path, NOW + 1)

    assert (await journal.arbitrage(request.arb_id)).opportunity == request.opportunity
    journal.close()
    copy = sqlite3.connect(tmp_path / f"journal.db.schema-{old}")
    assert copy.execute("SELECT count(*) FROM intents").fetchone() == (2,)
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (old,)
    copy.close()


def test_an_upgrade_that_fails_half_way_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, NOW).close()
    old = schema.newest()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "SCRIPTS", add_a_version(tmp_path, HALF_WAY))
        with pytest.raises(RuntimeError, match="power went out"):
            Journal.open(path, NOW)

    plain = sqlite3.connect(path)
    assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == (old,)
    names = [row[1] for row in plain.execute("PRAGMA table_info(intents)")]
    plain.close()
    assert "remark" not in names
    Journal.open(path, NOW).close()


async def test_a_copy_of_a_database_in_use_is_complete_and_sound(tmp_path: Path) -> None:
    journal = await ready(tmp_path / "journal.db")
    request = await admitted(journal)
    backup(journal.database.reader, tmp_path / "copy.db")
    journal.close()

    copy = Journal.open(tmp_path / "copy.db", NOW)
    assert (await copy.reserve(a_request())).arb_id == request.arb_id  # type: ignore[union-attr]
    copy.close()


@pytest.mark.parametrize(
    ("version", "mode"),
    [((3, 40, 1), "persist"), ((3, 51, 2), "persist"), ((3, 51, 3), "wal"), ((3, 53, 0), "wal")],
)
def test_wal_is_used_only_where_it_is_sound(version: tuple[int, ...], mode: str) -> None:
    assert journal_mode(version) == mode


def test_the_tests_open_the_journal_by_the_library_of_the_product() -> None:
    assert sqlite3 is driver.sqlite is driver.newest()


def test_without_the_wheel_the_sqlite_of_python_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    assert driver.newest().__name__ == "sqlite3"


def test_the_connections_are_set_up_for_money(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db", NOW)
    with journal.database.writer.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "foreign_keys", "busy_timeout", "mmap_size", "journal_mode")
        }
    assert pragmas == {
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "mmap_size": 0,
        "journal_mode": journal_mode(),
    }
    journal.close()


async def test_a_file_that_somebody_reads_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.sqlite.BUSY_MS", 50)
    path = tmp_path / "journal.db"
    (await ready(path)).close()
    other = sqlite3.connect(path, isolation_level=None)
    assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    other.execute("BEGIN")
    other.execute("SELECT * FROM run_state").fetchall()
    engine = writer_engine(path)

    use_journal(engine)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)

    other.close()
    use_journal(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal_mode()
    engine.dispose()


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    journal = await ready(tmp_path / "journal.db")
    with (
        journal.database.reader.connect() as connection,
        pytest.raises(OperationalError, match="readonly"),
    ):
        connection.exec_driver_sql("UPDATE run_state SET halted = 0")
    journal.close()


async def test_a_lock_held_by_somebody_else_is_reported_as_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.sqlite.BUSY_MS", 50)
    path = tmp_path / "journal.db"
    journal = await ready(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(JournalBusy, match="stayed locked by another process for 50 ms"):
        await journal.reserve(a_request())

    holder.execute("ROLLBACK")
    holder.close()
    await admitted(journal)
    journal.close()
