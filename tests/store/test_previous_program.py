"""Whatever a migration does, the program of the revision before goes on upon what it left.

Executors are replaced one after another, and the first of the new ones upgrades the journal: until
the last old one has ended, it inserts and reads as it always did. So a migration only adds
(expand); what nobody needs any more goes (contract) in a later one, once no program that knows it
can run.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from domain.trade import TradeStatus
from domain.venue import Venue
from store import schema
from store.engine import Database
from store.tables import Base
from tests.store.acts import perform
from tests.store.builders import NOW, ready_at
from tests.store.test_schema import add_a_version

BROKEN: dict[str, dict[str, str]] = {
    "0004": {
        "gone: unique arbitrages uq_arbitrages_open_pair (mode, pair_id) where closed_ms IS NULL": (
            "the rule got wider, for arbitrages that are open again: only a newer program makes any"
        ),
        "new rule: unique arbitrages uq_arbitrages_open_pair (mode, pair_id) where closed_ms IS "
        "NULL AND reopened = 0": "the same rule in its wider form, which refuses nothing more",
    },
    "0010": {
        "changed: risk_days.realised_loss_micro": (
            "charges what is held at a loss at once. A program of 0009 charges it again when it "
            "ends such a trade, so that the day may close too early, and never too late: end the "
            "old executors before the new ones start"
        ),
    },
}
"""What past migrations did beyond adding, and why it was borne; nothing is added to it lightly."""
UNIQUE = (
    "op.execute('ALTER TABLE chats ADD COLUMN tongue TEXT')\n"
    "    op.execute('CREATE UNIQUE INDEX uq_tongue ON chats (tongue)')"
)
SHUT = (
    'op.execute("CREATE TRIGGER shut BEFORE INSERT ON chats '
    "BEGIN SELECT RAISE(ABORT, 'shut'); END\")"
)
NEEDED = (
    "op.execute('DROP TABLE chats')\n"
    "    op.execute('CREATE TABLE chats (chat_id INTEGER PRIMARY KEY, since_id INTEGER NOT NULL, "
    "muted_until_ms INTEGER NOT NULL, quiet_from INTEGER, quiet_to INTEGER, "
    "tongue TEXT NOT NULL) STRICT')"
)
Rows = dict[str, list[dict[str, Any]]]
WORDS = {
    ("alarms", "severity"): "amber",
    ("credentials", "kind"): "token",
    ("chat_tones", "tone"): "off",
    ("pair_reviews", "verdict"): "approved",
    ("sender_leases", "venue"): "kalshi",
    ("known_differences", "venue"): "kalshi",
    ("market_terms", "venue"): "kalshi",
}


def revisions() -> list[str]:
    """All of them, the oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [step.revision for step in reversed(list(scripts.walk_revisions()))]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.set_main_option("path_separator", "os")
    return config


def brought_to(database: Database, revision: str) -> None:
    config = _config()
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def parts(database: Database) -> dict[str, set[str]]:
    """What each table is made of, in words: columns, and the rules that its rows keep."""
    found: dict[str, set[str]] = {}
    with database.reader.connect() as connection:
        look = sa.inspect(connection)
        for table in set(look.get_table_names()) - {"alembic_version"}:
            told = {f"table {table}", f"key {table} {look.get_pk_constraint(table)}"}
            told |= {_column(table, column) for column in look.get_columns(table)}
            for check in look.get_check_constraints(table):
                told.add(f"check {table} {check['name']} {check['sqltext']}")
            for key in look.get_foreign_keys(table):
                told.add(f"reference {table} {key['constrained_columns']} {key['referred_table']}")
            for rule in look.get_unique_constraints(table):
                told.add(f"unique {table} {rule['name']} ({', '.join(rule['column_names'])})")
            told |= {_unique(table, index) for index in look.get_indexes(table) if index["unique"]}
            named = sa.text("SELECT sql FROM sqlite_master WHERE type='trigger' AND tbl_name=:t")
            told |= {f"trigger {one}" for one in connection.execute(named, {"t": table}).scalars()}
            found[table] = told
    return found


def _column(table: str, column: Mapping[str, Any]) -> str:
    may_be_left_out = column["nullable"] or column["default"] or column.get("computed")
    how = ("null" if column["nullable"] else "never null") + ("" if may_be_left_out else ", needed")
    return f"column {table}.{column['name']} {column['type']} {how}"


def _unique(table: str, index: Mapping[str, Any]) -> str:
    where = index.get("dialect_options", {}).get("sqlite_where")
    told = f"unique {table} {index['name']} ({', '.join(index['column_names'])})"
    return told if where is None else f"{told} where {where}"


def narrowed(before: dict[str, set[str]], after: dict[str, set[str]]) -> set[str]:
    """Everything that the program of `before` cannot count on any more."""
    found = set()
    for table, old in before.items():
        new = after.get(table, set())
        found |= {f"gone: {one}" for one in old - new}
        for one in new - old:
            if not one.startswith("column"):
                found.add(f"new rule: {one}")
            elif one.endswith("needed"):
                found.add(f"new: {one}")
    return found


async def _lived(path: Path) -> None:
    """A journal with a pair that was paid out, one that was sold at a loss, and one held at one."""
    journal = await ready_at(path, max_daily_trades=20, max_bet=20)
    for number in range(3):
        await perform(journal, "ask", number, Venue.KALSHI, "0.45")
        for venue in Venue:
            await perform(journal, "fill", number, venue, "0.45")
    await journal.lock("arb-n0", TradeStatus.SUCCESS, {}, NOW + 3)
    await perform(journal, "settle", 0, Venue.KALSHI, "0.45")
    await perform(journal, "pay", 0, Venue.KALSHI, "0.45")
    for venue in Venue:
        await perform(journal, "sell", 1, venue, "0.35")
    await perform(journal, "flat", 1, Venue.KALSHI, "0.35")
    await journal.lock("arb-n2", TradeStatus.SUCCESS, {}, NOW + 3)
    journal.close()


