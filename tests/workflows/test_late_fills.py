"""A fill that turns up late, while the other leg is being sold: it is seen before the end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from activities import settle
from domain.order import Filled, NotFilled, Purpose
from domain.policy import DUST
from domain.trade import Phase
from domain.venue import Venue
from store import alarms, intents
from store.arbitrages import ArbitrageState
from store.failpoints import Point
from tests.support.trading import FEW_TRIES, Trading
from tests.workflows.test_operator import close
from workflows.handle import handle_of
from workflows.snapshot import Snapshot


async def _now() -> NotFilled | None:
    return None


async def arrives(desk: Trading, pair: str, arb_id: str, venue: Venue) -> Filled:
    """What was concluded never to have arrived is filled after all."""
    await desk.control.edge(pair, 8)
    intent = await desk.desk.journal.intent(f"{arb_id}/{venue}/entry/1")
    order = replace(intent.order, not_after_ms=2**53)
    late = await desk.desk.venues[venue].place(order, intent.identity, _now)
    assert isinstance(late, Filled), late
    return late


async def sale_left(desk: Trading, arb_id: str) -> bool:
    state = await desk.desk.journal.arbitrage(arb_id)
    sales = [one for one in state.intents if one.order.purpose is Purpose.UNWIND]
    return any(one.sent_at_ms is not None for one in sales)


async def until_sold_alone(desk: Trading, pair: str, lost: Venue) -> str:
    """The entry at `lost` never arrives; the sale of the other leg hangs at its venue."""
    await desk.control.fault(lost, pair, "buy", "hang_before", params={"ms": 900})
    await desk.control.fault(lost.sibling, pair, "sell", "delay", params={"ms": 2_500})
    handle = await desk.reach(pair, Phase.RESOLVING, Phase.UNWINDING, gone=lost)
    while not await sale_left(desk, handle.id):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    return handle.id


async def at_the_exchanges(desk: Trading, state: ArbitrageState) -> dict[Venue, Decimal]:
    """Contracts that each exchange says the orders of the arbitrage brought."""
    held = dict.fromkeys(Venue, Decimal(0))
    async for venue, order, _ in orders_of(desk, state):
        sign = 1 if order["action"] == "buy" else -1
        stays = [fill for fill in order["fills"] if fill["state"] != "FAILED"]
        held[venue] += sign * sum(Decimal(fill["size"]) for fill in stays)
    return held


async def traded_at_the_exchanges(desk: Trading, state: ArbitrageState) -> Decimal:
    """Dollars that both exchanges say the trades of the arbitrage brought."""
    moved = Decimal(0)
    async for _, order, entries in orders_of(desk, state):
        trades = {fill["trade_id"] for fill in order["fills"]}
        moved += sum(Decimal(one["cash"]) for one in entries if one["ref"] in trades)
    return moved


async def orders_of(desk: Trading, state: ArbitrageState) -> AsyncIterator[tuple[Venue, Any, Any]]:
    """Each order of the arbitrage as its exchange shows it, with all entries of that account."""
    books: Any = await desk.control.state()
    mine = {(one.order.venue, one.identity.key) for one in state.intents}
    for venue in Venue:
        for order in books[venue]["orders"]:
            if (venue, order["client_id"] or order["order_id"]) in mine:
                yield venue, order, books[venue]["entries"]


def beyond(state: ArbitrageState) -> Decimal:
    """What orders at Polymarket returned beyond their own sizes, with the dust that is kept."""
    extra = Decimal(DUST)
    for one in state.intents:
        filled = sum(f.size for f in state.fills if f.intent_id == one.order.intent_id)
        extra += max(filled - one.order.size, Decimal(0))
    return extra


async def made_even(desk: Trading, arb_id: str, lost: Venue) -> Snapshot:
    """Where it comes to rest: even, and the late fill is over."""
    after = await desk.until_at_rest(handle_of(desk.client, arb_id), seconds=30)
    assert after.phase in (Phase.FLAT, Phase.HOLDING), after.story
    state = await desk.desk.journal.arbitrage(arb_id)
    assert (state.phase, state.leg(lost).bought > 0) == (after.phase, True)
    # By the exchanges' own books: what one order returned beyond its size is no gap.
    held = await at_the_exchanges(desk, state)
    assert max(held[venue] - held[venue.sibling] for venue in Venue) <= beyond(state), after.story
    assert {venue: state.leg(venue).held for venue in Venue} == held
    assert not await desk.desk.journal.read(alarms.open_alarms)
    return after


@pytest.mark.parametrize("lost", list(Venue))
@pytest.mark.parametrize("slow", [False, True], ids=["final", "provisional"])
async def test_a_fill_that_lands_during_the_sale_of_its_sibling_is_made_even(
    patient: Trading, pair: str, lost: Venue, slow: bool
) -> None:
    arb_id = await until_sold_alone(patient, pair, lost)
    async with patient.slow_chain(1_000 if slow else 20):
        late = await arrives(patient, pair, arb_id, lost)
        name = f"{arb_id}/{lost}/entry/1"
        await patient.desk.journal.record_answer(name, late, patient.desk.wall_ms())
        await made_even(patient, arb_id, lost)


@pytest.mark.parametrize("slow", [False, True], ids=["final", "provisional"])
async def test_a_fill_that_lands_as_the_end_is_written_down_takes_it_back(
    patient: Trading, pair: str, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every report has been read by then: only the journal knows."""
    lost, journal = Venue.POLYMARKET, patient.desk.journal
    arb_id = await until_sold_alone(patient, pair, lost)
    async with patient.slow_chain(1_000 if slow else 20):
        late, ends = await arrives(patient, pair, arb_id, lost), Counter[Point]()

        def lands(point: Point, *_: str) -> None:
            ends[point] += 1
            if point is Point.BEFORE_END and ends[point] == 1:
                name, now_ms = f"{arb_id}/{lost}/entry/1", patient.desk.wall_ms()
                journal.database.write_here(lambda s: intents.record_answer(s, name, late, now_ms))

        monkeypatch.setattr(settle, "hit", lands)
        after = await made_even(patient, arb_id, lost)
    assert any("not over yet" in line.said for line in after.story), after.story


