"""A fill that turns up late, while the other leg is being sold: it is seen before the end."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from activities import settle
from domain.decision import excess_of
from domain.order import Filled, NotFilled, Purpose
from domain.trade import Phase
from domain.venue import Venue
from store import alarms, intents
from store.failpoints import Point
from tests.support.trading import Trading
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
    await desk.control.fault(lost.sibling, pair, "sell", "delay", params={"ms": 700})
    handle = await desk.reach(pair, Phase.RESOLVING, Phase.UNWINDING, gone=lost)
    while not await sale_left(desk, handle.id):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    return handle.id


async def made_even(desk: Trading, arb_id: str, lost: Venue) -> Snapshot:
    """Where it comes to rest: even, and the late fill is over."""
    after = await desk.until_at_rest(handle_of(desk.client, arb_id), seconds=30)
    assert after.phase in (Phase.FLAT, Phase.HOLDING), after.story
    state = await desk.desk.journal.arbitrage(arb_id)
    assert (state.phase, state.leg(lost).bought > 0) == (after.phase, True)
    naked = excess_of(state.polymarket, state.kalshi), excess_of(state.kalshi, state.polymarket)
    assert max(naked) == 0, after.story
    assert not await desk.desk.journal.read(alarms.open_alarms)
    return after


@pytest.mark.parametrize("lost", list(Venue))
@pytest.mark.parametrize("slow", [False, True], ids=["final", "provisional"])
async def test_a_fill_that_lands_during_the_sale_of_its_sibling_is_made_even(
    steady: Trading, pair: str, lost: Venue, slow: bool
) -> None:
    arb_id = await until_sold_alone(steady, pair, lost)
    async with steady.slow_chain(1_000 if slow else 20):
        late = await arrives(steady, pair, arb_id, lost)
        name = f"{arb_id}/{lost}/entry/1"
        await steady.desk.journal.record_answer(name, late, steady.desk.wall_ms())
        await made_even(steady, arb_id, lost)


@pytest.mark.parametrize("slow", [False, True], ids=["final", "provisional"])
async def test_a_fill_that_lands_as_the_end_is_written_down_takes_it_back(
    steady: Trading, pair: str, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every report has been read by then: only the journal knows."""
    lost, journal = Venue.POLYMARKET, steady.desk.journal
    arb_id = await until_sold_alone(steady, pair, lost)
    async with steady.slow_chain(1_000 if slow else 20):
        late, ends = await arrives(steady, pair, arb_id, lost), Counter[Point]()

        def lands(point: Point, *_: str) -> None:
            ends[point] += 1
            if point is Point.BEFORE_END and ends[point] == 1:
                name, now_ms = f"{arb_id}/{lost}/entry/1", steady.desk.wall_ms()
                journal.database.write_here(lambda s: intents.record_answer(s, name, late, now_ms))

        monkeypatch.setattr(settle, "hit", lands)
        after = await made_even(steady, arb_id, lost)
    assert any("not over yet" in line.said for line in after.story), after.story
