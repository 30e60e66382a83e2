"""Every command that docs/operating.md names is run, as it is written, on a real system."""

import asyncio
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from app.links import wall_ms
from app.temporal_binary import ensure_binary
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from tests.support.processes import ROOT
from tests.support.stack import CAPTURES, LOCKSTEP, Ran, StackUnderTest

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = list(dict.fromkeys(re.findall(r"`((?:lockstep|temporal|tctl) [^`]+)`", PAGE)))
QUERIES = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", PAGE.split("### Saved queries")[1], re.M)
ELSEWHERE = {
    "lockstep db migrate-to-postgres": "test_on_postgres moves a journal to a server",
    "lockstep db restore FILE": "test_database puts a backup back, with everything stopped",
    "lockstep run executor": "every system of these tests runs one",
    "lockstep run": "every system of these tests is one",
    "lockstep sim": "tests/sim runs the exchanges and ends them",
    "lockstep chaos": "tests/chaos runs a part of the campaign",
    "lockstep logs -f": "test_watching follows a log until Ctrl-C",
    "lockstep hash-password": "test_frame types a password into it",
    "lockstep --install-completion": "test_frame completes; this one writes into a home folder",
}
REFUSED = {
    "lockstep arm --word LIVE": "mode sim moves no real money",
    "tctl workflow cancel -w ID": "`lockstep close arb-",
    "tctl workflow terminate -w ID": "`lockstep close arb-",
}
"""What a guard refuses here, and what it says."""
ENDS = re.compile(r"close ID --yes|cancel|terminate --w|update execute")
"""What ends the arbitrage it is done to: it gets one of its own."""


def typed(stack: StackUnderTest, line: str) -> Ran:
    """Run a line as a person types it, in a shell that knows all three commands."""
    folders = [LOCKSTEP.parent, ROOT / "bin", ensure_binary().parent]
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKSTEP_", "TEMPORAL"))}
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=stack.folder,
        env={
            **clean,
            "PATH": path,
            "LOCKSTEP_DATA_DIR": str(stack.folder),
            "TEMPORAL_ADDRESS": str(stack.ready["temporal"]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def let_trade(stack: StackUnderTest) -> None:
    """Whatever the command before has stopped or lowered."""
    state = stack.ok("top", "--json").json["run_state"]
    if state == "HALTED":
        stack.ok("unkill", "--word", "unkill")
    stack.trading = False
    stack.let_trade()


@pytest.fixture
def open_one(stack: StackUnderTest) -> dict[str, Any]:
    """A locked pair that nothing else is done to."""
    let_trade(stack)
    return stack.open()


@pytest.fixture(scope="module")
def shared(stack: StackUnderTest) -> dict[str, Any]:
    """A locked pair that is only looked at."""
    let_trade(stack)
    return stack.open()


async def an_alarm(stack: StackUnderTest) -> int:
    """The number of an open one that a person's word closes."""
    journal = Journal.open(stack.folder / "lockstep-sim.sqlite3", wall_ms())
    try:
        alarm = Alarm("resolution:page", "RESOLUTION_MISMATCH", Severity.RED, "paid 0.5 and 1")
        return await journal.raise_alarm(alarm, wall_ms())
    finally:
        journal.close()


def filled_in(stack: StackUnderTest, line: str, arb_id: str) -> str:
    """The line with every placeholder replaced."""
    line = line.replace("--name NAME", "--name note").replace("-n NAME", "-n note")
    line = line.replace("schema VERB", "schema show").replace("PAIR", "p01")
    line = line.replace("replay CAPTURE", f"replay {CAPTURES}/*.jsonl")
    line = line.replace("backup FILE", f"backup copy-{time.time_ns()}.sqlite3")
    if line.startswith("temporal"):
        line = line.replace('"…"', "\"ArbPhase = 'HOLDING'\"")
    if "ALARM" in line:
        line = line.replace("ALARM", str(asyncio.run(an_alarm(stack))))
    if "ACTIVITY" in line:
        described = typed(stack, f"temporal workflow describe -w {arb_id} --output json")
        pending = json.loads(described.out)["pendingActivities"]
        line = line.replace("ACTIVITY", pending[0]["activityId"])
    return re.sub(r"\bID\b", arb_id, line)


LOOKS = [line for line in COMMANDS if line not in ELSEWHERE and not ENDS.search(line)]
ENDINGS = [line for line in COMMANDS if ENDS.search(line)]


@pytest.mark.parametrize("line", [one for one in LOOKS if "flatten --word" not in one])
def test_a_command_of_the_page_does_what_it_says(
    stack: StackUnderTest, shared: dict[str, Any], line: str
) -> None:
    done = typed(stack, filled_in(stack, line, shared["id"]))
    if line in REFUSED:
        assert (done.code, REFUSED[line] in done.err) == (5, True), done
    else:
        assert done.code == 0, done
    stack.until(lambda: stack.told(shared["id"])["phase"] == "HOLDING", "it to be held")


@pytest.mark.parametrize("line", ENDINGS)
def test_a_command_that_ends_a_trade_ends_it_without_an_order_twice(
    stack: StackUnderTest, open_one: dict[str, Any], line: str
) -> None:
    done = typed(stack, filled_in(stack, line, open_one["id"]))
    if line in REFUSED:
        assert (done.code, REFUSED[line] in done.err) == (5, True), done
        return
    assert done.code == 0, done
    if "terminate" in line:
        stack.until(
            lambda: stack.told(open_one["id"])["workflow_id"].endswith(":adopt-1"), "an adoption"
        )
        assert len(stack.orders(open_one["id"])) == 2
        return
    stack.until(lambda: stack.told(open_one["id"])["phase"] == "FLAT", "it to be sold")
    assert len(stack.orders(open_one["id"])) == 4


def test_flattening_as_the_page_says_leaves_nothing_open(
    stack: StackUnderTest, open_one: dict[str, Any]
) -> None:
    assert "lockstep flatten --word flatten" in COMMANDS
    done = typed(stack, "lockstep flatten --word flatten")
    assert done.code == 0, done
    assert open_one["id"] in done.out
    assert stack.ok("positions", "--json").json["positions"] == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_saved_query_is_understood_by_the_server(
    stack: StackUnderTest, shared: dict[str, Any], query: str
) -> None:
    done = typed(stack, f'temporal workflow count --query "{query}"')
    assert (done.code, "Total" in done.out) == (0, True), done


def test_a_stuck_trade_is_found_by_one_query(stack: StackUnderTest) -> None:
    let_trade(stack)
    mine = stack.stuck()
    query = QUERIES[0]
    assert "ArbNeedsOperator" in query
    found = stack.until(
        lambda: mine["id"] in typed(stack, f'temporal workflow list --query "{query}"').out,
        "the search attribute",
    )
    assert found
    stack.mend()
    done = stack.run("close", mine["id"], "--yes")
    assert done.code == 0 or "nothing to close" in done.err, done


def test_the_page_explains_whatever_is_not_run_here() -> None:
    assert set(ELSEWHERE) <= set(COMMANDS)
    assert set(REFUSED) <= set(COMMANDS)
    assert len(QUERIES) == 10
    assert Path(ROOT / "deploy" / "temporal-ui.env").is_file()
