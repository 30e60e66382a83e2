"""Builders with defaults, so that a test names only what it is about."""

from collections.abc import Iterable
from decimal import Decimal

from domain.book import Book, ladder
from domain.fees import Fee, KalshiFee, PolymarketFee
from domain.leg import LegState
from domain.money import price, size, usd
from domain.order import Fill, FillState
from domain.pair import Confidence, Pair
from domain.sizing import Side
from domain.venue import Action, Instrument, Outcome, TickBand, Venue


def a_pair(
    name: str = "p1",
    title: str = "Celtics beat Lakers",
    condition: str = "0xc0nd1t10n",
    ticker: str = "KXNBAGAME-BOS",
    confidence: Confidence = Confidence.LOW,
) -> Pair:
    """A pair that names the tokens which a LocalVenue lists under its condition."""
    yes, no = (f"{condition}:{outcome}" for outcome in Outcome)
    return Pair(name, title, condition, ticker, confidence, token_yes=yes, token_no=no)


PAIR = a_pair()
KALSHI_FEE = KalshiFee(Decimal(1))
POLYMARKET_FEE = PolymarketFee(Decimal("0.05"))


def an_instrument(
    venue: Venue,
    outcome: Outcome = Outcome.YES,
    *,
    tick: str = "0.01",
    fee: Fee | None = None,
    size_min: str = "0",
    notional_min: str = "0",
    size_step: str = "0.01",
) -> Instrument:
    """One outcome on an even grid of `tick`."""
    return Instrument(
        venue=venue,
        market=PAIR.condition_id if venue is Venue.POLYMARKET else PAIR.ticker,
        token=f"{venue}-{outcome}",
        outcome=outcome,
        ticks=(TickBand(Decimal(0), Decimal(1), Decimal(tick)),),
        size_step=size(size_step),
        size_min=size(size_min),
        notional_min=usd(notional_min),
        fee=fee or (POLYMARKET_FEE if venue is Venue.POLYMARKET else KALSHI_FEE),
    )


def a_book(
    instrument: Instrument,
    asks: Iterable[tuple[str | Decimal, str | int | Decimal]] = (),
    bids: Iterable[tuple[str | Decimal, str | int | Decimal]] = (),
    *,
    version: int = 1,
    received_ns: int = 0,
) -> Book:
    """A book of (price, size) levels in any order."""
    return Book(
        venue=instrument.venue,
        token=instrument.token,
        asks=ladder(((price(p), size(s)) for p, s in asks), best_is_lowest=True),
        bids=ladder(((price(p), size(s)) for p, s in bids), best_is_lowest=False),
        version=version,
        at_ms=0,
        received_ns=received_ns,
    )


def a_side(
    instrument: Instrument,
    asks: Iterable[tuple[str | Decimal, str | int | Decimal]],
    cash: str | Decimal = "1000",
) -> Side:
    """An instrument that is offered at `asks`, and dollars to buy it with."""
    return Side(instrument, a_book(instrument, asks), usd(cash))


def a_leg(
    venue: Venue,
    held: str,
    planned: str = "3",
    *,
    paid: str = "0",
    settled: bool = True,
    unknown: tuple[str, ...] = (),
) -> LegState:
    """A leg that bought what it holds."""
    return LegState(
        venue=venue,
        planned=size(planned),
        held=size(held),
        bought=size(held),
        settled=settled,
        unknown=unknown,
        paid=usd(paid),
    )


def a_fill(
    contracts: str | Decimal,
    notional: str | Decimal,
    *,
    trade_id: str = "t1",
    fee: str | Decimal = "0",
    action: Action = Action.BUY,
    state: FillState = FillState.CONFIRMED,
    venue: Venue = Venue.POLYMARKET,
) -> Fill:
    """One trade."""
    return Fill(
        venue=venue,
        trade_id=trade_id,
        intent_id="arb-1/polymarket/entry/1",
        action=action,
        size=size(contracts),
        notional=usd(notional),
        fee=usd(fee),
        state=state,
        at_ms=0,
    )
