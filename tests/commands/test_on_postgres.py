"""`lockstep db` on a real PostgreSQL server: moving there, killed halfway, and copies of it."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config

from app.wiring import wall_ms
from domain.trade import TradeStatus
from domain.venue import Venue
from store import gate, lease, schema
from store.alarms import Alarm
from store.engine import Database
from store.errors import JournalMoved
from store.journal import Journal
from store.place import SchemaAddress
from store.states import Severity
from tests.commands.test_database import NAME, published
from tests.commands.test_looking import LOOKS, SAID, doctor_finds_it
from tests.store.acts import perform
from tests.store.builders import NOW, a_request, an_opportunity, put_message, ready_at
from tests.store.test_engines import rows_of
from tests.support.places import plain, snapshot, told
from tests.support.stack import Json, Ran, run_lockstep

pytestmark = pytest.mark.postgres
LATER = NOW + 900_000
OLDER = "0007"


@pytest.fixture
def where(postgres_url: str) -> SchemaAddress:
    """A schema that only this test has."""
    return SchemaAddress(postgres_url, f"m_{uuid4().hex[:16]}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A journal in which things have happened."""

    async def live() -> None:
        journal = await ready_at(tmp_path / NAME, max_daily_trades=20, max_bet=20)
        for number in range(3):
            await perform(journal, "ask", number, Venue.KALSHI, "0.45")
            for venue in Venue:
                await perform(journal, "fill", number, venue, "0.45")
        await journal.lock("arb-n0", TradeStatus.SUCCESS, {"title": "é 漢"}, NOW + 3)
        await perform(journal, "settle", 0, Venue.KALSHI, "0.45")
        await perform(journal, "pay", 0, Venue.KALSHI, "0.45")
        alarm = Alarm("told", "TOLD", Severity.AMBER, "a venue said a\0b é 漢")
        await journal.raise_alarm(alarm, NOW + 9)
        for number in range(1_200):
            await journal.note("arb-n1", "seen", {"number": number}, NOW + 10 + number)
        journal.close()

    asyncio.run(live())
    return tmp_path / NAME


def lockstep(*arguments: str, where: SchemaAddress, folder: Path, **env: str) -> Ran:
    """The command, told of the server by its environment as a process of a system is."""
    return run_lockstep(*arguments, folder=folder, **told(where), **env)


def move(file: Path, where: SchemaAddress, **env: str) -> Ran:
    return lockstep("db", "migrate-to-postgres", "--json", where=where, folder=file.parent, **env)


def rows(journal: Journal) -> dict[str, list[tuple[object, ...]]]:
    """Everything in it, as a server keeps it: its text knows no NUL."""
    found = rows_of(journal)
    journal.close()
    return {
        name: [
            tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row)
            for row in all_
        ]
        for name, all_ in found.items()
    }


def test_everything_moves_and_the_file_is_closed_for_good(file: Path, where: SchemaAddress) -> None:
    before = rows(Journal.open(file, LATER))
    still_open = Journal.open(file, LATER)
    told: Json = published("db-migrate-to-postgres", move(file, where), file.parent)

    counts = {one["name"]: one["rows"] for one in told["tables"]}
    assert counts == {name: len(found) for name, found in before.items()}
    moved = Journal.open(where, LATER)
    assert rows_of(moved) == before
    # What was given on the file is not given again on the server.
    assert asyncio.run(put_message(moved, "new", "test", {}, LATER))
    numbers = [row["id"] for row in snapshot(where, "outbox")["outbox"]]
    assert numbers == sorted(numbers) == list(range(1, len(numbers) + 1))
    moved.close()

    with pytest.raises(JournalMoved, match=r"set database\.url to go on with it there"):
        Journal.open(file, LATER)
    accounts = {Venue.KALSHI: "kalshi/key"}
    answer = still_open.database.write_here(lambda s: lease.take(s, "old", accounts, LATER))
    assert isinstance(answer, lease.Claim), "an account that nobody held yet"
    request = a_request(an_opportunity("x"))
    refused = still_open.database.write_here(lambda s: gate.reserve(s, request))
    assert f"moved to {where}" in str(refused)
    still_open.close()

    again = move(file, where)
    assert (again.code, again.json["already"]) == (0, True)


