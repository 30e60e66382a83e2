"""The words that state columns of the journal may hold, beyond those of the domain."""

from enum import StrEnum


class IntentState(StrEnum):
    """What is known of an order: PLANNED and SENT come from us, the rest from its venue."""

    PLANNED = "planned"
    SENT = "sent"
    UNKNOWN = "unknown"
    FILLED = "filled"
    NOT_FILLED = "not_filled"

    @property
    def definite(self) -> bool:
        """Whether nothing is left to find out about the order."""
        return self in (IntentState.FILLED, IntentState.NOT_FILLED)


class ReservationState(StrEnum):
    """HELD until every fill of a locked arbitrage is final, or it ends; RELEASED where nothing was
    spent."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


class PositionStatus(StrEnum):
    """A position as the seed names it: EXPIRED when the question resolved."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"


class Severity(StrEnum):
    """How loud an alarm is."""

    AMBER = "amber"
    RED = "red"


class Tone(StrEnum):
    """How a chat is told of a kind of message: as usual, without a sound, or not at all."""

    ON = "on"
    SILENT = "silent"
    OFF = "off"


class Scope(StrEnum):
    """What the bearer of a credential may do; `trade` includes `read`, `admin` includes both."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


class ReviewVerdict(StrEnum):
    """What a person said of a pair after comparing both venues' rules."""

    APPROVED = "approved"
    REJECTED = "rejected"
