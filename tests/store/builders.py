"""Arbitrages, orders and fills for the journal's tests, with defaults for everything."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from domain.fees import KalshiFee, PolymarketFee
from domain.funds import Funds
from domain.identity import client_order_id, intent_id
from domain.money import Size, Usd, price, size, usd
from domain.opportunity import Opportunity, PlannedLeg
from domain.order import Fill, FillState, Identity, Order, Purpose
from domain.venue import Action, Instrument, Mode, Outcome, TickBand, TimeInForce, Venue
from store import outbox
from store.audit import Act
from store.gate import GateRequest, Granted
from store.intents import StoredIntent
from store.journal import Journal
from store.place import Place
from tests.support.places import place

NOW = 1_790_000_000_000
"""2026-09-21T14:13:20Z: a wall-clock time, as every time in these tests."""

CENT_TICKS = (TickBand(Decimal("0.01"), Decimal("0.99"), Decimal("0.01")),)


def an_act(at_ms: int = NOW, actor: str = "ada") -> Act:
    return Act(actor, "test", at_ms)


def an_instrument(venue: Venue, outcome: Outcome, market: str = "game") -> Instrument:
    fee = PolymarketFee(Decimal("0.02")) if venue is Venue.POLYMARKET else KalshiFee(Decimal(1))
    return Instrument(
        venue=venue,
        market=f"{market}-{venue}",
        token=f"{market}-{venue}-{outcome}",
        outcome=outcome,
        ticks=CENT_TICKS,
        size_step=size("1"),
        size_min=size("1"),
        notional_min=usd("1"),
        fee=fee,
    )


def a_leg(instrument: Instrument, contracts: Size, limit: str, fee: str) -> PlannedLeg:
    cap = price(limit)
    return PlannedLeg(
        instrument=instrument,
        size=contracts,
        limit=cap,
        best=cap,
        expected=usd(contracts * cap),
        fee_bound=usd(fee),
        outlay=usd(contracts * cap + usd(fee)),
        book_version=7,
        book_at_ms=NOW - 100,
    )


def an_opportunity(
    key: str = "1",
    pair: str | None = None,
    contracts: str = "10",
    limits: str = "0.50 0.40",
    market: str | None = None,
) -> Opportunity:
    """Ten YES at Polymarket for 0.50 and ten NO at Kalshi for 0.40: $9.20 with fees. The markets
    are the pair's own, unless they are named."""
    count = size(contracts)
    polymarket_limit, kalshi_limit = limits.split()
    pair_id = pair or f"pair-{key}"
    yes = an_instrument(Venue.POLYMARKET, Outcome.YES, market or pair_id)
    no = an_instrument(Venue.KALSHI, Outcome.NO, market or pair_id)
    polymarket = a_leg(yes, count, polymarket_limit, "0.1")
    kalshi = a_leg(no, count, kalshi_limit, "0.1")
    outlay = Usd(polymarket.outlay + kalshi.outlay)
    profit = Usd(count - outlay)
    return Opportunity(
        key=key,
        pair_id=pair_id,
        title=f"Game {key}",
        polymarket=polymarket,
        kalshi=kalshi,
        size=count,
        outlay=outlay,
        payout=usd(count),
        profit=profit,
        roi=profit / outlay * 100,
        seen_ns=NOW * 1_000_000,
    )


def an_order(
    plan: Opportunity,
    venue: Venue,
    *,
    purpose: Purpose = Purpose.ENTRY,
    sequence: int = 1,
    contracts: str | None = None,
    limit: str | None = None,
    at_ms: int = NOW,
) -> Order:
    arb_id, leg = f"arb-{plan.key}", plan.leg(venue)
    return Order(
        intent_id=intent_id(arb_id, venue, purpose, sequence),
        arb_id=arb_id,
        instrument=leg.instrument,
        purpose=purpose,
        action=Action.BUY if purpose is Purpose.ENTRY else Action.SELL,
        size=leg.size if contracts is None else size(contracts),
        limit=leg.limit if limit is None else price(limit),
        time_in_force=TimeInForce.FOK,
        reduce_only=purpose is not Purpose.ENTRY,
        created_at_ms=at_ms,
        not_after_ms=at_ms + 2_000,
    )


def an_identity(order: Order) -> Identity:
    key = client_order_id(order.intent_id)
    return Identity(key, {"client_order_id": key, "count": str(order.size)})


def a_request(
    plan: Opportunity | None = None,
    *,
    worst_loss: str = "1",
    mode: Mode = Mode.SIM,
    now_ms: int = NOW,
) -> GateRequest:
    plan = plan or an_opportunity()
    orders = [an_order(plan, venue, at_ms=now_ms) for venue in Venue]
    return GateRequest(
        arb_id=f"arb-{plan.key}",
        opportunity=plan,
        mode=mode,
        orders=((orders[0], an_identity(orders[0])), (orders[1], an_identity(orders[1]))),
        worst_loss=usd(worst_loss),
        cooldown_ms=60_000,
        balance_age_ms_max=60_000,
        now_ms=now_ms,
    )


def a_fill(
    order: Order,
    *,
    trade: str = "t1",
    contracts: str | None = None,
    at: str | None = None,
    fee: str = "0.05",
    state: FillState = FillState.CONFIRMED,
) -> Fill:
    count = order.size if contracts is None else size(contracts)
    paid = order.limit if at is None else price(at)
    return Fill(
        venue=order.venue,
        trade_id=f"{order.intent_id}:{trade}",
        intent_id=order.intent_id,
        action=order.action,
        size=count,
        notional=usd(count * paid),
        fee=usd(fee),
        state=state,
        at_ms=order.created_at_ms + 50,
    )


def without_fee(fill: Fill) -> Fill:
    return replace(fill, fee=usd("0"))


async def ready(path: Path, *, cash: str = "1000", **settings: str | int | bool) -> Journal:
    """An open journal, enabled, with cash at both venues and these settings. On PostgreSQL the
    path stands for a schema."""
    return await ready_at(place(path), cash=cash, **settings)


async def ready_at(where: Place, *, cash: str = "1000", **settings: str | int | bool) -> Journal:
    """As `ready`, exactly there."""
    journal = Journal.open(where, NOW)
    await journal.settings.load()
    await journal.settings.update({"enabled": True, **settings}, 1, an_act())
    for venue in Venue:
        await journal.record_balance(venue, Mode.SIM, Funds(usd(cash)), NOW)
    return journal


async def admitted(
    journal: Journal, plan: Opportunity | None = None, mode: Mode = Mode.SIM
) -> GateRequest:
    """An arbitrage that the gate has let through."""
    request = a_request(plan, mode=mode)
    verdict = await journal.reserve(request)
    assert isinstance(verdict, Granted), verdict
    return request


async def plan_unwind(
    journal: Journal, order: Order, identity: Identity, now_ms: int
) -> StoredIntent:
    """Journal a sale, or what else follows the entries, with nothing that speaks against it."""
    stored = await journal.plan_step(order, identity, lambda _state, _order: None, now_ms)
    assert isinstance(stored, StoredIntent), stored
    return stored


async def put_message(
    journal: Journal, dedupe_key: str, topic: str, payload: Mapping[str, object], now_ms: int
) -> bool:
    """Write a message to the outbox unless one with this key is there."""
    return await journal.write(now_ms, lambda s: outbox.put(s, dedupe_key, topic, payload, now_ms))