@pytest.mark.parametrize(
    "point",
    ["P23/begun", "P23/move/settings_history", "P23/move/events", "P23/move/written"],
)
def test_killed_before_the_server_keeps_it_nothing_has_happened(
    file: Path, where: SchemaAddress, point: str
) -> None:
    before = rows(Journal.open(file, LATER))
    killed = move(file, where, FP=f"{point}:1")
    assert killed.code == -signal.SIGKILL
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s"
    raw = plain(where)
    assert raw.execute(tables, (where.schema,)).fetchone() == (0,)
    raw.close()
    assert rows(Journal.open(file, LATER)) == before, "the file is as it was, and in use"

    assert move(file, where).code == 0
    assert rows(Journal.open(where, LATER)) == before


def test_killed_before_the_file_is_closed_it_only_closes_it(
    file: Path, where: SchemaAddress
) -> None:
    before = rows(Journal.open(file, LATER))
    assert move(file, where, FP="P23/move/kept:1").code == -signal.SIGKILL
    assert rows(Journal.open(file, LATER)) == before
    done = move(file, where)
    assert (done.code, done.json["already"]) == (0, False)
    assert rows(Journal.open(where, LATER)) == before
    with pytest.raises(JournalMoved):
        Journal.open(file, LATER)


def test_a_journal_that_is_not_this_one_is_never_written_over(
    file: Path, where: SchemaAddress
) -> None:
    Journal.open(where, LATER).close()
    kept = rows(Journal.open(where, LATER))
    done = move(file, where)
    assert (done.code, done.out) == (5, "")
    assert "has a journal already that is not this one" in done.err
    assert rows(Journal.open(where, LATER)) == kept
    Journal.open(file, LATER).close()


def test_it_waits_for_nobody_who_still_sends(file: Path, where: SchemaAddress) -> None:
    journal = Journal.open(file, LATER)
    accounts = {Venue.KALSHI: "kalshi/key"}
    now_ms = wall_ms() + 600_000
    journal.database.write_here(lambda s: lease.take(s, "executor-1", accounts, now_ms))
    done = move(file, where)
    assert (done.code, done.out) == (5, "")
    assert "executor-1 sends for kalshi/key: stop every executor" in done.err
    journal.database.write_here(lambda s: lease.take(s, "executor-1", accounts, NOW))
    journal.close()


def test_without_a_server_it_says_what_is_missing(file: Path, where: SchemaAddress) -> None:
    done = run_lockstep("db", "migrate-to-postgres", folder=file.parent)
    assert (done.code, done.out) == (3, "")
    assert "database.url: expected the PostgreSQL database to move to" in done.err
    away = SchemaAddress("postgresql://somebody:secret99@127.0.0.1:1/nowhere", where.schema)
    done = move(file, away)
    assert done.code == 4
    assert "does not answer" in done.err
    assert "secret99" not in done.err


def test_a_copy_of_the_server_is_whole_and_is_put_back_halted(
    file: Path, where: SchemaAddress
) -> None:
    assert move(file, where).code == 0
    before = rows(Journal.open(where, LATER))
    folder, target = file.parent, file.parent / "copy.dump"
    copied = lockstep("db", "backup", str(target), "--json", where=where, folder=folder)
    assert published("db-backup", copied, folder)["bytes"] == target.stat().st_size > 0

    later = Journal.open(where, LATER)
    asyncio.run(later.note("arb-n1", "after", {}, LATER))
    later.close()
    done = lockstep("db", "restore", str(target), "--json", where=where, folder=folder)
    told = published("db-restore", done, folder)
    back = Journal.open(where, LATER)
    state = asyncio.run(back.run_state())
    assert (state.halted, "copy.dump in its place" in str(state.reason)) == (True, True)
    assert rows(back)["events"] == before["events"]
    aside = SchemaAddress(where.url, str(told["aside"]))
    assert len(rows(Journal.open(aside, LATER))["events"]) == len(before["events"]) + 1


