"""Fills fold to the same leg whatever order they arrive in, and their facts never change."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.leg import LegState
from domain.money import size, usd
from domain.order import Fill, Filled, FillState, Order
from domain.venue import Action, Venue
from store.errors import JournalConflict, NotJournaled
from store.journal import Journal
from tests.store.builders import NOW, a_fill, admitted, ready

P, C, V = FillState.PROVISIONAL, FillState.CONFIRMED, FillState.VOIDED


@pytest.fixture
async def sent(journal: Journal) -> Order:
    """A Polymarket entry that has been sent."""
    order = (await admitted(journal)).orders[0][0]
    await journal.mark_sent(order.intent_id, NOW + 1)
    return order


STATES = """
    first        second       stored
    provisional  provisional  provisional
    provisional  confirmed    confirmed
    provisional  voided       voided
    confirmed    provisional  confirmed
    confirmed    confirmed    confirmed
    voided       provisional  voided
    voided       voided       voided
    confirmed    voided       conflict
    voided       confirmed    conflict
"""
STATE_ROWS = [line.split() for line in STATES.strip().splitlines()[1:]]


@pytest.mark.parametrize(
    ("first", "second", "stored"), STATE_ROWS, ids=["-".join(r) for r in STATE_ROWS]
)
async def test_a_final_state_is_never_left(
    journal: Journal, sent: Order, first: str, second: str, stored: str
) -> None:
    await journal.record_fills([a_fill(sent, state=FillState(first))], NOW + 2)
    again = a_fill(sent, state=FillState(second))

    if stored == "conflict":
        with pytest.raises(JournalConflict, match=f"was {first}, now it is {second}"):
            await journal.record_fills([again], NOW + 3)
        stored = first
        assert (await journal.run_state()).halted
    else:
        await journal.record_fills([again], NOW + 3)

    [kept] = (await journal.arbitrage(sent.arb_id)).fills
    assert kept.state == stored


@pytest.mark.parametrize(
    "changed",
    [{"size": size("9")}, {"notional": usd("4.99")}, {"fee": usd("0.06")}],
    ids=["size", "notional", "fee"],
)
async def test_a_known_trade_with_other_amounts_is_a_conflict(
    journal: Journal, sent: Order, changed: dict[str, object]
) -> None:
    fill = a_fill(sent)
    await journal.record_fills([fill], NOW + 2)

    with pytest.raises(JournalConflict, match="as it was journaled"):
        await journal.record_fills([replace(fill, **changed)], NOW + 3)  # type: ignore[arg-type]


async def test_a_trade_of_another_order_or_direction_is_a_conflict(
    journal: Journal, sent: Order
) -> None:
    fill = a_fill(sent)
    await journal.record_fills([fill], NOW + 2)
    sibling = sent.intent_id.replace("polymarket", "kalshi")

    with pytest.raises(JournalConflict, match="is a buy at kalshi"):
        await journal.record_fills([replace(fill, intent_id=sibling)], NOW + 3)
    with pytest.raises(JournalConflict, match="that is a sell"):
        await journal.record_fills([replace(fill, action=Action.SELL)], NOW + 3)


async def test_a_fill_of_an_order_that_is_not_ours_is_refused(journal: Journal) -> None:
    order = (await admitted(journal)).orders[0][0]
    foreign = replace(a_fill(order), intent_id="somebody/else")
    with pytest.raises(NotJournaled):
        await journal.record_fills([foreign], NOW)


async def test_a_conflict_takes_back_the_whole_write(journal: Journal, sent: Order) -> None:
    await journal.record_fills([a_fill(sent, contracts="4")], NOW + 2)
    new = a_fill(sent, trade="t2", contracts="6")

    with pytest.raises(JournalConflict):
        await journal.record_fills([new, a_fill(sent, contracts="5")], NOW + 3)

    assert (await journal.arbitrage(sent.arb_id)).polymarket.held == size("4")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_order_of_arrival_gives_the_same_leg(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([C, V])), max_size=4))
    told: list[tuple[str, int, FillState]] = []
    for number, (count, end) in enumerate(parts):
        told += [(f"t{number}", count, P), (f"t{number}", count, end)]
    shuffled = data.draw(st.permutations([*told, *told]))

    async def arrive(sequence: list[tuple[str, int, FillState]]) -> LegState:
        with tempfile.TemporaryDirectory() as folder:
            journal = await ready(Path(folder) / "journal.db")
            order = (await admitted(journal)).orders[0][0]
            await journal.mark_sent(order.intent_id, NOW + 1)
            for trade, count, state in sequence:
                fill = a_fill(order, trade=trade, contracts=str(count), state=state)
                await journal.record_fills([fill], NOW + 2)
            leg = (await journal.arbitrage(order.arb_id)).leg(Venue.POLYMARKET)
            journal.close()
            return leg

    leg = asyncio.run(arrive(shuffled))

    assert leg.held == sum(count for count, end in parts if end is C)
    assert leg.settled


async def test_recording_says_which_arbitrages_changed(journal: Journal, sent: Order) -> None:
    fill: Fill = a_fill(sent, state=P)
    assert await journal.record_fills([fill], NOW + 2) == (sent.arb_id,)
    assert await journal.record_fills([fill], NOW + 3) == ()
    assert await journal.record_fills([replace(fill, state=C)], NOW + 4) == (sent.arb_id,)


async def test_an_answer_brings_its_own_fills_only(journal: Journal, sent: Order) -> None:
    other = replace(a_fill(sent), intent_id=sent.intent_id.replace("polymarket", "kalshi"))
    with pytest.raises(JournalConflict, match="by fills of its own"):
        await journal.record_answer(sent.intent_id, Filled("x", (other,)), NOW + 2)
