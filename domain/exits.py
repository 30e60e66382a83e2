"""The two ways out of an uneven pair, priced on fresh books: complete the missing leg, or sell.

Losses are the most that each way can cost against holding nothing, fees included, in dollars.
"""

from dataclasses import dataclass

from domain.book import Book
from domain.buying import lowest_limit
from domain.fees import PolymarketFee
from domain.leg import LegState
from domain.money import (
    ONE,
    ZERO,
    Price,
    Size,
    Usd,
    cost_ceil,
    plain,
    size_floor,
)
from domain.unwind import NoSale, Sale, plan_sale, sale_loss
from domain.venue import Instrument


@dataclass(frozen=True, slots=True)
class Completion:
    """Buy `size` of the missing leg at `limit` or better."""

    size: Size
    limit: Price


@dataclass(frozen=True, slots=True)
class Exits:
    """What each way out costs (dollars; negative is a gain), None where it is not open.

    `said` names both prices for the record.
    """

    completion: Completion | None
    completion_loss: Usd | None
    sale_loss: Usd | None
    said: str

    def completes(self, budget: Usd | None) -> bool:
        """Whether completing is open, within the budget if any, and no dearer than selling."""
        if self.completion is None or self.completion_loss is None:
            return False
        cheaper = self.sale_loss is None or self.completion_loss <= self.sale_loss
        return cheaper and (budget is None or self.completion_loss <= budget)


NOT_PRICED = Exits(None, None, None, "neither way out could be priced")


@dataclass(frozen=True, slots=True)
class Naked:
    """The uneven pair: `leg` holds `excess` contracts more than its sibling."""

    leg: LegState
    excess: Size
    held: Instrument
    missing: Instrument


def price_exits(naked: Naked, held_book: Book, missing_book: Book, budget: Usd | None) -> Exits:
    """Both ways out of holding `naked.excess`, on books that were just read."""
    sale = plan_sale(naked.held, held_book, naked.leg, naked.excess, budget, attempt=1)
    completion = _completion(naked, missing_book)
    loss = None if completion is None else _completion_loss(naked, completion, missing_book)
    selling = _sale_cost(naked, sale)
    return Exits(completion, loss, selling, f"{_say(completion, loss)}; {_say_sale(sale, selling)}")


def _completion(naked: Naked, book: Book) -> Completion | None:
    """The whole excess at the lowest limit that gets it; None where the book or the venue's
    minimums do not allow it. At Polymarket in whole contracts, whose dollars are whole cents."""
    missing = naked.missing
    step = ONE if isinstance(missing.fee, PolymarketFee) else missing.size_step
    size = size_floor(naked.excess, step)
    limit = lowest_limit(missing, book, size) if size > ZERO else None
    if limit is None or size < missing.size_min or size * limit < missing.notional_min:
        return None
    return Completion(size, limit)


def _completion_loss(naked: Naked, completion: Completion, book: Book) -> Usd:
    """Cost of both legs per pair of contracts, less the dollar that one of them pays."""
    size, limit = completion.size, completion.limit
    notional = Usd(size * limit)
    fee = naked.missing.fee
    if isinstance(fee, PolymarketFee):
        bound = fee.bound_buy(notional, book.asks[0].price)
    else:
        bound = fee.bound_buy(size, limit)
    paid = (naked.leg.average_price or ZERO) * size
    return Usd(paid + notional + bound - size * ONE)


def _sale_cost(naked: Naked, sale: Sale | NoSale) -> Usd | None:
    """None also where only part of the excess could be sold: that is no way out yet."""
    if isinstance(sale, NoSale) or sale.size < size_floor(naked.excess, naked.held.size_step):
        return None
    return sale_loss(naked.held, naked.leg, sale.size, sale.floor)


def _say(completion: Completion | None, loss: Usd | None) -> str:
    if completion is None or loss is None:
        return "completing is not open"
    return f"completing {_of(completion.size, completion.limit, loss)}"


def _say_sale(sale: Sale | NoSale, loss: Usd | None) -> str:
    if isinstance(sale, NoSale):
        return f"selling is not open ({sale.reason})"
    if loss is None:
        return f"only {plain(sale.size)} could be sold"
    return f"selling {_of(sale.size, sale.floor, loss)}"


def _of(size: Size, limit: Price, loss: Usd) -> str:
    return f"{plain(size)} at {plain(limit)} loses at most {plain(cost_ceil(loss))}"
