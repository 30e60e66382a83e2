"""What Polymarket's payloads say, as values: one type per kind of message."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.money import Price, Size
from domain.order import FillState

PLACED = frozenset({"matched", "live", "delayed", "unmatched"})
"""Statuses of an order that is there."""


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to POST /order in human units; amounts are zero where nothing was matched."""

    success: bool
    error: str
    order_id: str
    status: str
    making: Decimal
    taking: Decimal
    trade_ids: tuple[str, ...]

    @property
    def refuses(self) -> bool:
        """Whether no order came of it: a text alone says that something was not done at once,
        which an order that is named, or a status of one, may still be."""
        failed = bool(self.error) or not self.success
        return failed and not self.order_id and self.status not in PLACED


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the account has of one asset, and what each spender may take of it, by its address in
    small letters; base units (millionths)."""

    balance: int
    spenders: Mapping[str, int]

    def to(self, spender: str) -> int | None:
        """None where the venue does not name it."""
        return self.spenders.get(spender.lower())


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade as listings and the user stream show it; `at_ms` is the match time."""

    trade_id: str
    taker_order_id: str
    market: str
    token: str
    size: Size
    price: Price
    state: FillState
    at_ms: int


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order as the venue shows it: bare status word, size matched, its trades' ids."""

    order_id: str
    status: str
    size_matched: Size
    trade_ids: tuple[str, ...]

    @property
    def matched(self) -> bool:
        """Whether it names anything that was matched of it."""
        return self.size_matched > 0 or bool(self.trade_ids) or self.status == "MATCHED"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A full book of one token."""

    token: str
    bids: tuple[tuple[Price, Size], ...]
    asks: tuple[tuple[Price, Size], ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """One level's new total size (zero removes it) and the best prices afterwards, if named."""

    token: str
    bid: bool
    price: Price
    size: Size
    best_bid: Price | None
    best_ask: Price | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The levels that one price_change frame sets."""

    changes: tuple[Change, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class TickChange:
    """The market's price grid changed: what was known of it is out of date."""

    market: str


MarketEvent = Snapshot | Changes | TickChange
UserEvent = Trade | OrderSeen


@dataclass(frozen=True, slots=True)
class ClobMarket:
    """/clob-markets: tokens with YES first, grid, minimum, fee. `rate` None: no fee schedule."""

    market: str
    tokens: tuple[str, str]
    tick: Decimal
    size_min: Size
    rate: Decimal | None
    exponent: Decimal
    neg_risk: bool
    delayed: bool


@dataclass(frozen=True, slots=True)
class GammaMarket:
    """A Gamma market. `prices` are those of the outcomes in order, YES first.

    `version` is "" where the record has none; `resolution_status` likewise.
    """

    market: str
    version: str
    tokens: tuple[str, str]
    prices: tuple[Decimal, Decimal]
    active: bool
    closed: bool
    accepting: bool
    order_book: bool
    fees_enabled: bool
    seconds_delay: Decimal
    resolution_status: str


@dataclass(frozen=True, slots=True)
class Held:
    """One position of the Data API."""

    market: str
    token: str
    size: Size
