"""An order on the way to an even pair, asked of the legs as they are when it is written down."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.step import overtaken
from domain.order import Answer, Filled, NotFilled, Order, Purpose, Rejection
from domain.venue import Action, Venue
from store.intents import StoredIntent
from tests.domain.tables import rows
from tests.store.builders import NOW, a_fill, admitted, an_identity, an_order, ready

# What both legs hold in the journal, and what an order for Polymarket's leg may do about it. A
# workflow that was reset decides on what it remembers: it may want any of these.
ROOM = """
    polymarket  kalshi  purpose   size  leaves
    0           10      complete  10    yes
    0           0       complete  10    expected to buy at most 0, found 10
    10          10      complete  10    expected to buy at most 0, found 10
    4           10      complete  6     yes
    4           10      complete  7     expected to buy at most 6, found 7
    10          0       unwind    10    yes
    10          10      unwind    10    expected to sell at most 0, found 10
    10          4       unwind    6     yes
    10          4       unwind    7     expected to sell at most 6, found 7
    0           10      unwind    10    expected to sell at most 0, found 10
    10          10      close     10    yes
    4           10      close     5     expected to sell at most 4, found 5
    10          ?       unwind    10    arb-1/kalshi/entry/1 has no answer yet
    10          ?       close     10    arb-1/kalshi/entry/1 has no answer yet
    ?           10      complete  10    arb-1/polymarket/entry/1 has no answer yet
"""


@pytest.mark.parametrize(("polymarket", "kalshi", "purpose", "size", "leaves"), rows(ROOM))
async def test_a_step_is_refused_by_what_the_legs_hold(
    tmp_path: Path, polymarket: str, kalshi: str, purpose: str, size: str, leaves: str
) -> None:
    journal = await ready(tmp_path / "journal.db")
    request = await admitted(journal)
    for (order, _), held in zip(request.orders, (polymarket, kalshi), strict=True):
        await journal.mark_sent(order.intent_id, NOW + 1)
        if held != "?":
            await journal.record_answer(order.intent_id, _answer(order, held), NOW + 50)
    wanted = an_order(
        request.opportunity,
        Venue.POLYMARKET,
        purpose=Purpose(purpose),
        sequence=2,
        contracts=size,
        at_ms=NOW + 100,
    )
    if wanted.purpose is Purpose.COMPLETE:
        wanted = replace(wanted, action=Action.BUY, reduce_only=False)

    planned = await journal.plan_step(wanted, an_identity(wanted), overtaken, NOW + 100)

    if leaves == "yes":
        assert isinstance(planned, StoredIntent)
        assert planned.order == wanted
    else:
        assert planned == leaves
    journal.close()


def _answer(order: Order, held: str) -> Answer:
    if held == "0":
        return NotFilled(Rejection.KILLED, "no offer")
    return Filled("order-1", (a_fill(order, contracts=held),))
