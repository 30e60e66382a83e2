"""Whatever happens to several arbitrages, the day's account equals the rows it sums up."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.order import Answer, Filled, NotFilled, Purpose, Rejection
from domain.trade import IllegalStep, Phase, TradeStatus
from domain.venue import Venue
from store.errors import NotJournaled, StillOpen
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import (
    NOW,
    a_fill,
    a_request,
    an_identity,
    an_opportunity,
    an_order,
    ready,
)
from tests.support.driver import sqlite3

ACCOUNTS = """
    SELECT
        (SELECT coalesce(sum(reserved_loss_micro), 0) FROM risk_days),
        (SELECT coalesce(sum(worst_loss_micro), 0) FROM reservations WHERE state = 'held'),
        (SELECT coalesce(sum(trades), 0) FROM risk_days),
        (SELECT count(*) FROM arbitrages WHERE phase <> 'REFUSED'),
        (SELECT coalesce(sum(realised_loss_micro), 0) FROM risk_days),
        (SELECT -coalesce(sum(min(realised_micro, 0)), 0) FROM arbitrages),
        (SELECT count(*) FROM executor_positions WHERE status = 'open'),
        (SELECT count(*) FROM executor_positions p JOIN arbitrages a ON a.id = p.event_key
            WHERE a.closed_ms IS NULL)
"""
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
                stored = await journal.plan_unwind(sale, an_identity(sale), NOW + 5)
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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    entries=st.lists(st.tuples(FATES, FATES), min_size=3, max_size=3),
    steps=st.lists(STEPS, min_size=5, max_size=30),
)
def test_the_day_sums_up_what_the_arbitrages_say(
    entries: list[tuple[str, str]], steps: list[tuple[str, int, Venue, str]]
) -> None:
    async def live(path: Path) -> None:
        journal = await ready(path)
        plain = sqlite3.connect(path)
        for number, fates in enumerate(entries):
            await perform(journal, "ask", number, Venue.KALSHI, "0.45")
            for venue, fate in zip(Venue, fates, strict=True):
                await perform(journal, fate, number, venue, "0.45")
        for act, number, venue, limit in steps:
            # A step that is not allowed here must leave the accounts as they were.
            with suppress(IllegalStep, StillOpen, NotJournaled):
                await perform(journal, act, number, venue, limit)
            found = plain.execute(ACCOUNTS).fetchone()
            assert found[0::2] == found[1::2], (act, number, found)
        assert not (await journal.run_state()).halted
        plain.close()
        journal.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder) / "journal.db"))
