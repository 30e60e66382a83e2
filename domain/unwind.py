"""How an excess is sold: fill-or-kill at what the bids pay, never below the loss budget.

The floor is the worst bid that has to be touched. It must not lose more than is left of the
trade's budget; the budget counts both fees and what earlier steps lost.
"""

from dataclasses import dataclass
from decimal import Decimal

from domain.book import Book, walk
from domain.fees import KalshiFee
from domain.leg import LegState
from domain.money import ZERO, Price, Size, Usd, size_floor
from domain.venue import Instrument, TimeInForce

FOK_TRIES = 2
"""Kalshi: fill-or-kill sells before reduce-only immediate-or-cancel ones take what there is."""


@dataclass(frozen=True, slots=True)
class Sale:
    """The next unwind order: sell `size` at `floor` or better."""

    size: Size
    floor: Price
    time_in_force: TimeInForce
    reduce_only: bool


@dataclass(frozen=True, slots=True)
class NoSale:
    """Why nothing can be sold now; asking again later may help."""

    reason: str


def plan_sale(
    instrument: Instrument, book: Book, leg: LegState, excess: Size, budget: Usd, attempt: int
) -> Sale | NoSale:
    """The sale for unwind step `attempt` (from 1), or why there is none within `budget` dollars.

    The whole excess is offered, or as much of it as the bids hold. Kalshi's later attempts take
    what there is with immediate-or-cancel; reduce-only keeps them from flipping the position.
    """
    size = size_floor(excess, instrument.size_step)
    if size <= ZERO:
        return NoSale(f"expected at least {instrument.size_step} contracts, found {excess}")
    if not book.bids:
        return NoSale(f"{book.venue} bids nothing")
    partial = isinstance(instrument.fee, KalshiFee) and attempt > FOK_TRIES
    offered = walk(book.bids, size)
    if offered is None:
        size = size_floor(min(size, _depth(book)), instrument.size_step)
        offered = walk(book.bids, size)
        if offered is None:
            return NoSale(f"{book.venue} bids for less than {instrument.size_step} contracts")
    floor = instrument.price_at_most(offered.worst)
    if not instrument.allows_price(floor):
        return NoSale(f"expected a price on the grid, found {floor}")
    loss = sale_loss(instrument, leg, size, floor)
    if loss > budget:
        return NoSale(f"selling {size} at {floor} may lose {loss:.6f}, the budget is {budget}")
    tif = TimeInForce.IOC if partial else TimeInForce.FOK
    return Sale(size, floor, tif, reduce_only=partial)


def sale_loss(instrument: Instrument, leg: LegState, size: Size, floor: Price) -> Usd:
    """The most that selling `size` at `floor` loses against what it cost, fees of both ways in."""
    cost = (leg.average_price or Decimal(0)) * size
    return Usd(cost - size * floor + instrument.fee.bound_sell(size, floor))


def _depth(book: Book) -> Decimal:
    return sum((level.size for level in book.bids), start=Decimal(0))
