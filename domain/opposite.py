"""The last automatic way out of an excess that cannot be sold: buy the other outcome beside it.

Polymarket only: one contract of each outcome pays a dollar together, whatever the answer. Kalshi
keeps one net position, so there buying the other outcome is the sale itself.
"""

from dataclasses import dataclass

from domain.book import Book
from domain.buying import lowest_limit
from domain.fees import PolymarketFee
from domain.leg import LegState
from domain.money import ONE, ZERO, Price, Size, Usd, ceil_to, cost_ceil, plain
from domain.unwind import NoSale
from domain.venue import Instrument


@dataclass(frozen=True, slots=True)
class Opposite:
    """Buy `size` of the other outcome at `limit` or better, fill-or-kill."""

    size: Size
    limit: Price


def plan_opposite(
    other: Instrument, book: Book, leg: LegState, excess: Size, budget: Usd | None
) -> Opposite | NoSale:
    """The purchase of `other` that neutralises the whole excess, or why there is none within
    `budget` dollars (None: any price will do).

    Whole contracts, since an order's dollars must be whole cents: less than one is spare.
    """
    size = whole(excess)
    limit = lowest_limit(other, book, size)
    if limit is None:
        return NoSale(f"too few of the other outcome are offered to buy {plain(size)}")
    if size < other.size_min or size * limit < other.notional_min:
        return NoSale(f"{plain(size)} at {plain(limit)} is below the venue's minimum")
    loss = opposite_loss(other, leg, excess, Opposite(size, limit), book.asks[0].price)
    if budget is not None and loss > budget:
        dear = f"may lose {plain(cost_ceil(loss))}, of {plain(budget)} left"
        return NoSale(f"buying {plain(size)} of the other outcome at {plain(limit)} {dear}")
    return Opposite(size, limit)


def whole(excess: Size) -> Size:
    """How many contracts of the other outcome neutralise `excess`."""
    return Size(ceil_to(excess, ONE))


def opposite_loss(
    other: Instrument, leg: LegState, excess: Size, bought: Opposite, best: Price
) -> Usd:
    """The most that neutralising `excess` loses: the cost of both outcomes with the fees of both,
    less the dollar that each pair pays."""
    assert isinstance(other.fee, PolymarketFee), f"expected Polymarket's fee, found {other.fee}"
    notional = Usd(bought.size * bought.limit)
    cost = (leg.average_price or ZERO) * excess
    return Usd(cost + notional + other.fee.bound_buy(notional, best) - excess * ONE)
