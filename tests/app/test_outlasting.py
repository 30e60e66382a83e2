"""A whole system of which a part falls silent or dies: it says so at once, and goes on."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config_sources import load_config
from tests.support.stack import StackUnderTest, running_stack

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


def rows(stack: StackUnderTest, sql: str, *given: object) -> list[tuple[object, ...]]:
    """What the journal says now."""
    config = load_config(env={"LOCKSTEP_DATA_DIR": str(stack.folder)}, folder=stack.folder).config
    with sqlite3.connect(f"file:{config.database_path}?mode=ro", uri=True) as journal:
        return journal.execute(sql, given).fetchall()


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
    left = "SELECT id FROM intents WHERE venue = 'kalshi' AND sent_ms > 0"
    stack.until(lambda: rows(stack, left), "the order to leave")
    hole = {"venue": "kalshi", "market": "*", "action": "read", "do": "hang_before", **silent}
    stack.tell("/faults", {"rules": [hole]})
    stack.tell("/knobs", {"venue": "kalshi", "knobs": {"ws_silent": True}})
    alarm = "SELECT opened_ms, arb_id FROM alarms WHERE code = 'UNKNOWN_LEG'"
    (opened_ms, arb_id), *_ = stack.until(lambda: rows(stack, alarm), "the alarm")
    sent = "SELECT sent_ms FROM intents WHERE arb_id = ? AND venue = 'kalshi'"
    ((sent_ms,),) = rows(stack, sent, arb_id)
    assert opened_ms - sent_ms < ALARM_MS
    red = f"{alarm} AND severity = 'red' AND closed_ms IS NULL"
    stack.until(lambda: rows(stack, red), "it to turn red", seconds=15)
    stack.mend()
    stack.tell("/knobs", {"venue": "kalshi", "knobs": {"ws_silent": False}})
    over = f"{alarm} AND closed_ms IS NOT NULL"
    stack.until(lambda: rows(stack, over), "the answer to close it")
    even = "SELECT 1 FROM arbitrages WHERE id = ? AND phase IN ('FLAT', 'HOLDING')"
    stack.until(lambda: rows(stack, even, arb_id), "the leg to be sold back, or completed")


def test_a_temporal_server_that_dies_is_brought_back_and_a_naked_leg_is_sold(
    stack: StackUnderTest,
) -> None:
    """Killed while one leg waits to be sold back; nobody else is restarted for it."""
    held = stack.open()
    stuck = stack.stuck()
    os.kill(stack.ready["pids"]["temporal"], signal.SIGKILL)
    down = "SELECT closed_ms FROM alarms WHERE code = 'TEMPORAL_DOWN'"
    stack.until(lambda: rows(stack, down), "the alarm", seconds=5)
    stack.mend()
    stack.until(lambda: rows(stack, f"{down} AND closed_ms IS NOT NULL"), "the server")
    stack.until(lambda: stack.told(stuck["id"])["phase"] == "FLAT", "the naked leg to be sold")
    assert stack.told(held["id"])["phase"] == "HOLDING"
    assert stack.open()["phase"] == "HOLDING"
    assert rows(stack, "SELECT code FROM alarms WHERE closed_ms IS NULL") == []
