"""A workflow that is terminated is carried on by another one, from any phase, without an order
that should not be."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from temporalio.client import WorkflowHandle

from activities.adopt import Adopter
from activities.messages import ArbitrageInput
from app.payloads import DATA_CONVERTER
from app.workflow_list import WorkflowList
from domain.money import usd
from domain.order import Filled, NotFilled
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Mode, Venue
from store import adoptions, fills
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import FEW_TRIES, QUICK, Trading
from tests.workflows.test_operator import close, sales, stuck
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, HoldRequest, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]


def adopter(desk: Trading) -> Adopter:
    """What the executor runs every other second."""
    bounds = Bounds(cooldown_ms=0)
    workflows = WorkflowList(desk.client, desk.task_queue, bounds, QUICK)
    return Adopter(desk.desk, workflows, Mode.SIM)


def adopted(desk: Trading, arb_id: str, number: int = 1) -> Handle:
    """The workflow that took over."""
    return handle_of(desk.client, names.workflow_id(arb_id, number))


async def _placing(desk: Trading, pair: str) -> Handle:
    await desk.control.fault("polymarket", pair, "buy", "drop_after")
    await desk.control.fault("kalshi", pair, "buy", "drop_after")
    handle = await desk.open(pair)
    while not await desk.both_left(handle.id):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    return handle


async def _unwinding(desk: Trading, pair: str) -> Handle:
    """Polymarket is held and cannot be sold yet: its chain has not confirmed."""
    await desk.control.fault("kalshi", pair, "buy", "kill")
    await desk.control.fault("polymarket", pair, "sell", "kill", times=2)
    handle = await desk.reach(pair, Phase.RESOLVING, Phase.UNWINDING)
    await desk.until(handle, lambda s: s.polymarket.state.held > 0 and not s.kalshi.state.unknown)
    return handle


async def _holding(desk: Trading, pair: str) -> Handle:
    return await desk.reach(pair, Phase.HOLDING)


async def test_an_adopted_trade_keeps_the_bounds_that_it_was_admitted_under(
    desk: Trading, pair: str
) -> None:
    """Configured anew meanwhile: what is new holds for the next gate, not for this trade."""
    admitted = Bounds(
        unwind_loss_share=Decimal("0.07"), unwind_attempts=3, cooldown_ms=0, deadline_ms=9_000
    )
    handle = await desk.reach(pair, Phase.HOLDING, bounds=admitted)
    await handle.terminate("a person meant well")
    assert await adopter(desk).adopt_orphans() == (handle.id,)
    successor = adopted(desk, handle.id)
    started = (await successor.fetch_history()).events[0]
    payloads = started.workflow_execution_started_event_attributes.input.payloads
    (plan,) = await DATA_CONVERTER.decode(payloads, [ArbitrageInput])
    assert plan.bounds == admitted
    await desk.until_at_rest(successor)
    await assert_books_balance(desk)


PHASES: dict[str, tuple[Callable[[Trading, str], Awaitable[Handle]], set[str]]] = {
    "placing": (_placing, {"HOLDING"}),
    "unwinding": (_unwinding, {"FLAT", "HOLDING"}),
    "holding": (_holding, {"HOLDING"}),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_a_terminated_arbitrage_is_adopted_and_finished(
    desk: Trading, pair: str, phase: str
) -> None:
    begin, ends = PHASES[phase]
    handle = await begin(desk, pair)
    await handle.terminate("a person meant well")
    assert await adopter(desk).adopt_orphans() == (handle.id,)
    successor = adopted(desk, handle.id)
    snapshot = await desk.until_at_rest(successor)
    assert snapshot.phase in ends, snapshot.story
    assert not any("leave together" in one.said for one in snapshot.story), "it sends no entry"
    assert await adopter(desk).adopt_orphans() == ()
    await assert_books_balance(desk)
    if snapshot.phase == "HOLDING":
        closed = await _close(successor)
        assert closed.phase == "FLAT", closed.story
        await assert_books_balance(desk)


async def test_who_took_a_leg_over_is_obeyed_by_the_workflow_that_adopts_it(
    desk: Trading, pair: str
) -> None:
    handle = await stuck(desk, pair)
    await handle.execute_update(names.HOLD, HoldRequest("ann"), result_type=Snapshot)
    await desk.until_phase(handle, Phase.HOLDING)
    before = await sales(desk, handle.id)
    await handle.terminate("a person meant well")
    assert await adopter(desk).adopt_orphans() == (handle.id,)
    successor = adopted(desk, handle.id)
    kept = await desk.until_phase(successor, Phase.HOLDING, Phase.NEEDS_OPERATOR, Phase.FLAT)
    assert (kept.phase, kept.polymarket.state.held > 0) == (Phase.HOLDING, True), kept.story
    assert await sales(desk, handle.id) == before
    assert alarms(desk.database)["UNHEDGED"] == 1
    assert (await _close(successor)).phase == Phase.FLAT
    await assert_books_balance(desk)


async def test_a_close_goes_on_within_its_bounds_in_the_workflow_that_adopts_it(
    desk: Trading, pair: str
) -> None:
    handle = await desk.hold(pair, bounds=FEW_TRIES)
    assert (await close(handle, loss_max=usd("0.01"))).phase == Phase.NEEDS_OPERATOR
    await handle.terminate("a person meant well")
    assert await adopter(desk).adopt_orphans() == (handle.id,)
    successor = adopted(desk, handle.id)
    closing = await desk.until_phase(successor, Phase.NEEDS_OPERATOR, Phase.HOLDING, Phase.FLAT)
    assert (closing.phase, closing.closing) == (Phase.NEEDS_OPERATOR, True), closing.story
    assert closing.budget_left == usd("0.01")
    assert await sales(desk, handle.id) == 0
    assert (await _close(successor)).phase == Phase.FLAT
    await assert_books_balance(desk)


async def test_one_that_is_running_or_over_is_left_alone(desk: Trading, pair: str) -> None:
    handle = await _holding(desk, pair)
    assert await adopter(desk).adopt_orphans() == ()
    await _close(handle)
    await handle.result()
    assert await adopter(desk).adopt_orphans() == ()


async def test_it_is_adopted_once_by_two_that_look_at_the_same_time(
    desk: Trading, pair: str
) -> None:
    handle = await _holding(desk, pair)
    await handle.terminate()
    both = await asyncio.gather(*(adopter(desk).adopt_orphans() for _ in range(2)))
    assert sorted(both) == [(), (handle.id,)]


async def test_who_looks_between_an_adoption_and_the_start_of_its_workflow_leaves_it(
    desk: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever died there is not waited for longer than a start takes."""
    handle = await _holding(desk, pair)
    await handle.terminate()
    now_ms = desk.desk.wall_ms()
    adopt = partial(adoptions.adopt, arb_id=handle.id, before=0, why="", now_ms=now_ms)
    assert await desk.desk.journal.write(now_ms, adopt) == 1
    assert await adopter(desk).adopt_orphans() == ()
    monkeypatch.setattr("activities.adopt.STARTING_MS", 0)
    assert await adopter(desk).adopt_orphans() == (handle.id,)


