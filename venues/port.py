"""What the rest of the product may ask of a venue."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from domain.book import Book
from domain.evidence import Observation
from domain.funds import Funds
from domain.money import Size, Usd
from domain.order import Answer, Fill, Filled, Identity, NotFilled, Order
from domain.reconcile import AccountTrade, WorkingOrder
from domain.terms import Terms
from domain.venue import Instrument, Outcome, Venue

FirstByte = Callable[[], Awaitable[NotFilled | None]]
"""Called once, after signing and just before the first byte: a NotFilled stops the order."""


class VenueUnreachable(Exception):
    """A read failed for a reason that passes: network, 5xx, 429, maintenance. Ask again."""


class VenueMisuse(Exception):
    """The venue says that we are wrong, or answers what we cannot read. Asking again is vain."""


@dataclass(frozen=True, slots=True)
class Untradable:
    """Why a market must not be traded: `reason` is a stable code, `detail` for a reader."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What looking for one order found. `answer` is None where no source had seen it; an
    Unknown answer means that it was seen and is still working. Every read is an observation.
    `part` are the trades that are listed of an order whose answer is Unknown: they happened,
    whatever becomes of the rest.
    """

    answer: Answer | None
    observations: tuple[Observation, ...]
    part: Filled | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """The venue's verdict on an instrument: what one contract pays (0 to 1 dollar) and, once it
    has been credited, the cash that the venue's own record names."""

    pays: Decimal
    credited: Usd | None


@dataclass(frozen=True, slots=True)
class VenueStatus:
    """Whether a taker order would be accepted now, and the venue's clock (wall-clock ms)."""

    accepts_orders: bool
    detail: str
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class AccountActivity:
    """What happened on the account lately, and what still stands in its books."""

    trades: tuple[AccountTrade, ...]
    working: tuple[WorkingOrder, ...]


class MarketData(Protocol):
    """What can be read of a venue before anything is traded there. Raises VenueUnreachable or
    VenueMisuse."""

    @property
    def venue(self) -> Venue:
        """Which venue this is."""

    async def instrument(self, market: str, outcome: Outcome) -> Instrument | Untradable:
        """The rules of one outcome, fresh from the venue: grid, minimums, fee, shard."""

    async def barred(self, instrument: Instrument, /) -> Untradable | None:
        """Why the account cannot trade what its market lets others trade; None where nothing is
        known to stand in the way."""

    async def terms(self, market: str) -> Terms | None:
        """What the market asks and when it ends, for people; None where it is not listed."""

    async def book(self, instrument: Instrument) -> Book:
        """The instrument's book, asked for now."""

    def books(self, instruments: tuple[Instrument, ...]) -> AsyncGenerator[Book, None]:
        """Books as they change, until closed; a gap or a reconnect yields a fresh snapshot."""


class VenuePort(MarketData, Protocol):
    """One venue account. Reads raise VenueUnreachable or VenueMisuse; `place` and `find` never
    raise for anything the venue or the network does: they answer."""

    def identify(self, order: Order) -> Identity:
        """The key the venue will know the order by. Pure: same order, same identity."""

    async def place(self, order: Order, identity: Identity, first_byte: FirstByte) -> Answer:
        """Send the order once. Never retried here: an Unknown is resolved by `find`."""

    async def find(self, order: Order, identity: Identity, sent_at_ms: int) -> Sighting:
        """Ask every source the venue offers what became of the order."""

    async def refresh(self, order: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        """The same fills in the state the venue reports now; late ones are added."""

    async def cash(self) -> Usd:
        """Dollars of the account now (Kalshi: all shards together)."""

    async def funds(self) -> Funds:
        """The same, and how much of it an order on each shard can use."""

    async def sellable(self, instrument: Instrument) -> Size:
        """Contracts of the instrument that the venue would let us sell now."""

    async def positions(self) -> dict[tuple[str, Outcome], Size]:
        """Contracts held, by (market, outcome); none of them zero."""

    async def activity(self, since_ms: int) -> AccountActivity:
        """Every trade of the account since then and every order in a book, whoever sent them:
        whole, or it raises."""

    async def resolution(self, instrument: Instrument) -> Resolution | None:
        """The verdict on the instrument's market, None while it is open."""

    async def status(self) -> VenueStatus:
        """Whether the venue takes orders, and its clock."""

    async def close(self) -> None:
        """Close every connection."""
