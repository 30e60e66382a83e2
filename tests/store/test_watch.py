"""What alerts are told of orders and fills that are not final."""

from domain.order import Filled, FillState, Unknown
from domain.venue import Venue
from store import watch
from store.journal import Journal
from store.watch import Waiting
from tests.store.builders import NOW, a_fill, admitted

NOTHING = Waiting(0, None)


async def test_an_order_waits_from_its_sending_to_a_definite_answer(journal: Journal) -> None:
    order = (await admitted(journal)).orders[0][0]
    assert order.venue is Venue.POLYMARKET

    async def waiting() -> tuple[Waiting, Waiting, str]:
        found = await journal.read(watch.look)
        assert found.asked[Venue.KALSHI] == found.unknown[Venue.KALSHI] == NOTHING
        assert found.provisional[Venue.KALSHI] == 0
        here = Venue.POLYMARKET
        return found.asked[here], found.unknown[here], f"{found.provisional[here]:.2f}"

    assert await waiting() == (NOTHING, NOTHING, "0.00")
    await journal.mark_sent(order.intent_id, NOW + 1)
    assert await waiting() == (Waiting(1, NOW + 1), NOTHING, "0.00")
    await journal.record_answer(order.intent_id, Unknown("timed out"), NOW + 2)
    assert await waiting() == (Waiting(1, NOW + 1), Waiting(1, NOW + 1), "0.00")
    matched = Filled("order-1", (a_fill(order, state=FillState.PROVISIONAL),))
    await journal.record_answer(order.intent_id, matched, NOW + 3)
    assert await waiting() == (NOTHING, NOTHING, "5.00")
    await journal.record_fills([a_fill(order, state=FillState.CONFIRMED)], NOW + 4)
    assert await waiting() == (NOTHING, NOTHING, "0.00")


async def test_a_new_journal_was_never_compared(journal: Journal) -> None:
    compared = (await journal.read(watch.look)).compared
    assert (compared.whole_ms, compared.clean_ms) == (None, None)
