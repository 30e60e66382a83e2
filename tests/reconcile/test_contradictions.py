"""A venue takes back what it had called final, and something else with it: the one is for a person,
the other is repaired all the same, and no executor dies of it."""

from dataclasses import replace

import pytest

from activities.adopt import Adopter
from activities.reconcile import Reconciler
from app.demo.control import Quote
from app.workflow_list import WorkflowList
from domain.order import Fill, FillState, Order
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Mode, Venue
from store.arbitrages import ArbitrageState
from tests.support.books import alarms
from tests.support.trading import QUICK, Trading
from tests.workflows.test_operator import Handle
from venues.port import AccountActivity

LEVELS = Quote("0.48", "0.50", "12", above=(("0.51", "100"),))
"""Two trades at Polymarket."""
LONG_MS = 60_000


async def held_in_two(desk: Trading, pair: str) -> tuple[Handle, tuple[str, ...]]:
    """A pair whose leg at Polymarket is two trades, of which the journal has one as final."""
    await desk.control.books(pair, LEVELS, Quote("0.58", "0.60"))
    handle = await desk.start(await desk.opportunity(pair))
    await desk.until_phase(handle, Phase.HOLDING)
    state = await desk.desk.journal.arbitrage(handle.id)
    first, second = (fill for fill in state.fills if fill.venue is Venue.POLYMARKET)
    final = replace(first, state=FillState.CONFIRMED)
    await desk.desk.journal.record_fills((final,), desk.desk.wall_ms())
    return handle, (first.trade_id, second.trade_id)


def fail_at_the_venue(
    desk: Trading, monkeypatch: pytest.MonkeyPatch, trades: tuple[str, ...]
) -> None:
    """From now on Polymarket says that both trades have failed."""
    port = desk.desk.venues[Venue.POLYMARKET]
    listing = port.activity

    async def refresh(_: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        failed = FillState.VOIDED
        return tuple(replace(one, state=failed) if one.trade_id in trades else one for one in fills)

    async def activity(since_ms: int) -> AccountActivity:
        listed = await listing(since_ms)
        failed = FillState.VOIDED
        told = (
            replace(one, state=failed) if one.trade_id in trades else one for one in listed.trades
        )
        return AccountActivity(tuple(told), listed.working)

    monkeypatch.setattr(port, "refresh", refresh)
    monkeypatch.setattr(port, "activity", activity)


def states(state: ArbitrageState, trades: tuple[str, ...]) -> list[FillState]:
    """What the journal says of the trades."""
    known = {fill.trade_id: fill.state for fill in state.fills}
    return [known[trade_id] for trade_id in trades]


async def test_a_restart_repairs_what_can_be_and_goes_on(
    desk: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk.slow_chain(LONG_MS):
        handle, trades = await held_in_two(desk, pair)
        await handle.terminate("the executor died")
        fail_at_the_venue(desk, monkeypatch, trades)
        workflows = WorkflowList(desk.client, desk.task_queue, Bounds(cooldown_ms=0), QUICK)
        adopter = Adopter(desk.desk, workflows, Mode.SIM)
        starting = Reconciler(desk.desk, workflows, adopter, Mode.SIM, 200)
        await starting.report()
    state = await desk.desk.journal.arbitrage(handle.id)
    assert states(state, trades) == [FillState.CONFIRMED, FillState.VOIDED]
    assert (await desk.desk.journal.run_state()).halted
    assert alarms(desk.database)["JOURNAL_CONFLICT"] == 1


async def test_whoever_holds_the_pair_sees_what_is_left_of_it(
    desk: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk.slow_chain(LONG_MS):
        handle, trades = await held_in_two(desk, pair)
        fail_at_the_venue(desk, monkeypatch, trades)
        left = await desk.until(handle, lambda now: now.polymarket.state.held < now.size)
    state = await desk.desk.journal.arbitrage(handle.id)
    (kept,) = (fill.size for fill in state.fills if fill.trade_id == trades[0])
    assert left.polymarket.state.held == kept
    assert states(state, trades) == [FillState.CONFIRMED, FillState.VOIDED]
    assert alarms(desk.database)["JOURNAL_CONFLICT"] == 1
