"""Is the venue open to takers? Remembers when it last said that it is not."""

import re
import time

from domain.order import Answer, Filled, NotFilled, Rejection
from venues.transport import Reply

SECOND_NS = 1_000_000_000
POST_ONLY_S = 120
"""After an engine restart only resting orders are taken for two minutes (matching-engine page)."""
RESTARTING = 425


class Doors:
    """Closed for as long as the venue asked to wait, two minutes where it named no time, and after
    a restart at least that; open at once where an order sent since was matched or killed."""

    def __init__(self) -> None:
        self._closed_ns = 0
        self._closed_until_ns = 0
        self._detail = ""

    def note(self, answer: Answer, reply: Reply) -> None:
        """Take the answer to an order into account."""
        match answer:
            case NotFilled(Rejection.VENUE_CLOSED, detail):
                self._closed_ns = time.monotonic_ns()
                self._closed_until_ns = self._closed_ns + _wait_s(reply) * SECOND_NS
                self._detail = detail
            case Filled() | NotFilled(Rejection.KILLED):
                if reply.sent.monotonic_ns > self._closed_ns:
                    self._closed_until_ns = 0
            case _:
                pass

    def closed(self) -> str | None:
        """Why no order would be taken now, None where nothing speaks against it."""
        return self._detail if time.monotonic_ns() < self._closed_until_ns else None


def _wait_s(reply: Reply) -> int:
    said = reply.headers.get("retry-after")
    # One second more than it says: a whole number of them may be rounded down.
    named = said is not None and re.fullmatch("[0-9]{1,6}", said)
    wait_s = int(named[0]) + 1 if named else POST_ONLY_S
    # "Not ready" is followed by the post-only window, which would refuse the next taker too.
    return max(wait_s, POST_ONLY_S) if reply.status == RESTARTING else wait_s