def test_a_copy_of_another_schema_or_none_changes_nothing(file: Path, where: SchemaAddress) -> None:
    assert move(file, where).code == 0
    folder, target = file.parent, file.parent / "copy.dump"
    assert lockstep("db", "backup", str(target), where=where, folder=folder).code == 0
    before = rows(Journal.open(where, LATER))
    other = SchemaAddress(where.url, f"{where.schema}_other")
    refused = lockstep("db", "restore", str(target), where=other, folder=folder)
    assert (refused.code, f"found of {where.schema}" in refused.err) == (2, True)
    target.write_bytes(target.read_bytes()[:-200])
    torn = lockstep("db", "restore", str(target), where=where, folder=folder)
    assert (torn.code, "pg_restore: " in torn.err) == (4, True)
    assert rows(Journal.open(where, LATER)) == before


def test_an_upgrade_says_what_was_and_what_is(file: Path, where: SchemaAddress) -> None:
    assert move(file, where).code == 0
    done = lockstep("db", "upgrade", "--json", where=where, folder=file.parent)
    told = published("db-upgrade", done, file.parent)
    assert (told["before"], told["after"], told["copied_to"]) == (
        schema.newest(),
        schema.newest(),
        None,
    )
    assert told["path"] == str(where)
    assert where.url not in done.out + done.err
    checked = lockstep("db", "check", "--json", where=where, folder=file.parent)
    assert published("db-check", checked, file.parent)["problem"] is None


@pytest.mark.parametrize("point", ["begun", "copied"])
def test_killed_while_copying_nothing_stands_under_the_name_and_a_second_run_makes_it(
    file: Path, where: SchemaAddress, point: str
) -> None:
    assert move(file, where).code == 0
    before = rows(Journal.open(where, LATER))
    folder, target = file.parent, file.parent / "copy.dump"
    killed = lockstep("db", "backup", str(target), where=where, folder=folder, FP=f"P24/{point}:1")
    assert killed.code == -signal.SIGKILL
    assert not target.exists()
    assert lockstep("db", "backup", str(target), where=where, folder=folder).code == 0
    assert [path.name for path in folder.glob("copy.dump*")] == ["copy.dump"]
    assert lockstep("db", "restore", str(target), where=where, folder=folder).code == 0
    assert rows(Journal.open(where, LATER))["events"] == before["events"]


@pytest.mark.parametrize("point", ["begun", "written"])
def test_killed_while_upgrading_the_server_keeps_what_was_and_a_second_run_upgrades(
    tmp_path: Path, where: SchemaAddress, point: str
) -> None:
    made_at(where, OLDER)
    before = snapshot(where, "installation")
    killed = lockstep("db", "upgrade", where=where, folder=tmp_path, FP=f"P23/{point}:1")
    assert killed.code == -signal.SIGKILL
    assert version_of(where) == OLDER
    assert snapshot(where, "installation") == before
    done = lockstep("db", "upgrade", "--json", where=where, folder=tmp_path)
    told = published("db-upgrade", done, tmp_path)
    assert (told["before"], told["after"]) == (OLDER, schema.newest())
    assert version_of(where) == schema.newest()
    assert snapshot(where, "installation") == before


def test_looking_leaves_the_schema_to_the_executors_that_run(
    tmp_path: Path, where: SchemaAddress
) -> None:
    """`tests.commands.test_looking` has every look; here are three, and what comes before."""
    made_at(where, OLDER)
    for look in LOOKS[:3]:
        done = lockstep(*look.split(), where=where, folder=tmp_path)
        assert (done.code, done.out, SAID in done.err) == (3, "", True), done
    doctor_finds_it(lambda *words: lockstep(*words, where=where, folder=tmp_path))
    target = tmp_path / "before.dump"
    assert lockstep("db", "backup", str(target), where=where, folder=tmp_path).code == 0
    assert version_of(where) == OLDER

    assert lockstep("db", "upgrade", where=where, folder=tmp_path).code == 0
    assert lockstep("positions", where=where, folder=tmp_path).code == 0
    assert lockstep("db", "restore", str(target), where=where, folder=tmp_path).code == 0


def made_at(where: SchemaAddress, version: str) -> None:
    """A journal as an older program made it."""
    database = Database(where)
    database.backend.prepare()
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.set_main_option("path_separator", "os")
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    database.close()


def version_of(where: SchemaAddress) -> object:
    """What the server says."""
    (row,) = snapshot(where, "alembic_version")["alembic_version"]
    return row["version_num"]
