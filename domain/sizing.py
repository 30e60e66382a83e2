"""How many contracts to buy at both venues, from both ladders and the settings.

Depth and limits only: for every pair of limits, the largest whole number of contracts that both
depths, the budget and the cash allow. What counts is the worst case: size times limit plus the
fee bound, never the walked cost of a lucky book.
"""

from dataclasses import dataclass
from decimal import Decimal

from domain.book import Book, depth, walk
from domain.fees import PolymarketFee
from domain.money import CENT, ONE, ZERO, Price, Size, Usd, cost_ceil, floor_to, on_grid
from domain.opportunity import Opportunity, PlannedLeg, Refused, opportunity_key
from domain.pair import Pair
from domain.policy import ExecutorSettings, Refusal
from domain.trade import roi_percent
from domain.venue import Instrument

LEVELS_MAX = 8
LOT = ONE


@dataclass(frozen=True, slots=True)
class Side:
    """One venue's half of the question: what to buy, from which book, with how much cash."""

    instrument: Instrument
    book: Book
    cash: Usd


def size_pair(
    pair: Pair, polymarket: Side, kalshi: Side, settings: ExecutorSettings, seen_ns: int
) -> Opportunity | Refused:
    """The plan with the largest guaranteed profit inside the settings, or why there is none."""
    for side in (polymarket, kalshi):
        if side.book.crossed:
            return Refused(Refusal.BOOK_CROSSED, f"{side.book.venue} bids meet its asks")
        if not side.book.asks:
            return Refused(Refusal.BOOK_EMPTY, f"{side.book.venue} offers nothing")
    best: Opportunity | None = None
    refused: Refused | None = None
    for cap_polymarket in _caps(polymarket):
        for cap_kalshi in _caps(kalshi):
            plan = _plan(pair, polymarket, cap_polymarket, kalshi, cap_kalshi, settings, seen_ns)
            if isinstance(plan, Refused):
                refused = refused or plan
            elif best is None or plan.profit > best.profit:
                best = plan
    return best or refused or Refused(Refusal.BOOK_EMPTY, "no price on both grids")


def _caps(side: Side) -> list[Price]:
    """Limits worth trying: each level's price, on a grid where both venues take it exactly.

    Polymarket counts dollars of a BUY in whole cents, so its limit is raised to a whole cent.
    """
    caps: list[Price] = []
    for level in side.book.asks[:LEVELS_MAX]:
        cap = side.instrument.price_at_least(level.price)
        if isinstance(side.instrument.fee, PolymarketFee) and not on_grid(cap, CENT):
            cap = Price(floor_to(cap, CENT) + CENT)
        if cap not in caps and side.instrument.allows_price(cap):
            caps.append(cap)
    return caps


def _plan(
    pair: Pair,
    polymarket: Side,
    cap_polymarket: Price,
    kalshi: Side,
    cap_kalshi: Price,
    settings: ExecutorSettings,
    seen_ns: int,
) -> Opportunity | Refused:
    per_contract = cap_polymarket + cap_kalshi
    if per_contract >= ONE:
        return Refused(
            Refusal.EDGE_BELOW_POLICY, f"expected prices below 1 together, found {per_contract}"
        )
    room = min(
        settings.max_bet / per_contract,
        depth(polymarket.book.asks, cap_polymarket, buying=True),
        depth(kalshi.book.asks, cap_kalshi, buying=True),
    )
    contracts = Size(floor_to(room, LOT))
    while contracts > ZERO:
        legs = _leg(polymarket, contracts, cap_polymarket), _leg(kalshi, contracts, cap_kalshi)
        outlay = Usd(legs[0].outlay + legs[1].outlay)
        if outlay <= settings.max_bet:
            return _within(pair, legs, contracts, outlay, (polymarket, kalshi), settings, seen_ns)
        contracts = Size(contracts - LOT)
    return Refused(
        Refusal.BET_ABOVE_MAXIMUM,
        f"expected one contract within max_bet {settings.max_bet} and the depth, found none",
    )


def _leg(side: Side, contracts: Size, cap: Price) -> PlannedLeg:
    walked = walk(side.book.asks, contracts)
    assert walked is not None, "the depth was counted before"
    notional = Usd(contracts * cap)
    fee = side.instrument.fee
    if isinstance(fee, PolymarketFee):
        bound = fee.bound_buy(notional, walked.best)
    else:
        bound = fee.bound_buy(contracts, cap)
    return PlannedLeg(
        instrument=side.instrument,
        size=contracts,
        limit=cap,
        best=walked.best,
        expected=walked.notional,
        fee_bound=bound,
        outlay=cost_ceil(notional + bound),
        book_version=side.book.version,
        book_at_ms=side.book.at_ms,
    )


def _within(
    pair: Pair,
    legs: tuple[PlannedLeg, PlannedLeg],
    contracts: Size,
    outlay: Usd,
    sides: tuple[Side, Side],
    settings: ExecutorSettings,
    seen_ns: int,
) -> Opportunity | Refused:
    """The plan, if every rule of the settings and of both venues holds for it."""
    profit = Usd(contracts - outlay)
    roi = roi_percent(profit, outlay)
    short = _cash_refusal(legs, sides)
    rules = (
        (profit > ZERO and roi >= settings.min_roi, Refusal.EDGE_BELOW_POLICY, settings.min_roi),
        (roi <= settings.max_roi, Refusal.ROI_ABOVE_POLICY, settings.max_roi),
    )
    for holds, reason, bound in rules:
        if not holds:
            return Refused(reason, f"expected a roi against {bound} %, found {roi:.3f} %")
    for leg in legs:
        low = leg.instrument
        if contracts < low.size_min or contracts * leg.limit < low.notional_min:
            return Refused(
                Refusal.SIZE_BELOW_VENUE_MINIMUM,
                f"{low.venue} expects {low.size_min} contracts and ${low.notional_min}, "
                f"found {contracts} at {leg.limit}",
            )
    if short is not None:
        return short
    if outlay < settings.min_bet:
        return Refused(
            Refusal.BET_BELOW_MINIMUM,
            f"expected an outlay of {settings.min_bet} or more, found {outlay}",
        )
    return Opportunity(
        key=opportunity_key(pair.pair_id, *legs),
        pair_id=pair.pair_id,
        title=pair.title,
        polymarket=legs[0],
        kalshi=legs[1],
        size=contracts,
        outlay=outlay,
        payout=Usd(Decimal(contracts)),
        profit=profit,
        roi=roi,
        seen_ns=seen_ns,
    )


def _cash_refusal(legs: tuple[PlannedLeg, PlannedLeg], sides: tuple[Side, Side]) -> Refused | None:
    reasons = (Refusal.POLYMARKET_CASH_TOO_LOW, Refusal.KALSHI_CASH_TOO_LOW)
    for leg, side, reason in zip(legs, sides, reasons, strict=True):
        if leg.outlay > side.cash:
            return Refused(reason, f"expected {leg.outlay} free, found {side.cash}")
    return None
