"""`lockstep alarms`: what is wrong by the journal alone, and a person's word on it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import fastjsonschema
import pytest

from app.config_sources import load_config
from store import audit
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from tests.store.builders import NOW
from tests.support.stack import Json, Ran, run_lockstep

DISK = Alarm("disk", "DISK", Severity.AMBER, "12 MB are free")
ODD_SAID = f"paid 0.5 and 1, {'of which the whole story is told, ' * 4}and claimed"
ODD = Alarm("resolution:a", "RESOLUTION_MISMATCH", Severity.RED, ODD_SAID, "arb-a")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal with two open alarms, and nothing that runs."""
    config = load_config(env={"LOCKSTEP_DATA_DIR": str(tmp_path)}, folder=tmp_path).config
    opened = Journal.open(config.database_path, NOW)
    for alarm in (DISK, ODD):
        await opened.raise_alarm(alarm, NOW)
    yield opened
    opened.close()


def kept(folder: Path, schema: str, done: Ran) -> Json:
    """The JSON of a command that ended with 0, held against its published schema."""
    assert done.code == 0, done
    fastjsonschema.compile(run_lockstep("schema", schema, folder=folder).json)(done.json)
    return done.json


async def test_open_alarms_are_listed_and_one_is_seen(journal: Journal, tmp_path: Path) -> None:
    told = kept(tmp_path, "alarms-list", run_lockstep("alarms", "list", "--json", folder=tmp_path))
    assert [(one["id"], one["code"]) for one in told["alarms"]] == [
        (1, "DISK"),
        (2, "RESOLUTION_MISMATCH"),
    ]
    seen = run_lockstep("alarms", "ack", "1", "--json", folder=tmp_path)
    alarm = kept(tmp_path, "alarms-ack", seen)["alarm"]
    assert alarm["acknowledged_by"]
    assert alarm["closed_at"] is None
    lines = run_lockstep("alarms", "list", folder=tmp_path).out.splitlines()
    assert [("seen by" in line, "not seen" in line) for line in lines[1:]] == [
        (True, False),
        (False, True),
    ]
    assert ODD_SAID in lines[-1]
    [row] = [r for r in await journal.read(lambda s: audit.page(s, 9)) if r.action == "acknowledge"]
    assert (row.origin, row.subject, json.loads(row.detail)) == ("cli", "alarm/1", {"code": "DISK"})


async def test_a_word_closes_an_alarm_that_waits_for_one_and_asks_first(
    journal: Journal, tmp_path: Path
) -> None:
    said = ("--evidence", "claim 7 was paid")
    asked = run_lockstep("alarms", "ack", "2", *said, folder=tmp_path)
    assert (asked.code, "add --yes" in asked.err) == (2, True), asked
    done = run_lockstep("alarms", "ack", "2", *said, "--yes", folder=tmp_path)
    assert (done.code, "claim 7 was paid" in done.out) == (0, True), done
    refused = run_lockstep("alarms", "ack", "1", *said, "--yes", folder=tmp_path)
    assert (refused.code, refused.out) == (5, "")
    assert "alarm 1 (DISK) closes by itself" in refused.err
    left = run_lockstep("alarms", "list", "--json", folder=tmp_path).json["alarms"]
    assert [(one["code"], one["acknowledged_by"]) for one in left] == [("DISK", None)]
    everything = run_lockstep("alarms", "list", "--all", "--json", folder=tmp_path).json["alarms"]
    assert [one["id"] for one in everything] == [2, 1]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("99",), "expected the number of an alarm of this journal, found 99"),
        (("1", "--evidence", " "), "expected what settled it"),
        (("one",), "Invalid value for 'ALARM'"),
    ],
)
async def test_a_wrong_number_or_word_is_named(
    journal: Journal, tmp_path: Path, typed: tuple[str, ...], said: str
) -> None:
    done = run_lockstep("alarms", "ack", *typed, folder=tmp_path)
    assert (done.code, said in done.err) == (2, True), done