def rows_of(database: Database) -> Rows:
    """Every row that a program wrote, of every table that is mapped."""
    with database.reader.connect() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Rows for every table, as programs write them."""
    path = tmp_path_factory.mktemp("lived") / "journal.db"
    asyncio.run(_lived(path))
    database = Database(path)
    rows = rows_of(database)
    database.close()
    for name, found in rows.items():
        if not found:
            found.append(_made_up(Base.metadata.tables[name], rows))
    (held,) = (row for row in rows["executor_trades"] if row["arb_id"] == "arb-n2")
    held["pnl_micro"] = -250_000
    return rows


def _made_up(table: sa.Table, rows: Rows) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.c:
        referred = [key.column for key in column.foreign_keys]
        plain = "x" if column.type.python_type is str else 1
        row[column.name] = WORDS.get((table.name, column.name), plain)
        if referred:
            row[column.name] = rows[referred[0].table.name][0][referred[0].name]
    return row


def insert(database: Database, rows: Rows, known: dict[str, list[str]]) -> None:
    """As a program writes them that knows no other columns."""
    with database.writer.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in known:
                continue
            if table.name in ("installation", "reconciliation"):
                # Migrations put a row in.
                connection.execute(table.delete())
            columns = known[table.name]
            told = sa.table(table.name, *(sa.column(name) for name in columns))
            for row in rows[table.name]:
                connection.execute(told.insert().values({n: row[n] for n in columns}))


def read(database: Database, known: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """As a program reads them that knows no other columns."""
    found = {}
    with database.reader.connect() as connection:
        for name, columns in known.items():
            told = sa.table(name, *(sa.column(column) for column in columns))
            rows = connection.execute(sa.select(*told.c))
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def known_to(database: Database) -> dict[str, list[str]]:
    """The columns that a program of this schema writes."""
    with database.reader.connect() as connection:
        look = sa.inspect(connection)
        there = {name: look.get_columns(name) for name in look.get_table_names()}
    return {
        table.name: [c["name"] for c in there[table.name] if c["name"] in table.c]
        for table in Base.metadata.sorted_tables
        if table.name in there
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any], known: Any) -> set[str]:
    """Columns in which rows that were there are not what they were."""
    found = set()
    for name, columns in known.items():
        for number, column in enumerate(columns):
            old, new = ([row[number] for row in told[name]] for told in (before, after))
            if sorted(map(repr, old)) != sorted(map(repr, new)):
                found.add(f"changed: {name}.{column}")
    return found


def broken_by(revision: str, previous: str, folder: Path, rows: Rows) -> set[str]:
    """What the program of `previous` cannot count on once the journal has `revision`."""
    upgraded, fresh = Database(folder / "upgraded.db"), Database(folder / "fresh.db")
    try:
        brought_to(upgraded, previous)
        before, known = parts(upgraded), known_to(upgraded)
        insert(upgraded, rows, known)
        kept = read(upgraded, known)
        brought_to(upgraded, revision)
        found = narrowed(before, parts(upgraded))
        if any(one.startswith(("gone: table", "gone: column")) for one in found):
            return found
        found |= changed(kept, read(upgraded, known), known)
        brought_to(fresh, revision)
        try:
            insert(fresh, rows, known)
        except sa.exc.IntegrityError as refused:
            return found | {f"refused: {refused.orig}"}
        assert read(fresh, known) == kept, "what was written comes back"
        return found
    finally:
        upgraded.close()
        fresh.close()


@pytest.mark.parametrize(
    ("previous", "revision"), list(zip(revisions(), revisions()[1:], strict=False))
)
def test_the_program_of_the_revision_before_goes_on(
    previous: str, revision: str, tmp_path: Path, written: Rows
) -> None:
    assert broken_by(revision, previous, tmp_path, written) == set(BROKEN.get(revision, {}))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("op.drop_table('chat_tones')", "gone: table chat_tones"),
        ("op.drop_column('chats', 'quiet_to')", "gone: column chats.quiet_to INTEGER null"),
        (
            "op.alter_column('chats', 'quiet_to', new_column_name='quiet_until')",
            "gone: column chats.quiet_to INTEGER null",
        ),
        (UNIQUE, "new rule: unique chats uq_tongue (tongue)"),
        (SHUT, "refused: shut"),
        (NEEDED, "new: column chats.tongue TEXT never null, needed"),
        (
            "op.execute('UPDATE chats SET muted_until_ms = muted_until_ms / 1000 + 5')",
            "changed: chats.muted_until_ms",
        ),
    ],
)
def test_a_migration_that_would_stop_it_is_found(
    body: str, found: str, tmp_path: Path, written: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = schema.newest()
    monkeypatch.setattr(schema, "SCRIPTS", add_a_version(tmp_path, f"    {body}\n"))
    assert found in broken_by("9000", newest, tmp_path, written)


def test_a_migration_that_only_adds_is_let_through(
    tmp_path: Path, written: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = schema.newest()
    added = (
        "    op.execute('ALTER TABLE chats ADD COLUMN tongue TEXT')\n"
        "    op.execute('ALTER TABLE chats ADD COLUMN volume INTEGER NOT NULL DEFAULT 3')\n"
        "    op.execute('CREATE TABLE tongues (name TEXT PRIMARY KEY) STRICT')\n"
        "    op.execute('CREATE INDEX ix_chats_volume ON chats (volume)')\n"
    )
    monkeypatch.setattr(schema, "SCRIPTS", add_a_version(tmp_path, added))
    assert broken_by("9000", newest, tmp_path, written) == set()