@pytest.mark.parametrize("lost", list(Venue))
async def test_a_fill_that_turns_up_after_its_leg_was_bought_again_is_sold(
    steady: Trading, pair: str, lost: Venue
) -> None:
    """The leg was completed beside a whole sibling: what comes on top is no better price."""
    await steady.control.fault(lost, pair, "buy", "drop_before")
    handle = await steady.hold(pair)
    before = await steady.desk.journal.arbitrage(handle.id)
    assert before.leg(lost).held >= before.opportunity.size
    (again,) = (one for one in before.intents if one.order.purpose is Purpose.COMPLETE)
    assert again.order.venue is lost
    late = await arrives(steady, pair, handle.id, lost)
    name = f"{handle.id}/{lost}/entry/1"
    await steady.desk.journal.record_answer(name, late, steady.desk.wall_ms())
    known = await steady.desk.journal.read(alarms.open_alarms)
    assert [alarm.code for alarm in known] == ["LATE_FILL"]

    def sells(now: Snapshot) -> bool:
        phases = [line.phase for line in now.story]
        return Phase.UNWINDING in phases[phases.index(Phase.HOLDING) :]

    await steady.until(handle, sells)
    await made_even(steady, handle.id, lost)
    after = await steady.desk.journal.arbitrage(handle.id)
    shown = await steady.desk.journal.trade_log.positions(after.mode)
    (position,) = (one for one in shown if one.arb_id == handle.id)
    assert (position.poly_size, position.kalshi_size) == (after.polymarket.held, after.kalshi.held)


@pytest.mark.parametrize("phase", [Phase.SETTLING, Phase.SETTLED])
@pytest.mark.parametrize("slow", [False, True], ids=["final", "provisional"])
async def test_a_fill_that_lands_as_a_payout_is_written_down_is_paid_too(
    steady: Trading, pair: str, phase: Phase, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venues paid for more than was counted: the end is taken back, and nobody is locked out
    of a trade that cannot end."""
    lost, journal = Venue.POLYMARKET, steady.desk.journal
    await steady.control.fault(lost, pair, "buy", "drop_before")
    handle = await steady.hold(pair, bounds=FEW_TRIES)
    name, landed = f"{handle.id}/{lost}/entry/1", Counter[str]()
    async with steady.slow_chain(1_500 if slow else 20):
        late = await arrives(steady, pair, handle.id, lost)

        def lands(_: Point, *told: str) -> None:
            landed.update(told[:1])
            if told[:1] == (phase,) and landed[phase] == 1:
                now_ms = steady.desk.wall_ms()
                journal.database.write_here(lambda s: intents.record_answer(s, name, late, now_ms))

        monkeypatch.setattr(settle, "hit", lands)
        await steady.control.resolve(pair, "yes", "yes")
        after = await asyncio.wait_for(handle.result(), 30)
    assert any("not over yet" in line.said for line in after.story), after.story
    state = await journal.arbitrage(handle.id)
    assert (state.phase, state.realised) == (Phase.SETTLED, after.realised_profit)
    paid = {verdict.venue: verdict.cash for verdict in after.verdicts}
    held = await at_the_exchanges(steady, state)
    assert paid == {Venue.POLYMARKET: held[Venue.POLYMARKET], Venue.KALSHI: 0}
    assert held[Venue.POLYMARKET] >= 2 * held[Venue.KALSHI]
    brought = await traded_at_the_exchanges(steady, state)
    assert after.realised_profit == brought + sum(paid.values())
    assert not await journal.read(alarms.open_alarms)


async def test_a_close_is_answered_once_its_end_is_written_down(
    steady: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fill that lands as it is takes the end back: nobody was told that nothing is held."""
    lost, journal = Venue.KALSHI, steady.desk.journal
    await steady.control.fault(lost, pair, "buy", "drop_before")
    handle = await steady.hold(pair)
    late, ends = await arrives(steady, pair, handle.id, lost), Counter[Point]()
    name = f"{handle.id}/{lost}/entry/1"

    def lands(point: Point, *_: str) -> None:
        ends[point] += 1
        if point is Point.BEFORE_END and ends[point] == 1:
            now_ms = steady.desk.wall_ms()
            journal.database.write_here(lambda s: intents.record_answer(s, name, late, now_ms))

    monkeypatch.setattr(settle, "hit", lands)
    closed = await close(handle)
    assert ends[Point.BEFORE_END] == 2
    assert closed.phase is Phase.FLAT
    assert any("not over yet" in line.said for line in closed.story), closed.story
    state = await journal.arbitrage(handle.id)
    assert state.phase is Phase.FLAT
    assert max(state.polymarket.held, state.kalshi.held) == 0
