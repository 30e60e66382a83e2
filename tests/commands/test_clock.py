"""While an exchange's clock is not ours no entry leaves; once it agrees, they do so again."""

import pytest

from domain.policy import Refusal
from tests.support.stack import Json, StackUnderTest

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(200)]
AHEAD_MS = 3_000


def unfit(stack: StackUnderTest) -> list[Json]:
    """The open alarms that say so."""
    alarms = stack.ok("alarms", "list", "--json").json["alarms"]
    return [one for one in alarms if one["code"] == "MACHINE_UNFIT"]


def refused(stack: StackUnderTest) -> int:
    """How often the executor has refused an entry for it."""
    told = stack.scrape()
    said = f'reason="{Refusal.MACHINE_UNFIT.value}"'
    found = [line for line in told.splitlines() if said in line and line[0] != "#"]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in found))


def test_entries_are_closed_while_an_exchange_s_clock_is_three_seconds_off(
    stack: StackUnderTest,
) -> None:
    stack.let_trade()
    before, pair = refused(stack), stack.pair()
    stack.tell("/knobs", {"venue": "kalshi", "knobs": {"clock_ahead_ms": AHEAD_MS}})
    try:
        (alarm,) = stack.until(lambda: unfit(stack), "the alarm")
        # Its Date names whole seconds: what is read is right to half a one.
        assert "Kalshi's clock and ours are " in alarm["detail"]
        apart = float(alarm["detail"].split(" are ")[1].split(" s apart")[0])
        assert abs(apart - AHEAD_MS / 1_000) <= 1, alarm
        stack.edge(pair)
        stack.until(lambda: refused(stack) > before, "the edge to be refused")
        assert stack.position_of(pair, "HOLDING", "UNWINDING", moving=True) is None
    finally:
        stack.tell("/knobs", {"venue": "kalshi", "knobs": {"clock_ahead_ms": 0}})
    stack.until(lambda: not unfit(stack), "the alarm to close")
    # The edge is still there, and is taken without a word of anybody.
    stack.until(lambda: stack.position_of(pair, "HOLDING"), "it to be entered")
    stack.edge(pair, -2)
