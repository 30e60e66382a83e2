"""Order books of one instrument and the walk through their depth."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from domain.money import NO_SIZE, NO_USD, ZERO, Price, Size, Usd
from domain.venue import Venue


@dataclass(frozen=True, slots=True)
class Level:
    """Everything offered at one price."""

    price: Price
    size: Size


@dataclass(frozen=True, slots=True)
class Book:
    """Resting offers for one instrument, best first: `asks` ascending, `bids` descending.

    `version` grows with every change at the venue; `at_ms` is the venue's own time (wall-clock
    ms), `received_ns` our monotonic clock when that was still true: ages are taken from it. It is
    when a stream's change was read, less what it came late, and when REST was asked.
    """

    venue: Venue
    token: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    version: int
    at_ms: int
    received_ns: int

    @property
    def crossed(self) -> bool:
        """A bid at or above an ask: the feed is wrong or mid-update, never an opportunity."""
        return bool(self.asks and self.bids and self.bids[0].price >= self.asks[0].price)


@dataclass(frozen=True, slots=True)
class Walk:
    """What taking `size` from a ladder costs: `worst` is the last price touched."""

    size: Size
    notional: Usd
    best: Price
    worst: Price


def ladder(levels: Iterable[tuple[Price, Size]], *, best_is_lowest: bool) -> tuple[Level, ...]:
    """Levels in walking order, without empty ones; both venues list them worst first."""
    kept = [Level(price, size) for price, size in levels if size > ZERO]
    return tuple(sorted(kept, key=lambda level: level.price, reverse=not best_is_lowest))


def walk(levels: tuple[Level, ...], size: Size) -> Walk | None:
    """Take exactly `size` from the best level on; None where the depth does not hold it."""
    if size <= ZERO or not levels:
        return None
    left, notional = Decimal(size), Decimal(NO_USD)
    for level in levels:
        taken = min(left, level.size)
        notional += taken * level.price
        left -= taken
        if left == ZERO:
            return Walk(size, Usd(notional), levels[0].price, level.price)
    return None


def depth(levels: tuple[Level, ...], worst: Price, *, buying: bool) -> Size:
    """All that can be had at `worst` or better."""
    total = Decimal(NO_SIZE)
    for level in levels:
        if (level.price <= worst) if buying else (level.price >= worst):
            total += level.size
    return Size(total)
