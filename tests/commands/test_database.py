"""`db upgrade` and `db backup`: the journal's file, without a running system."""

from pathlib import Path

import fastjsonschema
import pytest
from alembic import command
from alembic.config import Config

from app.wiring import wall_ms
from store import schema
from store.engine import Database
from store.journal import Journal
from tests.support.driver import sqlite3
from tests.support.stack import Ran, run_lockstep

NAME = "lockstep-sim.sqlite3"
OLDER = "0007"


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


def made_older(path: Path) -> None:
    """A journal as an older version of this program made it."""
    path.unlink()
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.set_main_option("path_separator", "os")
    database = Database(path)
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
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
