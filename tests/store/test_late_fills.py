"""A fill that comes after an arbitrage ended takes the end back, whoever writes the fill down."""

from dataclasses import replace
from functools import partial

import pytest

from domain.money import usd
from domain.order import Answer, Filled, FillState, NotFilled, Order, Purpose, Rejection
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import adoptions, fills, lifecycle
from store.alarms import open_alarms
from store.errors import StillOpen
from store.gate import GateRequest
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import (
    NOW,
    a_fill,
    admitted,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
)

LOST = NotFilled(Rejection.NEVER_ARRIVED, "missed 5 times")
KILLED = NotFilled(Rejection.KILLED, "no depth")


async def answered(journal: Journal) -> GateRequest:
    """Polymarket killed its order, Kalshi's is believed never to have arrived."""
    request = await admitted(journal)
    for (order, _), answer in zip(request.orders, (KILLED, LOST), strict=True):
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, answer, NOW + 2)
    return request


def an_end(request: GateRequest, **more: object) -> Conclusion:
    end = Conclusion(request.arb_id, Phase.FLAT, TradeStatus.FAILED, "both lost", {}, NOW + 3)
    return replace(end, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["answer", "fill"])
async def test_one_transaction_books_the_fill_and_takes_the_end_back(
    journal: Journal, by: str
) -> None:
    """Whatever dies after it: there is nothing left to do."""
    request = await answered(journal)
    await journal.conclude(an_end(request))
    kalshi = request.orders[1][0]

    if by == "answer":
        await journal.record_answer(kalshi.intent_id, Filled("2", (a_fill(kalshi),)), NOW + 9)
    else:
        await journal.record_fills((a_fill(kalshi),), NOW + 9)

    state = await journal.arbitrage(request.arb_id)
    assert (state.phase, state.closed_at_ms, state.realised) == (Phase.RESOLVING, None, None)
    assert state.kalshi.held == kalshi.size
    last = (await journal.events(request.arb_id))[-1]
    assert (last.kind, last.detail["why"]) == (
        "reopened",
        f"{kalshi.intent_id} was filled after all",
    )
    assert [alarm.code for alarm in await journal.read(open_alarms)] == ["LATE_FILL"]
    stats = await journal.trade_log.stats(state.mode, "2026-09-21")
    assert stats.at_risk == usd("1")


async def test_a_failure_of_what_a_person_had_ended_takes_the_end_back(journal: Journal) -> None:
    """His word ended it while the chain could still void a fill."""
    request = await admitted(journal)
    (polymarket, _), (kalshi, _) = request.orders
    matched = a_fill(polymarket, state=FillState.PROVISIONAL)
    for order, answer in ((polymarket, Filled("1", (matched,))), (kalshi, KILLED)):
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, answer, NOW + 2)
    await journal.conclude(an_end(request, moved_by_hand=usd("4")))

    await journal.record_fills((replace(matched, state=FillState.VOIDED),), NOW + 9)

    assert (await journal.arbitrage(request.arb_id)).phase is Phase.RESOLVING


async def test_a_fill_that_failed_takes_nothing_back(journal: Journal) -> None:
    request = await answered(journal)
    await journal.conclude(an_end(request))

    await journal.record_fills((a_fill(request.orders[1][0], state=FillState.VOIDED),), NOW + 9)

    assert (await journal.arbitrage(request.arb_id)).phase is Phase.FLAT


async def test_nothing_ends_flat_that_holds_anything_but_on_a_persons_word(
    journal: Journal,
) -> None:
    request = await answered(journal)
    kalshi = request.orders[1][0]
    await journal.record_fills((a_fill(kalshi),), NOW + 2)

    with pytest.raises(StillOpen, match="kalshi holds 10"):
        await journal.conclude(an_end(request))
    assert (await journal.arbitrage(request.arb_id)).closed_at_ms is None

    await journal.conclude(an_end(request, moved_by_hand=usd("4")))
    assert (await journal.arbitrage(request.arb_id)).phase is Phase.FLAT


@pytest.mark.parametrize("by_word", [False, True])
async def test_a_flat_end_that_was_not_taken_back_beside_its_fill_is_found_and_is_once(
    journal: Journal, by_word: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program died between both; what a person had ended waits for him."""
    request = await answered(journal)
    await journal.conclude(an_end(request, moved_by_hand=usd("4") if by_word else None))
    await admitted(journal, an_opportunity("beside"))
    assert await journal.read(lambda s: adoptions.forsaken(s, Mode.SIM)) == []
    with monkeypatch.context() as older:
        older.setattr(fills, "_take_back_end", lambda *_: None)
        await journal.record_fills((a_fill(request.orders[1][0]),), NOW + 9)
    assert (await journal.arbitrage(request.arb_id)).phase is Phase.FLAT

    found = await journal.read(lambda s: adoptions.forsaken(s, Mode.SIM))
    assert found == ([] if by_word else [request.arb_id])
    assert await journal.read(lambda s: adoptions.forsaken(s, Mode.LIVE)) == []
    for arb_id in found:
        await journal.write(NOW + 10, partial(adoptions.reopen, arb_id=arb_id, why="", now_ms=NOW))
    assert await journal.read(lambda s: adoptions.forsaken(s, Mode.SIM)) == []


@pytest.mark.parametrize(("sold", "held"), [("10", False), ("9.96", False), ("9.94", True)])
async def test_what_ended_flat_with_dust_is_left(
    journal: Journal, sold: str, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await admitted(journal)
    (polymarket, _), (kalshi, _) = request.orders
    sale = an_order(request.opportunity, Venue.POLYMARKET, purpose=Purpose.UNWIND, contracts=sold)
    await plan_unwind(journal, sale, an_identity(sale), NOW)
    answers: dict[Order, Answer] = {
        polymarket: Filled("1", (a_fill(polymarket),)),
        kalshi: KILLED,
        sale: Filled("3", (a_fill(sale),)),
    }
    for order, answer in answers.items():
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, answer, NOW + 2)
    monkeypatch.setattr(lifecycle, "_must_be_flat", lambda _: None)
    await journal.conclude(an_end(request, status=TradeStatus.ROLLED_BACK))
    found = await journal.read(lambda s: adoptions.forsaken(s, Mode.SIM))
    assert found == ([request.arb_id] if held else [])
