"""Arbitrages written into a journal with chosen fills, where the figures are the test."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.wiring import wall_ms
from domain.funds import Funds
from domain.money import usd
from domain.order import Answer, Filled, FillState, NotFilled, Purpose, Rejection
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store.audit import Act
from store.gate import Granted
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import (
    a_fill,
    a_request,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
)

TITLE = "Lakers vs Celtics"
TICKER = "KXNBAGAME-27NOV-LALBOS"


@dataclass(frozen=True, slots=True)
class Bought:
    """A fill of an entry: contracts, dollars without fees, fee; `voided` by the venue later."""

    contracts: str
    dollars: str
    fee: str = "0"
    voided: bool = False


async def enter(
    journal: Journal,
    deals: Mapping[Venue, Bought | None],
    *,
    key: str = "1",
    contracts: str = "3",
    limits: str = "0.41 0.40",
    title: str = TITLE,
    ticker: str = TICKER,
) -> str:
    """An arbitrage whose entries were answered so (None: killed for lack of liquidity)."""
    now = wall_ms()
    saved = await journal.settings.load()
    act = Act("test", "test", now)
    await journal.settings.update({"enabled": True, "min_bet": "1"}, saved.version, act)
    plan = an_opportunity(key, contracts=contracts, limits=limits)
    instrument = replace(plan.kalshi.instrument, market=ticker)
    plan = replace(plan, title=title, kalshi=replace(plan.kalshi, instrument=instrument))
    for venue, cash in ((Venue.POLYMARKET, "9.15"), (Venue.KALSHI, "8.26")):
        await journal.record_balance(venue, Mode.SIM, Funds(usd(cash)), now)
    request = a_request(plan, now_ms=now)
    verdict = await journal.reserve(request)
    assert isinstance(verdict, Granted), verdict
    for order, _ in request.orders:
        deal = deals[order.venue]
        answer: Answer = NotFilled(Rejection.KILLED, "no liquidity")
        if deal is not None:
            state = FillState.VOIDED if deal.voided else FillState.CONFIRMED
            fill = replace(
                a_fill(order, contracts=deal.contracts, fee=deal.fee, state=state),
                notional=usd(deal.dollars),
            )
            answer = Filled(f"order-{order.venue}", (fill,))
        await journal.mark_sent(order.intent_id, now + 1)
        await journal.record_answer(order.intent_id, answer, now + 50)
    return request.arb_id


async def hold(journal: Journal, arb_id: str) -> None:
    """Both legs are held."""
    await journal.lock(arb_id, TradeStatus.SUCCESS, {}, wall_ms())


async def sell_back(
    journal: Journal, arb_id: str, venue: Venue, contracts: str, dollars: str, fee: str = "0"
) -> None:
    """The leg at one venue is sold, and the arbitrage ends rolled back."""
    await sell(journal, arb_id, venue, contracts, dollars, fee)
    await conclude(journal, arb_id, Phase.FLAT, TradeStatus.ROLLED_BACK)


async def close(journal: Journal, arb_id: str) -> None:
    """A held pair is sold for two dollars, and the arbitrage ends."""
    for venue in Venue:
        held = (await journal.arbitrage(arb_id)).leg(venue).held
        await sell(journal, arb_id, venue, str(held), "1")
    await conclude(journal, arb_id, Phase.FLAT, TradeStatus.SUCCESS)


async def sell(
    journal: Journal, arb_id: str, venue: Venue, contracts: str, dollars: str, fee: str = "0"
) -> None:
    """The leg at one venue is sold."""
    now = wall_ms()
    plan = (await journal.arbitrage(arb_id)).opportunity
    order = an_order(plan, venue, purpose=Purpose.UNWIND, contracts=contracts, at_ms=now)
    await plan_unwind(journal, order, an_identity(order), now)
    await journal.mark_sent(order.intent_id, now)
    fill = replace(a_fill(order, contracts=contracts, fee=fee), notional=usd(dollars))
    await journal.record_answer(order.intent_id, Filled("sale", (fill,)), now)


async def conclude(journal: Journal, arb_id: str, phase: Phase, status: TradeStatus) -> None:
    """The arbitrage ends."""
    await journal.conclude(Conclusion(arb_id, phase, status, "over", {}, wall_ms()))
