"""`db upgrade`, `backup`, `restore`, `check`: the journal's file, without a running system."""

import asyncio
import signal
from pathlib import Path

import fastjsonschema
import pytest
from alembic import command
from alembic.config import Config

from app.wiring import wall_ms
from domain.venue import Venue
from store import lease, restoring, schema
from store.audit import Act
from store.engine import Database
from store.journal import Journal
from store.tables import Base
from tests.commands.late import restored_as_an_executor_starts
from tests.support.driver import sqlite3
from tests.support.places import snapshot
from tests.support.stack import Ran, run_lockstep

NAME = "lockstep-sim.sqlite3"
OLDER = "0007"
TABLES = tuple(table.name for table in Base.metadata.sorted_tables)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of this version, with the settings that every one begins with."""
    Journal.open(tmp_path / NAME, wall_ms()).close()
    return tmp_path / NAME


def published(verb: str, done: Ran, folder: Path) -> dict[str, object]:
    """The command's JSON, held against its schema."""
    assert done.code == 0, done
    fastjsonschema.compile(run_lockstep("schema", verb, folder=folder).json)(done.json)
    return done.json


def made_older(path: Path, version: str = OLDER) -> None:
    """A journal as an older version of this program made it."""
    path.unlink()
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.set_main_option("path_separator", "os")
    database = Database(path)
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    database.close()


def test_an_older_journal_is_upgraded_and_kept_as_it_was(journal: Path) -> None:
    folder = journal.parent
    same = published("db-upgrade", run_lockstep("db", "upgrade", "--json", folder=folder), folder)
    assert (same["before"], same["after"]) == (schema.newest(), schema.newest())
    assert same["copied_to"] is None
    made_older(journal)
    told = published("db-upgrade", run_lockstep("db", "upgrade", "--json", folder=folder), folder)
    assert (told["before"], told["after"]) == (OLDER, schema.newest())
    assert told["copied_to"] == f"{journal}.schema-{OLDER}"
    with sqlite3.connect(Path(str(told["copied_to"]))) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == (OLDER,)
    kept.close()
    again = run_lockstep("db", "upgrade", folder=folder)
    assert f"schema {schema.newest()} already, nothing was changed" in again.out


def test_a_copy_is_whole_and_never_written_over(journal: Path) -> None:
    folder, target = journal.parent, journal.parent / "copy.sqlite3"
    done = run_lockstep("db", "backup", str(target), "--json", folder=folder)
    told = published("db-backup", done, folder)
    assert told["bytes"] == target.stat().st_size > 0
    with sqlite3.connect(target) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM executor_settings").fetchone() == (1,)
    copy.close()
    again = run_lockstep("db", "backup", str(target), folder=folder)
    assert (again.code, again.out) == (2, "")
    assert "exists already: a backup is never written over" in again.err


def test_what_cannot_be_copied_or_upgraded_is_said(journal: Path, tmp_path: Path) -> None:
    nowhere = run_lockstep("db", "backup", str(tmp_path / "no" / "copy"), folder=tmp_path)
    assert (nowhere.code, nowhere.out) == (2, "")
    assert "FILE: " in nowhere.err
    empty = tmp_path / "empty"
    empty.mkdir()
    for verb in (("db", "upgrade"), ("db", "backup", "copy.sqlite3")):
        done = run_lockstep(*verb, folder=empty)
        assert (done.code, done.out) == (4, "")
        assert "no journal at" in done.err
    with sqlite3.connect(journal) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.close()
    newer = run_lockstep("db", "upgrade", folder=tmp_path)
    assert newer.code == 3
    assert "use the newer program" in newer.err


def events(path: Path) -> int:
    with sqlite3.connect(path) as plain:
        found = plain.execute("SELECT count(*) FROM audit WHERE action = 'later'").fetchone()[0]
    plain.close()
    return int(found)


def went_on(path: Path) -> None:
    """The journal learns something that no backup has."""
    with sqlite3.connect(path) as plain:
        plain.execute(
            "INSERT INTO audit (at_ms, actor, origin, action, subject, detail, previous_hash, hash)"
            " VALUES (1, 'eve', 'x', 'later', 'x', '{}', 'no', 'no')"
        )
    plain.close()


