"""From a market, its event and its series to an instrument, or why it must not be traded."""

from decimal import Decimal

from domain.fees import KalshiFee
from domain.money import CENT, NO_USD, ONE, Size
from domain.venue import Instrument, Outcome, TickBand, Venue
from venues.kalshi.shapes import Event, Market, Series
from venues.port import Resolution, Untradable

TAKER_FEES = frozenset(
    {"quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"}
)
"""Fee types whose taker pays 0.07 * multiplier * size * p * (1 - p); they differ for makers."""
DECIDED = frozenset({"determined", "amended", "finalized"})
LOT = Size(CENT)


def instrument(
    market: Market, event: Event, series: Series, outcome: Outcome, fee_grid: Decimal
) -> Instrument | Untradable:
    """The rules of one outcome. An event's own fee wins over its series'."""
    fee_type = event.fee_type or series.fee_type
    multiplier = series.fee_multiplier if event.fee_multiplier is None else event.fee_multiplier
    refused = _refused(market, fee_type)
    if refused:
        return refused
    shards = (market.exchange_index, event.exchange_index, series.exchange_index)
    return Instrument(
        venue=Venue.KALSHI,
        market=market.ticker,
        token=f"{market.ticker}:{outcome}",
        outcome=outcome,
        ticks=market.bands if outcome is Outcome.YES else complement(market.bands),
        size_step=LOT,
        size_min=LOT,
        notional_min=NO_USD,
        fee=KalshiFee(multiplier, fee_grid),
        exchange_index=next((shard for shard in shards if shard is not None), 0),
    )


def resolution(market: Market, outcome: Outcome) -> Resolution | None:
    """What one contract pays; None while the question is open or disputed."""
    if market.status not in DECIDED or not market.result:
        return None
    match market.result:
        case "yes" | "no":
            return Resolution(Decimal(market.result == outcome.value), None)
        case "scalar" if market.settlement_value is not None:
            value = market.settlement_value
            return Resolution(value if outcome is Outcome.YES else ONE - value, None)
        case _:
            return None


def complement(bands: tuple[TickBand, ...]) -> tuple[TickBand, ...]:
    """The same grid in prices of the other outcome."""
    flipped = (TickBand(ONE - band.end, ONE - band.start, band.step) for band in bands)
    return tuple(sorted(flipped, key=lambda band: band.start))


def _refused(market: Market, fee_type: str) -> Untradable | None:
    """Codes are stable: cards, logs and metrics show them."""
    expected = {
        "not_binary": ("market_type", market.market_type, {"binary"}),
        "not_active": ("status", market.status, {"active"}),
        "settlement_floor": ("settlement_bounds_type", market.bounds_type, {"default", ""}),
        "unknown_fee_type": ("fee_type", fee_type, TAKER_FEES),
        "unusual_payout": ("notional_value_dollars", market.notional, {ONE}),
        "no_price_grid": ("price_ranges", bool(market.bands), {True}),
    }
    for reason, (name, found, allowed) in expected.items():
        if found not in allowed:
            wanted = " or ".join(sorted(str(value) for value in allowed if value != ""))
            return Untradable(reason, f"{market.ticker}: {name}: expected {wanted}, found {found}")
    return None
