"""Orders, fills and the three answers a venue can give."""

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Price, Size, Usd
from domain.venue import Action, Instrument, TimeInForce, Venue


class Purpose(StrEnum):
    """Why an order is sent. An ENTRY needs the gate's leave; the others reduce risk. A COMPLETE
    buys the leg that is missing, so it too waits while entries are stopped. An UNWIND sells the
    leg's own outcome, or buys the other one to neutralise it."""

    ENTRY = "entry"
    UNWIND = "unwind"
    CLOSE = "close"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Order:
    """One intent: everything that identifies and bounds an order before it is sent.

    `limit` is the price of the contract bought or sold. A Polymarket BUY spends exactly
    size * limit dollars. `created_at_ms` is wall-clock time and part of Polymarket's order
    hash; after `not_after_ms` the first byte must not leave.
    """

    intent_id: str
    arb_id: str
    instrument: Instrument
    purpose: Purpose
    action: Action
    size: Size
    limit: Price
    time_in_force: TimeInForce
    reduce_only: bool
    created_at_ms: int
    not_after_ms: int

    @property
    def venue(self) -> Venue:
        """The venue the order goes to."""
        return self.instrument.venue


@dataclass(frozen=True, slots=True)
class Identity:
    """How a venue knows an order: Polymarket's order hash or Kalshi's client order id.

    `fields` are what must be stored to build the same order again, never a signature.
    """

    key: str
    fields: dict[str, str]


class FillState(StrEnum):
    """Kalshi fills are final at the reply; Polymarket's are provisional until CONFIRMED."""

    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    VOIDED = "voided"

    @property
    def final(self) -> bool:
        """Whether the venue will say nothing else about it."""
        return self is not FillState.PROVISIONAL


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order. `notional` is the exact cash without `fee`, both positive."""

    venue: Venue
    trade_id: str
    intent_id: str
    action: Action
    size: Size
    notional: Usd
    fee: Usd
    state: FillState
    at_ms: int


class Rejection(StrEnum):
    """Why an order is known not to have filled, named by the rule."""

    KILLED = "fok_not_filled"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    NOT_SENT = "never_left_this_machine"
    TOO_LATE = "past_its_deadline"
    FENCED = "not_allowed_at_the_last_gate"
    RATE_LIMITED = "rate_limited"
    VENUE_CLOSED = "venue_closed"
    MARKET_CLOSED = "market_closed"
    INVALID_ORDER = "invalid_order"
    UNAUTHORISED = "unauthorised"
    BANNED = "account_restricted"
    NEVER_ARRIVED = "never_arrived"

    @property
    def closed(self) -> bool:
        """Whether the venue takes no order now, whatever it asks for: no price was tried."""
        return self in (Rejection.VENUE_CLOSED, Rejection.RATE_LIMITED)

    @property
    def of_account(self) -> bool:
        """Whether the venue refuses us rather than this order: the next one fares no better."""
        return self in (Rejection.UNAUTHORISED, Rejection.BANNED)


@dataclass(frozen=True, slots=True)
class Filled:
    """The venue matched the order. `fills` hold at least one row."""

    order_id: str
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class NotFilled:
    """Proven: nothing of this order was or will be matched."""

    rejection: Rejection
    detail: str
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither proven. `evidence` says what was seen; only asking the venue may resolve it."""

    evidence: str


Answer = Filled | NotFilled | Unknown
