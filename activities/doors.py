"""Whether each venue takes orders now, as its own answers say. An entry needs both venues open:
where one refuses, the other one's leg would be bought and sold back at a loss. What reduces risk
asks nobody: a closed venue's refusal of a sale spends no attempt, and the sale follows its opening.
"""

from dataclasses import dataclass

from domain.order import Answer, Filled, NotFilled, Rejection
from domain.venue import Venue
from venues.port import VenueStatus

HOLD_MS = 10_000
"""How long the refusal of an order outweighs a status that says otherwise."""
HOLD_MS_MAX = 600_000
RATE_MS = 2_000
"""How long entries leave a venue alone that found us too fast."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Why a venue takes no orders and since when. A status asked for at `believed_ms` or later
    opens it; so does an order that left after `since_ms` and was matched or killed. From
    `over_ms` on it is open by itself."""

    why: str
    since_ms: int
    believed_ms: int
    over_ms: int | None = None


class Doors:
    """The doors of both venues as this process knows them. Times are wall-clock milliseconds.

    They are kept in memory: the next process reads each venue's status before it trades. A status
    that opened a door in error, as the next refused order shows, is believed later each time.
    """

    def __init__(self) -> None:
        self._shut: dict[Venue, Shut] = {}
        self._misled: dict[Venue, int] = dict.fromkeys(Venue, 0)
        self._opened_by_status: set[Venue] = set()

    def closed(self, now_ms: int) -> dict[Venue, str]:
        """Why each venue that is closed takes no orders."""
        shut = {venue: door for venue in Venue if (door := self._shut.get(venue))}
        return {
            venue: door.why
            for venue, door in shut.items()
            if door.over_ms is None or now_ms < door.over_ms
        }

    def against_entries(self, now_ms: int) -> str | None:
        """Why no entry may leave, to either venue; None where nothing is closed."""
        told = [f"{venue} takes no orders: {why}" for venue, why in self.closed(now_ms).items()]
        return "; ".join(told) or None

    def answered(self, venue: Venue, answer: Answer, left_ms: int, now_ms: int) -> None:
        """An order that left at `left_ms`, or could not (NOT_SENT), got this answer."""
        match answer:
            case NotFilled(Rejection.VENUE_CLOSED | Rejection.NOT_SENT, detail):
                if venue in self._opened_by_status:
                    self._misled[venue] += 1
                self._opened_by_status.discard(venue)
                hold_ms = min(HOLD_MS * 2 ** self._misled[venue], HOLD_MS_MAX)
                self._shut[venue] = Shut(detail, now_ms, now_ms + hold_ms)
            case NotFilled(Rejection.RATE_LIMITED, detail) if venue not in self.closed(now_ms):
                over_ms = now_ms + RATE_MS
                self._shut[venue] = Shut(detail, now_ms, over_ms, over_ms)
            case Filled() | NotFilled(Rejection.KILLED):
                # Its matching engine took the order up: the best evidence there is.
                door = self._shut.get(venue)
                if door is None or left_ms > door.since_ms:
                    self._shut.pop(venue, None)
                    self._opened_by_status.discard(venue)
                    self._misled[venue] = 0
            case _:
                pass

    def told(self, venue: Venue, status: VenueStatus, asked_ms: int) -> None:
        """The venue's status, asked for at `asked_ms`."""
        door = self._shut.get(venue)
        if not status.accepts_orders:
            self._close(venue, status.detail, asked_ms)
        elif door is not None and asked_ms >= door.believed_ms:
            del self._shut[venue]
            if door.over_ms is None:
                self._opened_by_status.add(venue)

    def unread(self, venue: Venue, why: str, asked_ms: int) -> None:
        """The venue's status, asked for at `asked_ms`, could not be read: an order would hardly
        get there either."""
        self._close(venue, why, asked_ms)

    def _close(self, venue: Venue, why: str, asked_ms: int) -> None:
        door = self._shut.get(venue)
        believed_ms = asked_ms if door is None else max(asked_ms, door.believed_ms)
        since_ms = asked_ms if door is None else max(asked_ms, door.since_ms)
        self._shut[venue] = Shut(why, since_ms, believed_ms)
