"""How many contracts to buy at both venues, from both ladders and the settings.

Depth and limits only: for every pair of limits, the largest whole number of contracts that both
books fill and that the budget and the cash allow. What counts is the worst case: size times limit
plus the fee bound, never the walked cost of a lucky book.
"""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal

from domain.book import Book, walk
from domain.buying import buy_limit, buyable
from domain.fees import PolymarketFee
from domain.money import (
    CENT,
    ONE,
    ZERO,
    Price,
    Size,
    Usd,
    ceil_to,
    cost_ceil,
    floor_to,
    plain,
    show_cost,
    show_usd,
)
from domain.opportunity import Opportunity, PlannedLeg, Refused, opportunity_key
from domain.pair import Pair
from domain.policy import ExecutorSettings, Refusal
from domain.trade import roi_percent
from domain.venue import Instrument

LEVELS_MAX = 8
LOT = ONE
NS_PER_MS = 1_000_000
TOO_SMALL = frozenset({Refusal.SIZE_BELOW_VENUE_MINIMUM, Refusal.BET_BELOW_MINIMUM})
NO_CASH = (Refusal.POLYMARKET_CASH_TOO_LOW, Refusal.KALSHI_CASH_TOO_LOW)
Legs = tuple[PlannedLeg, PlannedLeg]


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
    """Limits worth trying: one for each level's price, the lowest first."""
    caps: list[Price] = []
    for level in side.book.asks[:LEVELS_MAX]:
        cap = buy_limit(side.instrument, level.price)
        if cap is not None and cap not in caps:
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
            Refusal.EDGE_BELOW_POLICY, f"one of each costs ${per_contract}, and they pay $1"
        )
    sides, caps = (polymarket, kalshi), (cap_polymarket, cap_kalshi)
    filled = [
        buyable(side.instrument, side.book.asks, cap) for side, cap in zip(sides, caps, strict=True)
    ]
    most = int(floor_to(min(filled), LOT))
    if most == 0:
        return Refused(
            Refusal.BOOK_EMPTY, f"less than one of each can be bought at ${caps[0]} and ${caps[1]}"
        )

    def short(contracts: int) -> Refusal | None:
        return _too_dear(_legs(sides, caps, contracts), sides, settings)

    # The outlay grows with the size: the first size that cannot be paid ends the search.
    contracts = bisect_left(range(1, most + 1), True, key=lambda n: short(n) is not None)
    limited = short(contracts + 1) if contracts < most else None
    if contracts == 0:
        assert limited is not None, "no contract can be paid, so one is too dear"
        return _unpaid(limited, _legs(sides, caps, 1), sides, settings)
    plan = _within(pair, _legs(sides, caps, contracts), settings, seen_ns)
    if isinstance(plan, Refused) and plan.reason in TOO_SMALL and limited in NO_CASH:
        return _unpaid(limited, _legs(sides, caps, contracts + 1), sides, settings)
    return plan


def _legs(sides: tuple[Side, Side], caps: tuple[Price, Price], contracts: int) -> Legs:
    size = Size(Decimal(contracts))
    read_ns = max(side.book.received_ns for side in sides)
    return _leg(sides[0], size, caps[0], read_ns), _leg(sides[1], size, caps[1], read_ns)


def _leg(side: Side, contracts: Size, cap: Price, read_ns: int) -> PlannedLeg:
    walked = walk(side.book.asks, contracts)
    assert walked is not None, "the book fills the order, so it holds as many"
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
        book_lag_ms=(read_ns - side.book.received_ns) // NS_PER_MS,
    )


def _within(
    pair: Pair, legs: Legs, settings: ExecutorSettings, seen_ns: int
) -> Opportunity | Refused:
    """The plan, if every rule of the settings and of both venues holds for it."""
    contracts = legs[0].size
    outlay = Usd(legs[0].outlay + legs[1].outlay)
    profit = Usd(contracts - outlay)
    roi = roi_percent(profit, outlay)
    if profit <= ZERO or roi < settings.min_roi:
        return Refused(
            Refusal.EDGE_BELOW_POLICY,
            f"its gain is {floor_to(roi, CENT):.2f} %, and the settings ask for "
            f"{settings.min_roi} %",
        )
    if roi > settings.max_roi:
        return Refused(
            Refusal.ROI_ABOVE_POLICY,
            f"its gain is {ceil_to(roi, CENT):.2f} %, and above {plain(settings.max_roi)} % the "
            "two are hardly the same question",
        )
    for leg in legs:
        rule = leg.instrument
        if contracts < rule.size_min or contracts * leg.limit < rule.notional_min:
            return Refused(
                Refusal.SIZE_BELOW_VENUE_MINIMUM,
                f"{rule.venue} takes {rule.size_min} contracts and ${rule.notional_min} or more, "
                f"and it would be {contracts} at ${leg.limit}",
            )
    if outlay < settings.min_bet:
        return Refused(
            Refusal.BET_BELOW_MINIMUM,
            f"{contracts} of each cost {show_usd(outlay)}, and the settings ask for "
            f"{show_usd(settings.min_bet)} or more",
        )
    return Opportunity(
        key=opportunity_key(pair.pair_id, *legs),
        pair_id=pair.pair_id,
        title=pair.title,
        polymarket=legs[0],
        kalshi=legs[1],
        size=contracts,
        outlay=outlay,
        payout=Usd(contracts),
        profit=profit,
        roi=roi,
        seen_ns=seen_ns,
    )


def _too_dear(legs: Legs, sides: tuple[Side, Side], settings: ExecutorSettings) -> Refusal | None:
    """Which of max_bet and both balances these legs are too dear for; None where none is."""
    if legs[0].outlay + legs[1].outlay > settings.max_bet:
        return Refusal.BET_ABOVE_MAXIMUM
    for leg, side, reason in zip(legs, sides, NO_CASH, strict=True):
        if leg.outlay > side.cash:
            return reason
    return None


def _unpaid(
    reason: Refusal, legs: Legs, sides: tuple[Side, Side], settings: ExecutorSettings
) -> Refused:
    """The same in words; costs are rounded up, what is free is rounded down."""
    size = legs[0].size
    if reason is Refusal.BET_ABOVE_MAXIMUM:
        outlay = show_cost(legs[0].outlay + legs[1].outlay)
        return Refused(
            reason,
            f"{size} of each cost {outlay}, and the settings allow {show_usd(settings.max_bet)}",
        )
    place = NO_CASH.index(reason)
    venue, free = legs[place].instrument.venue, show_usd(sides[place].cash)
    cost = show_cost(legs[place].outlay)
    return Refused(reason, f"{size} at {venue} cost {cost}, and {free} is free there")
