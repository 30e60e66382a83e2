"""`bin/tctl`: every old verb becomes the new command, and a live trade is kept from harm."""

import os
import pty
import subprocess
from typing import Any

import pytest

from app.errors import GuardError, UsageError
from app.tctl import parse, refusal, translate
from tests.support.processes import ROOT
from tests.support.stack import Ran, StackUnderTest

TABLE = """
    wf list --op                          | workflow list --query "ExecutionStatus = 'Running'"
    workflow list -q X                    | workflow list --query X
    wf l --closed                         | workflow list --query "ExecutionStatus != 'Running'"
    wf list --ps 5 --pjson                | workflow list --limit 5 --output json
    workflow count --query X              | workflow count --query X
    wf desc -w a                          | workflow describe --workflow-id a
    wf describe -w a -r b                 | workflow describe --workflow-id a --run-id b
    wf describeid a                       | workflow describe --workflow-id a
    wf show --workflow_id=a               | workflow show --workflow-id a
    wf showid a                           | workflow show --workflow-id a
    wf observe -w a                       | workflow show --workflow-id a --follow
    wf query -w a --qt snapshot           | workflow query --workflow-id a --name snapshot
    wf query -w a                         | workflow query --workflow-id a --name snapshot
    wf stack -w a                         | workflow stack --workflow-id a
    wf signal -w a -n go -i 1             | workflow signal --workflow-id a --name go --input 1
    wf cancel -w a --re why               | workflow cancel --workflow-id a
    wf term -w a --reason why             | workflow terminate --workflow-id a --reason why
    wf reset -w a --eid 4 --re why        | workflow reset --workflow-id a --event-id 4 --reason why
    wf rs -w a --reset_type X --re why    | workflow reset --workflow-id a --type X --reason why
    --ad h:1 --ns n wf list --more        | workflow list
"""
ROWS = [tuple(part.strip() for part in row.split("|")) for row in TABLE.strip().splitlines() if row]


@pytest.mark.parametrize(("old", "new"), ROWS, ids=[old for old, _ in ROWS])
def test_an_old_verb_becomes_the_new_one(old: str, new: str) -> None:
    found = " ".join(f'"{word}"' if " " in word else word for word in translate(parse(old.split())))
    assert found == new


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "expected `tctl workflow VERB`, found nothing"),
        ("namespace list", "`temporal operator`"),
        ("wf dance", "expected one of list, count, show"),
        ("wf list --dance", "--dance: expected a known option"),
        ("wf show -w", "-w: expected a value"),
        ("wf show a", "expected options after show, found 'a'"),
    ],
)
def test_what_is_not_translated_is_named(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("`", ".").replace("(", ".")):
        parse(line.split())


@pytest.mark.parametrize("verb", ["start", "run", "signalWithStart", "reset-batch"])
def test_nobody_starts_an_arbitrage_or_resets_in_bulk(verb: str) -> None:
    with pytest.raises(GuardError):
        parse(["workflow", verb])


def test_a_live_trade_is_neither_terminated_nor_reset() -> None:
    terminate = parse("wf terminate -w arb-1:adopt-2".split())
    assert "`lockstep close arb-1`" in str(refusal(terminate, live=True))
    assert refusal(terminate, live=False) is None
    assert "`lockstep retry arb-1`" in str(refusal(parse("wf reset -w arb-1".split()), live=True))
    last = parse("wf reset -w arb-1 --reset_type LastWorkflowTask".split())
    assert refusal(last, live=True) is None
    cancel = parse("wf cancel -w arb-1:adopt-2".split())
    assert "`lockstep close arb-1 --yes`" in str(refusal(cancel, live=True))
    assert refusal(cancel, live=False) is None


def tctl(stack: StackUnderTest, *arguments: str, types: str | None = None) -> Ran:
    """Run the script on the system under test; `types` is what a person at a terminal answers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKSTEP_", "TEMPORAL"))}
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{types}\n".encode())
    try:
        done = subprocess.run(
            [ROOT / "bin" / "tctl", *arguments],
            cwd=stack.folder,
            env={**clean, "LOCKSTEP_DATA_DIR": str(stack.folder)},
            stdin=subprocess.DEVNULL if types is None else terminal,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(400)
class TestOnAServer:
    def test_reading_runs_and_names_the_new_command(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        listed = tctl(stack, "workflow", "list", "--query", "ArbPhase = 'HOLDING'")
        assert (listed.code, held["id"] in listed.out) == (0, True), listed
        assert "this is: temporal workflow list --query" in listed.err
        asked = tctl(stack, "wf", "query", "-w", held["id"], "--qt", "snapshot")
        assert (asked.code, "HOLDING" in asked.out) == (0, True), asked

    def test_terminating_a_live_trade_is_refused_with_the_safe_way(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        refused = tctl(stack, "wf", "terminate", "-w", held["id"])
        assert (refused.code, refused.out) == (5, "")
        assert f"`lockstep close {held['id']}`" in refused.err
        reset = tctl(stack, "wf", "reset", "-w", held["id"], "--event_id", "4", "--re", "x")
        assert (reset.code, reset.out) == (5, "")
        assert stack.told(held["id"])["phase"] == "HOLDING"

    def test_a_cancel_sells_what_a_person_at_a_terminal_agrees_to_sell(
        self, stack: StackUnderTest
    ) -> None:
        mine = stack.open()
        cancel = ("wf", "cancel", "-w", mine["id"])
        unasked = tctl(stack, *cancel)
        assert (unasked.code, unasked.out) == (5, "")
        assert f"`lockstep close {mine['id']} --yes` does it" in unasked.err
        declined = tctl(stack, *cancel, types="n")
        assert declined.code == 5
        assert "closing now brings" in declined.err, "the preview comes first"
        assert stack.told(mine["id"])["phase"] == "HOLDING"
        agreed = tctl(stack, *cancel, types="y")
        assert agreed.code == 0, agreed
        stack.until(lambda: stack.told(mine["id"])["phase"] == "FLAT", "it to be sold")
