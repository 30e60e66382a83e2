"""Whoever only looks changes no schema: executors of the older version go on, and start again.

As in the midst of an upgrade, when the new program is installed and the old one still trades.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config import Config
from store import schema
from store.journal import Journal
from tests.commands.test_database import NAME, OLDER, made_older
from tests.support.driver import sqlite3
from tests.support.places import snapshot
from tests.support.processes import ROOT
from tests.support.stack import Ran, run_lockstep
from tests.support.temporal import session_server

LOOKS = [
    "positions",
    "show arb-1",
    "top --once",
    "pairs list",
    "alarms list",
    "settings get",
    "settings set max_bet=2 --dry-run",
    "export trades",
    "db check",
    "audit verify",
]
SAID = f"has schema {OLDER}, this program wants {schema.newest()}: `lockstep db upgrade`"


def version(where: Path) -> object:
    """Of the journal's schema."""
    (row,) = snapshot(where, "alembic_version")["alembic_version"]
    return row["version_num"]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A journal as the program that still runs made it."""
    (tmp_path / NAME).touch()
    made_older(tmp_path / NAME)
    return tmp_path / NAME


@pytest.mark.parametrize("command", LOOKS)
def test_a_look_says_how_to_upgrade_and_leaves_the_schema(older: Path, command: str) -> None:
    done = run_lockstep(*command.split(), folder=older.parent)
    assert (done.code, done.out) == (3, ""), done
    assert SAID in done.err
    assert version(older) == OLDER
    assert list(older.parent.glob(f"{NAME}.schema-*")) == []


def doctor_finds_it(lockstep: Callable[..., Ran]) -> None:
    """It goes on with its other checks."""
    done = lockstep("doctor", "--json")
    found = {one["name"]: one for one in done.json["checks"]}
    assert done.code == 1, done
    assert SAID in found["journal"]["detail"]
    assert found["journal"]["repair"] == "lockstep db upgrade"
    assert {"temporal", "dashboard"} <= set(found)


def test_the_doctor_names_the_upgrade_and_leaves_the_schema(older: Path) -> None:
    doctor_finds_it(lambda *words: run_lockstep(*words, folder=older.parent))
    assert version(older) == OLDER


def test_a_health_check_leaves_the_schema(older: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.health", "executor"],
        cwd=ROOT,
        env={"LOCKSTEP_DATA_DIR": str(older.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, SAID in done.stderr) == (3, True), done
    assert version(older) == OLDER


@pytest.mark.temporal
def test_open_arbitrages_are_replayed_before_the_upgrade(older: Path) -> None:
    """It asks Temporal alone, and needs no journal."""
    with session_server() as server:
        env = {"TEMPORAL_ADDRESS": server.address}
        env |= {"LOCKSTEP_TEMPORAL__NAMESPACE": server.namespace}
        done = run_lockstep("replay-open", "--json", folder=older.parent, **env)
    assert (done.code, done.json["differing"]) == (0, []), done
    assert version(older) == OLDER


def test_a_backup_before_the_upgrade_is_of_what_is_there(older: Path) -> None:
    target = older.with_name("copy.sqlite3")
    assert run_lockstep("db", "backup", str(target), folder=older.parent).code == 0
    assert version(target) == version(older) == OLDER


def test_a_file_without_a_journal_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    done = run_lockstep("positions", folder=tmp_path)
    assert (done.code, "has no schema" in done.err) == (3, True), done
    assert (tmp_path / NAME).read_bytes() == b""


@pytest.mark.parametrize("command", ["pause", "kill --reason now"])
def test_a_stop_waits_for_no_upgrade_by_hand(older: Path, command: str) -> None:
    done = run_lockstep(*command.split(), folder=older.parent)
    assert done.code == 0, done
    assert version(older) == schema.newest()
    journal = Journal.open(older, 1, Config().settings.first())
    journal.close()
    with sqlite3.connect(older) as plain:
        (stopped,) = plain.execute("SELECT halted FROM run_state").fetchone()
        assert stopped == command.startswith("kill")
    plain.close()