async def test_an_adopted_one_that_is_terminated_is_adopted_again(desk: Trading, pair: str) -> None:
    handle = await _holding(desk, pair)
    for number in (1, 2):
        await handle.terminate()
        assert await adopter(desk).adopt_orphans() == (names.arb_of(handle.id),)
        handle = adopted(desk, names.arb_of(handle.id), number)
        await desk.until_phase(handle, "HOLDING")


async def _close(handle: Handle) -> Snapshot:
    word = CloseRequest(by="test")
    closed: Snapshot = await handle.execute_update(names.CLOSE_POSITION, word, result_type=Snapshot)
    return closed


async def test_a_late_fill_beside_an_end_that_was_not_taken_back_is_carried_on(
    desk: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older reconciler booked it and died before it took the end back: nobody looked again."""
    await desk.control.fault("polymarket", pair, "buy", "kill")
    await desk.control.fault("kalshi", pair, "buy", "hang_before", params={"ms": 900})
    handle = await desk.reach(pair, Phase.RESOLVING)
    assert (await handle.result()).phase is Phase.FLAT
    entry = await desk.desk.journal.intent(f"{handle.id}/kalshi/entry/1")
    order = replace(entry.order, not_after_ms=2**53)
    late = await desk.desk.venues[Venue.KALSHI].place(order, entry.identity, _leaves)
    assert isinstance(late, Filled), late
    with monkeypatch.context() as older:
        older.setattr(fills, "_take_back_end", lambda *_: None)
        await desk.desk.journal.record_answer(order.intent_id, late, desk.desk.wall_ms())
    assert (await desk.desk.journal.arbitrage(handle.id)).phase is Phase.FLAT

    starting = adopter(desk)
    assert await starting.adopt_orphans() == (handle.id,)
    assert await starting.adopt_orphans() == ()
    ended = await desk.until_at_rest(adopted(desk, handle.id))
    assert ended.phase in (Phase.FLAT, Phase.HOLDING), ended.story
    assert ended.polymarket.state.held >= ended.kalshi.state.held
    assert not alarms(desk.database)
    assert await adopter(desk).adopt_orphans() == ()


async def _leaves() -> NotFilled | None:
    return None
