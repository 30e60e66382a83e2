"""The words both venues share, and what each venue says about one of its markets."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.fees import Fee
from domain.money import ONE, ZERO, Price, Size, Usd, ceil_to, floor_to, on_grid


class Venue(StrEnum):
    """Where an order goes."""

    POLYMARKET = "polymarket"
    KALSHI = "kalshi"

    @property
    def sibling(self) -> "Venue":
        """The venue of the other leg."""
        return Venue.KALSHI if self is Venue.POLYMARKET else Venue.POLYMARKET


class Mode(StrEnum):
    """Whose money moves. `sim` and `paper` never touch a real account."""

    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


class Outcome(StrEnum):
    """The answer an instrument pays on."""

    YES = "yes"
    NO = "no"

    @property
    def complement(self) -> "Outcome":
        """The other answer."""
        return Outcome.NO if self is Outcome.YES else Outcome.YES


class Action(StrEnum):
    """What an order does with its instrument."""

    BUY = "buy"
    SELL = "sell"


class TimeInForce(StrEnum):
    """How long an order may live: fill wholly at once, or fill what it can at once."""

    FOK = "fill_or_kill"
    IOC = "immediate_or_cancel"


@dataclass(frozen=True, slots=True)
class TickBand:
    """Prices from `start` to `end` move by `step` (dollars). Kalshi calls it a price range."""

    start: Decimal
    end: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One outcome of one market at one venue, with the rules an order for it must obey.

    `market` is Polymarket's condition id or Kalshi's ticker; `token` names this outcome in books:
    Polymarket's token id, at Kalshi ticker and outcome. `ticks` are in prices of this outcome.
    `exchange_index` is Kalshi's shard; `neg_risk` chooses Polymarket's exchange contract.
    """

    venue: Venue
    market: str
    token: str
    outcome: Outcome
    ticks: tuple[TickBand, ...]
    size_step: Size
    size_min: Size
    notional_min: Usd
    fee: Fee
    neg_risk: bool = False
    exchange_index: int = 0

    def tick_at(self, value: Decimal) -> Decimal:
        """The price step of the band that holds `value`; outside every band the finest one."""
        inside = [band.step for band in self.ticks if band.start <= value <= band.end]
        return min(inside) if inside else min(band.step for band in self.ticks)

    def allows_price(self, value: Decimal) -> bool:
        """Whether an order may name this price."""
        return ZERO < value < ONE and any(
            band.start <= value <= band.end and on_grid(value - band.start, band.step)
            for band in self.ticks
        )

    def price_at_most(self, value: Decimal) -> Price:
        """The highest price on the grid that is not above `value` (round a SELL floor down)."""
        return Price(floor_to(value, self.tick_at(value)))

    def price_at_least(self, value: Decimal) -> Price:
        """The lowest price on the grid that is not below `value` (round a BUY cap up)."""
        return Price(ceil_to(value, self.tick_at(value)))
