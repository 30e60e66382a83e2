"""Kalshi's payloads as values, in the venue's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.book import Level
from domain.money import Price, Size, Usd
from domain.venue import Outcome, TickBand


@dataclass(frozen=True, slots=True)
class Market:
    """One market. `bands` are in YES prices; `result` is empty while the question is open.

    `exchange_index` is None where the payload does not name a shard.
    """

    ticker: str
    event_ticker: str
    market_type: str
    status: str
    result: str
    bands: tuple[TickBand, ...]
    exchange_index: int | None
    bounds_type: str
    notional: Decimal
    settlement_value: Decimal | None


@dataclass(frozen=True, slots=True)
class Event:
    """What an event adds to its markets: its series, its own fee where it overrides."""

    series_ticker: str
    fee_type: str | None
    fee_multiplier: Decimal | None
    exchange_index: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """What a series says about fees and its shard."""

    fee_type: str
    fee_multiplier: Decimal
    exchange_index: int | None


@dataclass(frozen=True, slots=True)
class Created:
    """The reply to an order. `filled` and `remaining` are contracts; fills in it are final."""

    order_id: str
    client_order_id: str | None
    filled: Size
    remaining: Size


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order as a read or the private stream shows it: resting, canceled or executed."""

    order_id: str
    client_order_id: str
    ticker: str
    status: str
    filled: Size
    remaining: Size

    @property
    def ended(self) -> bool:
        """Whether nothing more will be matched."""
        return self.status in {"canceled", "executed"}


@dataclass(frozen=True, slots=True)
class FillRow:
    """One trade of one order. `client_order_id` is named by the private stream only."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    ticker: str
    size: Size
    yes_price: Price
    fee: Usd
    at_ms: int


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A market's net position: above zero YES, below zero NO. Zero once it was traded flat."""

    ticker: str
    size: Decimal
    changed_at_ms: int

    @property
    def outcome(self) -> Outcome:
        """Which outcome is held."""
        return Outcome.NO if self.size < 0 else Outcome.YES


@dataclass(frozen=True, slots=True)
class Settled:
    """A market's settlement: `revenue` is what was credited for the net position."""

    ticker: str
    revenue: Usd


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """Whether the exchange, and each shard that it lists, trades."""

    active: bool
    trading: bool
    shards: Mapping[int, bool]
    resumes_at: str | None


@dataclass(frozen=True, slots=True)
class Quotes:
    """A whole book in YES prices: what YES is bid for, and offered at."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The start of a book on the stream. `at_ms` is None where the venue gives no time."""

    ticker: str
    quotes: Quotes
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Delta:
    """A change of one level: `price` in YES terms, `change` in contracts, signed."""

    ticker: str
    bid: bool
    price: Price
    change: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The venue's word that a channel was opened."""

    channel: str
    sid: int


@dataclass(frozen=True, slots=True)
class StreamError:
    """A command or a subscription failed."""

    code: int
    text: str


Message = Snapshot | Delta | FillRow | OrderSeen | Subscribed | StreamError


@dataclass(frozen=True, slots=True)
class Frame:
    """One stream message: `message` is None for kinds that are of no interest here."""

    sid: int | None
    seq: int | None
    message: Message | None


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The account's bucket for reads: tokens that it gains a second, and tokens that it holds."""

    rate: int
    capacity: int