@pytest.fixture
def copy(journal: Path) -> Path:
    """A backup, after which the journal went on."""
    target = journal.parent / "copy.sqlite3"
    assert run_lockstep("db", "backup", str(target), folder=journal.parent).code == 0
    went_on(journal)
    return target


def assert_halted(journal: Path) -> None:
    opened = Journal.open(journal, wall_ms())
    state = asyncio.run(opened.run_state())
    opened.close()
    assert (state.halted, "copy.sqlite3 in its place" in str(state.reason)) == (True, True)


def test_a_backup_is_put_back_halted_and_what_was_there_is_kept(journal: Path, copy: Path) -> None:
    folder = journal.parent
    told = published(
        "db-restore", run_lockstep("db", "restore", str(copy), "--json", folder=folder), folder
    )
    aside = Path(str(told["aside"]))
    assert (events(journal), events(aside)) == (0, 1)
    assert_halted(journal)
    resumed = run_lockstep("unkill", "--word", "unkill", folder=folder)
    assert (resumed.code, "confirm-restore" in resumed.err) == (5, True)


def test_a_backup_is_put_where_no_journal_is_or_a_torn_one(journal: Path, copy: Path) -> None:
    journal.write_bytes(b"\xff" * 8192)
    assert run_lockstep("db", "restore", str(copy), folder=journal.parent).code == 0
    assert_halted(journal)
    journal.unlink()
    done = run_lockstep("db", "restore", str(copy), "--json", folder=journal.parent)
    assert (done.code, done.json["aside"]) == (0, None)
    assert_halted(journal)


def test_what_sqlite_kept_beside_the_one_that_goes_is_never_read_with_the_backup(
    journal: Path, copy: Path
) -> None:
    aside = journal.with_name("aside")
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{journal}{suffix}").write_bytes(b"of the one that goes")
    said: list[str] = []
    act = Act("eve", "cli", wall_ms())
    restoring.put_back(copy, journal, aside, "a test", act, said.append, lambda: None)
    assert len(said) == 2
    for suffix in ("-wal", "-shm", "-journal"):
        assert not Path(f"{journal}{suffix}").exists()
        assert Path(f"{aside}{suffix}").read_bytes() == b"of the one that goes"
    assert events(journal) == 0


@pytest.mark.parametrize("point", ["begun", "copied", "restore/ready", "restore/aside"])
def test_killed_while_putting_back_nothing_is_lost_and_a_second_run_goes_on(
    journal: Path, copy: Path, point: str
) -> None:
    folder = journal.parent
    killed = run_lockstep("db", "restore", str(copy), folder=folder, FP=f"P24/{point}:1")
    assert killed.code == -signal.SIGKILL
    assert events(journal) == 1, "the old journal is in its place"
    assert run_lockstep("db", "restore", str(copy), folder=folder).code == 0
    assert events(journal) == 0
    assert_halted(journal)
    assert not list(folder.glob("*.restoring*"))


def test_what_is_no_backup_or_not_now_changes_nothing(journal: Path, copy: Path) -> None:
    folder = journal.parent
    before = journal.read_bytes()
    text, empty, foreign, newer = (folder / name for name in ("text", "empty", "foreign", "newer"))
    text.write_text("a diary\n" * 999)
    empty.touch()
    with sqlite3.connect(foreign) as plain:
        plain.execute("CREATE TABLE somebody_elses (x)")
    plain.close()
    newer.write_bytes(copy.read_bytes())
    with sqlite3.connect(newer) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.close()
    for file, code, words in (
        (folder / "nowhere", 2, "found no file"),
        (journal, 2, "is the journal itself"),
        (text, 5, "is not a journal"),
        (empty, 5, "is not a journal"),
        (foreign, 3, "somebody_elses"),
        (newer, 3, "use the newer program"),
    ):
        done = run_lockstep("db", "restore", str(file), folder=folder)
        assert (done.code, done.out) == (code, ""), (file, done)
        assert words in done.err, (file, done)
    assert journal.read_bytes() == before

    opened = Journal.open(journal, wall_ms())
    accounts, later = {Venue.KALSHI: "kalshi/key"}, wall_ms() + 600_000
    opened.database.write_here(lambda s: lease.take(s, "executor-1", accounts, later))
    opened.close()
    done = run_lockstep("db", "restore", str(copy), folder=folder)
    assert (done.code, done.out) == (5, "")
    assert "executor-1 sends for kalshi/key: stop every executor" in done.err
    assert events(journal) == 1


