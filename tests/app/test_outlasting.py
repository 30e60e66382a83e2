"""A whole system of which a part falls silent or dies: it says so at once, and goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config_sources import load_config
from tests.support.places import snapshot
from tests.support.stack import Json, StackUnderTest, running_stack

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(240)]
ALARM_MS = 5_000
"""How long after its cause an alarm may come."""
BLACK_HOLE_MS = 60_000
FILLED_AFTER_MS = 4_000
"""Longer than the executor waits for the answer to an order."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[StackUnderTest]:
    with running_stack(tmp_path) as started:
        yield started


def rows(stack: StackUnderTest, table: str, **wanted: object) -> list[Json]:
    """What the journal says now."""
    config = load_config(env={"LOCKSTEP_DATA_DIR": str(stack.folder)}, folder=stack.folder).config
    found = snapshot(config.journal, table)[table]
    return [dict(row) for row in found if all(row[k] == v for k, v in wanted.items())]


def alarms(stack: StackUnderTest, code: str, *, closed: bool | None = None) -> list[Json]:
    """Those of a kind: all of them, the closed ones, or the open ones."""
    found = rows(stack, "alarms", code=code)
    return [one for one in found if closed in (None, one["closed_ms"] is not None)]


def test_an_order_that_a_silent_venue_swallowed_is_alarmed_within_five_seconds(
    stack: StackUnderTest,
) -> None:
    """Kalshi takes the order and then answers nobody; Polymarket's is killed."""
    stack.let_trade()
    pair = stack.pair()
    late = {"ms": FILLED_AFTER_MS}
    silent = {"times": 0, "params": {"ms": BLACK_HOLE_MS}}
    rules = [
        {"venue": "polymarket", "market": pair, "action": "buy", "do": "kill", "times": 0},
        {"venue": "kalshi", "market": pair, "action": "buy", "do": "delay", "params": late},
    ]
    stack.tell("/faults", {"rules": rules})
    stack.edge(pair)
    stack.until(lambda: rows(stack, "intents", venue="kalshi", state="sent"), "the order to leave")
    hole = {"venue": "kalshi", "market": "*", "action": "read", "do": "hang_before", **silent}
    stack.tell("/faults", {"rules": [hole]})
    stack.tell("/knobs", {"venue": "kalshi", "knobs": {"ws_silent": True}})
    (alarm,) = stack.until(lambda: alarms(stack, "UNKNOWN_LEG"), "the alarm")
    (order,) = rows(stack, "intents", arb_id=alarm["arb_id"], venue="kalshi")
    assert alarm["opened_ms"] - order["sent_ms"] < ALARM_MS
    red = {"code": "UNKNOWN_LEG", "severity": "red", "closed_ms": None}
    stack.until(lambda: rows(stack, "alarms", **red), "it to turn red", seconds=15)
    stack.mend()
    stack.tell("/knobs", {"venue": "kalshi", "knobs": {"ws_silent": False}})
    stack.until(lambda: alarms(stack, "UNKNOWN_LEG", closed=True), "the answer to close it")

    def even() -> bool:
        (trade,) = rows(stack, "arbitrages", id=alarm["arb_id"])
        return trade["phase"] in ("FLAT", "HOLDING")

    stack.until(even, "the leg to be sold back, or completed")


def test_a_temporal_server_that_dies_is_brought_back_and_a_naked_leg_is_sold(
    stack: StackUnderTest,
) -> None:
    """Killed while one leg waits to be sold back; nobody else is restarted for it."""
    held = stack.open()
    stuck = stack.stuck()
    os.kill(stack.ready["pids"]["temporal"], signal.SIGKILL)
    stack.until(lambda: alarms(stack, "TEMPORAL_DOWN"), "the alarm", seconds=ALARM_MS / 1_000)
    stack.mend()
    stack.until(lambda: alarms(stack, "TEMPORAL_DOWN", closed=True), "the server")
    stack.until(lambda: stack.told(stuck["id"])["phase"] == "FLAT", "the naked leg to be sold")
    assert stack.told(held["id"])["phase"] == "HOLDING"
    assert stack.open()["phase"] == "HOLDING"
    assert rows(stack, "alarms", closed_ms=None) == []
