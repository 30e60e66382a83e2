"""An arbitrage worth starting: equal sizes, a limit per leg, and the least it can gain."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from domain.money import Price, Size, Usd
from domain.policy import Refusal
from domain.venue import Instrument, Venue


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One order to come: BUY `size` of `instrument` at `limit` or better.

    `best` is the lowest ask seen, `expected` the walked notional, `outlay` the most that can
    leave the account: size * limit plus the fee bound. `book_lag_ms` is how long before the later
    one of both books this one was read.
    """

    instrument: Instrument
    size: Size
    limit: Price
    best: Price
    expected: Usd
    fee_bound: Usd
    outlay: Usd
    book_version: int
    book_at_ms: int
    book_lag_ms: int = 0


@dataclass(frozen=True, slots=True)
class Opportunity:
    """Both legs of one arbitrage and what it guarantees. The same books give the same bytes.

    `payout` is the minimum over outcomes, `profit` payout minus both outlays, `roi` percent.
    `seen_ns` is the wall clock (ns) when the later book was read: where latency is counted from.
    """

    key: str
    pair_id: str
    title: str
    polymarket: PlannedLeg
    kalshi: PlannedLeg
    size: Size
    outlay: Usd
    payout: Usd
    profit: Usd
    roi: Decimal
    seen_ns: int

    def leg(self, venue: Venue) -> PlannedLeg:
        """The leg that goes to `venue`."""
        return self.polymarket if venue is Venue.POLYMARKET else self.kalshi

    @property
    def skew_ms(self) -> int:
        """How far apart both books were read (ms)."""
        return abs(self.polymarket.book_lag_ms - self.kalshi.book_lag_ms)

    @property
    def oldest_ms(self) -> int:
        """When the older one of both books was read (wall clock, ms)."""
        lag = max(self.polymarket.book_lag_ms, self.kalshi.book_lag_ms)
        return self.seen_ns // 1_000_000 - lag

    @property
    def dearer_outlay(self) -> Usd:
        """The larger of both outlays: what may have to be sold back."""
        return max(self.polymarket.outlay, self.kalshi.outlay)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no opportunity; `detail` names what was expected and what was found."""

    reason: Refusal
    detail: str


def opportunity_key(pair_id: str, polymarket: PlannedLeg, kalshi: PlannedLeg) -> str:
    """A name that the same pair, direction, size, limits and books always get (20 hex digits)."""
    parts = [pair_id]
    for leg in (polymarket, kalshi):
        parts += [leg.instrument.outcome, str(leg.size), str(leg.limit)]
        parts += [str(leg.book_version), str(leg.book_at_ms)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:20]