def test_an_executor_that_starts_meanwhile_keeps_its_journal(journal: Path, copy: Path) -> None:
    done = restored_as_an_executor_starts(journal, copy)
    assert (done.code, done.out) == (5, ""), done
    assert "executor-2 is at work: stop every process of lockstep" in done.err
    assert events(journal) == 1
    assert not list(journal.parent.glob("*.restoring*"))
    assert not list(journal.parent.glob("*.replaced-*"))


@pytest.mark.parametrize("version", ["older", "9999"])
def test_nobody_restores_under_an_executor_of_another_version(
    journal: Path, copy: Path, version: str
) -> None:
    """As in the midst of an upgrade: the command is the old program's, or the new one's."""
    folder = journal.parent
    opened = Journal.open(journal, wall_ms())
    accounts, later = {Venue.KALSHI: "kalshi/key"}, wall_ms() + 600_000
    opened.database.write_here(lambda s: lease.take(s, "executor-1", accounts, later))
    opened.close()
    version = f"{int(schema.newest()) - 1:04}" if version == "older" else version
    with sqlite3.connect(journal) as plain:
        plain.execute("UPDATE alembic_version SET version_num = ?", (version,))
    plain.close()
    done = run_lockstep("db", "restore", str(copy), folder=folder)
    assert (done.code, done.out) == (5, ""), done
    assert "executor-1 sends for kalshi/key: stop every executor" in done.err


def test_a_journal_from_before_there_were_leases_is_restored_over(
    tmp_path: Path, journal: Path, copy: Path
) -> None:
    made_older(journal, "0001")
    assert run_lockstep("db", "restore", str(copy), folder=tmp_path).code == 0
    assert_halted(journal)


def test_a_check_tells_a_sound_journal_from_a_broken_trail_and_a_torn_file(journal: Path) -> None:
    folder = journal.parent
    told = published("db-check", run_lockstep("db", "check", "--json", folder=folder), folder)
    assert (told["version"], told["problem"]) == (schema.newest(), None)
    assert str(journal) in run_lockstep("db", "check", folder=folder).out

    kept = journal.read_bytes()
    with sqlite3.connect(journal) as plain:
        plain.execute(
            "INSERT INTO audit (at_ms, actor, origin, action, subject, detail, previous_hash, hash)"
            " VALUES (1, 'eve', 'x', 'x', 'x', '{}', 'no', 'no')"
        )
    plain.close()
    broken = run_lockstep("db", "check", "--json", folder=folder)
    assert (broken.code, "audit row" in str(broken.json["problem"])) == (1, True)

    journal.write_bytes(kept[:4096] + b"\xff" * 4096 + kept[8192:])
    torn = run_lockstep("db", "check", folder=folder)
    assert (torn.code, torn.out) == (3, "")
    assert "put the newest backup in its place" in torn.err


def test_a_check_that_is_killed_has_changed_nothing(journal: Path) -> None:
    before = snapshot(journal, *TABLES)
    killed = run_lockstep("db", "check", folder=journal.parent, FP="P24/check:1")
    assert killed.code == -signal.SIGKILL
    assert snapshot(journal, *TABLES) == before
    assert run_lockstep("db", "check", folder=journal.parent).code == 0


@pytest.mark.parametrize(
    ("verb", "steps"), [("upgrade", 2), ("backup", 2), ("restore", 3), ("check", 3)]
)
def test_each_step_is_told_with_how_many_there_are(
    journal: Path, copy: Path, verb: str, steps: int
) -> None:
    files = {"backup": [str(copy.with_name("another"))], "restore": [str(copy)]}.get(verb, [])
    done = run_lockstep("db", verb, *files, folder=journal.parent)
    told = [line.partition(":")[0] for line in done.err.splitlines()]
    assert told == [f"{number} of {steps}" for number in range(1, steps + 1)], done
    assert run_lockstep("--quiet", "db", "check", folder=journal.parent).err == ""
