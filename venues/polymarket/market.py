"""The rules of one market, and why some markets must not be traded by fill-or-kill."""

from decimal import Decimal

from domain.fees import PolymarketFee
from domain.money import CENT, ONE, ZERO, Size, Usd
from domain.venue import Instrument, Outcome, TickBand, Venue
from venues.polymarket.shapes import ClobMarket, GammaMarket
from venues.port import Untradable

TICKS = tuple(Decimal(tick) for tick in ("0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"))
MARKETABLE_BUY = Usd(ONE)
PAYS = (ZERO, Decimal("0.5"), ONE)


def untradable(clob: ClobMarket, gamma: GammaMarket | None) -> Untradable | None:
    """The first rule that the market breaks, None where it may be traded.

    Delayed matching (sports `secondsDelay`, `itode` markets) leaves the answer open for seconds;
    protocol v2 signs for another exchange. Both are refused rather than guessed at.
    """
    if gamma is None:
        return Untradable("market_unknown", f"Gamma lists no market {clob.market}")
    checks = (
        (gamma.version == "v1", "protocol_version", f"expected v1, found {gamma.version!r}"),
        (gamma.tokens == clob.tokens, "token_mismatch", f"Gamma and CLOB differ on {clob.market}"),
        (not gamma.closed, "market_closed", "Gamma says closed"),
        (gamma.active, "market_inactive", "Gamma says not active"),
        (gamma.accepting, "not_accepting_orders", "Gamma says acceptingOrders false"),
        (gamma.order_book, "no_order_book", "Gamma says enableOrderBook false"),
        (gamma.seconds_delay == ZERO, "taker_delay", f"secondsDelay {gamma.seconds_delay}"),
        (not clob.delayed, "taker_delay", "the CLOB says itode"),
        (clob.tick in TICKS, "unknown_tick", f"expected a tick of {TICKS}, found {clob.tick}"),
        (
            clob.rate is not None or not gamma.fees_enabled,
            "fee_unknown",
            "fees are enabled but the CLOB names no schedule",
        ),
        (clob.exponent == ONE, "fee_exponent", f"expected exponent 1, found {clob.exponent}"),
    )
    for holds, reason, detail in checks:
        if not holds:
            return Untradable(reason, detail)
    return None


def instrument_of(clob: ClobMarket, outcome: Outcome) -> Instrument:
    """One outcome of a tradable market; prices run from one tick to one tick below a dollar."""
    return Instrument(
        venue=Venue.POLYMARKET,
        market=clob.market,
        token=clob.tokens[0 if outcome is Outcome.YES else 1],
        outcome=outcome,
        ticks=(TickBand(clob.tick, ONE - clob.tick, clob.tick),),
        size_step=Size(CENT),
        size_min=clob.size_min,
        notional_min=MARKETABLE_BUY,
        fee=PolymarketFee(clob.rate if clob.rate is not None else ZERO),
        neg_risk=clob.neg_risk,
    )


def verdict(gamma: GammaMarket, outcome: Outcome) -> Decimal | None:
    """What one contract pays once the market has resolved, None before.

    A closed market shows last prices until its oracle has spoken, so only 1/0, 0/1 and 0.5/0.5
    count, and a named resolution status must say resolved.
    """
    settled = gamma.closed and gamma.resolution_status in ("", "resolved")
    sound = all(pays in PAYS for pays in gamma.prices) and sum(gamma.prices) == ONE
    if not (settled and sound):
        return None
    return gamma.prices[0 if outcome is Outcome.YES else 1]
