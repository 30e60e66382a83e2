"""How an excess is sold: fill-or-kill at what the bids pay, never below the loss budget.

The floor is the worst bid that has to be touched. Where selling everything there would lose more
than is left of the trade's budget, as many bids are touched as the budget allows; it counts both
fees and what earlier steps lost.
"""

from dataclasses import dataclass
from decimal import Decimal

from domain.book import Book
from domain.leg import LegState
from domain.money import (
    CENT,
    ZERO,
    Price,
    Size,
    Usd,
    cost_ceil,
    floor_to,
    on_grid,
    plain,
    size_floor,
)
from domain.venue import Instrument, TimeInForce, Venue

FOK_TRIES = 2
"""Kalshi: fill-or-kill sells before reduce-only immediate-or-cancel ones take what there is."""
POLYMARKET_SALE_STEP = Decimal("0.0001")


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
    instrument: Instrument,
    book: Book,
    leg: LegState,
    excess: Size,
    budget: Usd | None,
    attempt: int,
    least: Price | None = None,
    *,
    reduce_only: bool = False,
) -> Sale | NoSale:
    """The sale for unwind step `attempt` (from 1), or why there is none within `budget` dollars
    and for at least `least` a contract (None: any loss, any price will do).

    The whole excess is offered, or as much of it as bids within the budget hold. Kalshi's later
    attempts take what there is with immediate-or-cancel; reduce-only, which Kalshi takes with no
    other kind, keeps them from flipping the position. Where `reduce_only` is asked for, because
    the position may be less than ours, that begins with the first one.
    """
    whole = size_floor(excess, instrument.size_step)
    if whole <= ZERO:
        return NoSale(f"expected at least {instrument.size_step} contracts, found {plain(excess)}")
    refused = NoSale(f"{book.venue} bids for less than {instrument.size_step} contracts")
    for size, worst in reversed(_offers(book, whole, instrument.size_step)):
        floor = _floor(instrument, size, worst)
        loss = sale_loss(instrument, leg, size, floor)
        if not instrument.allows_price(floor):
            found = f"found {plain(floor)} for a bid of {plain(worst)}"
            refused = NoSale(f"expected a price on the grid, {found}")
        elif least is not None and floor < least:
            refused = NoSale(f"{book.venue} bids {plain(floor)}, the limit is {plain(least)}")
        elif budget is not None and loss > budget:
            dear = f"may lose {plain(cost_ceil(loss))}, of {plain(budget)} left"
            refused = NoSale(f"selling {plain(size)} at {plain(floor)} {dear}")
        else:
            careful = reduce_only or attempt > FOK_TRIES
            partial = instrument.venue is Venue.KALSHI and careful
            tif = TimeInForce.IOC if partial else TimeInForce.FOK
            return Sale(size, floor, tif, reduce_only=partial)
    return refused


def sale_loss(instrument: Instrument, leg: LegState, size: Size, floor: Price) -> Usd:
    """The most that selling `size` at `floor` loses against what it cost, fees of both ways in."""
    cost = (leg.average_price or Decimal(0)) * size
    return Usd(cost - size * floor + instrument.fee.bound_sell(size, floor))


def _offers(book: Book, whole: Size, step: Decimal) -> list[tuple[Size, Price]]:
    """What touching one bid, two bids and so on sells, up to `whole`, and the last price touched.

    A bid that adds less than a step adds nothing to sell.
    """
    offers: list[tuple[Size, Price]] = []
    reached = Decimal(0)
    for level in book.bids:
        reached += level.size
        size = size_floor(min(whole, reached), step)
        if size > (offers[-1][0] if offers else ZERO):
            offers.append((size, level.price))
    return offers


def _floor(instrument: Instrument, size: Size, worst: Price) -> Price:
    """The limit of the sale: on the grid, and lowered to a cent where Polymarket's dollars of a
    SELL (four decimals) would not be exact otherwise."""
    floor = instrument.price_at_most(worst)
    exact = on_grid(size * floor, POLYMARKET_SALE_STEP)
    if instrument.venue is Venue.POLYMARKET and not exact:
        return Price(floor_to(floor, CENT))
    return floor
