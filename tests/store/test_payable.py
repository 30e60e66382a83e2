"""What a venue may still pay without any payout being booked: open trades, and dust."""

import pytest

from domain.money import usd
from domain.order import Filled, Purpose
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import reconciliation
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import NOW, a_fill, admitted, an_identity, an_order, plan_unwind
from tests.store.test_trade_logger import answer_entries

# sold of 10 | how it ended | what Polymarket may still pay for it
CASES = """
  9.97 | dust  | 0.03
  9.95 | dust  | 0.05
  9.94 | word  | 0
  10   | even  | 0
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines(), ids=str.strip)
async def test_dust_that_a_trade_ended_with_may_be_paid(journal: Journal, case: str) -> None:
    sold, how, payable = (part.strip() for part in case.split("|"))
    request = await admitted(journal)
    await answer_entries(journal, request, kalshi="0")
    assert await _payable(journal) == usd(10)
    await journal.set_phase(request.arb_id, Phase.UNWINDING, NOW + 60)
    sale = an_order(
        request.opportunity,
        Venue.POLYMARKET,
        purpose=Purpose.UNWIND,
        contracts=sold,
        limit="0.45",
        at_ms=NOW + 70,
    )
    await plan_unwind(journal, sale, an_identity(sale), NOW + 70)
    await journal.mark_sent(sale.intent_id, NOW + 71)
    await journal.record_answer(sale.intent_id, Filled("sale", (a_fill(sale),)), NOW + 90)
    word = usd(1) if how == "word" else None
    await journal.conclude(
        Conclusion(request.arb_id, Phase.FLAT, TradeStatus.ROLLED_BACK, how, {}, NOW + 95, word)
    )
    assert await _payable(journal) == usd(payable)


async def _payable(journal: Journal) -> object:
    view = await journal.read(lambda s: reconciliation.view(s, Mode.SIM, (), 0, 0))
    return view.payable[Venue.POLYMARKET]
