"""What may happen to a few arbitrages, in any order: for properties that hold whatever does."""

from hypothesis import strategies as st

from domain.order import Answer, Filled, NotFilled, Purpose, Rejection
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import (
    NOW,
    a_fill,
    a_request,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
)

FATES = st.sampled_from(["fill", "kill"])
STEPS = st.tuples(
    st.sampled_from(["lock", "reopen", "sell", "settle", "pay", "flat", "end"]),
    st.integers(0, 2),
    st.sampled_from(list(Venue)),
    st.sampled_from(["0.35", "0.45", "0.60"]),
)


async def perform(journal: Journal, act: str, number: int, venue: Venue, limit: str) -> None:
    plan = an_opportunity(f"n{number}", pair=f"pair-{number}")
    arb_id, entry = f"arb-n{number}", an_order(plan, venue)
    match act:
        case "ask":
            await journal.reserve(a_request(plan, worst_loss="1.5"))
        case "fill" | "kill":
            answer: Answer = NotFilled(Rejection.KILLED, "no depth")
            if act == "fill":
                answer = Filled("order", (a_fill(entry),))
            if (await journal.intent(entry.intent_id)).answer is None:
                await journal.mark_sent(entry.intent_id, NOW + 1)
                await journal.record_answer(entry.intent_id, answer, NOW + 2)
        case "lock":
            await journal.lock(arb_id, TradeStatus.SUCCESS, {}, NOW + 3)
        case "reopen":
            await journal.set_phase(arb_id, Phase.UNWINDING, NOW + 4, status=TradeStatus.PARTIAL)
        case "sell":
            sale = an_order(plan, venue, purpose=Purpose.UNWIND, limit=limit)
            if (await journal.arbitrage(arb_id)).leg(venue).held > 0:
                stored = await plan_unwind(journal, sale, an_identity(sale), NOW + 5)
                await journal.mark_sent(sale.intent_id, NOW + 6)
                sold = Filled("sale", (a_fill(stored.order),))
                await journal.record_answer(sale.intent_id, sold, NOW + 7)
        case "settle":
            await journal.set_phase(arb_id, Phase.SETTLING, NOW + 8)
        case "pay":
            if (await journal.arbitrage(arb_id)).closed_at_ms is None:
                await journal.record_payout(arb_id, venue, plan.payout, NOW + 9)
        case "flat" | "end":
            phase = Phase.FLAT if act == "flat" else Phase.SETTLED
            end = Conclusion(arb_id, phase, TradeStatus.ROLLED_BACK, act, {}, NOW + 10)
            await journal.conclude(end)
