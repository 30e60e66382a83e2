"""Is the venue open to takers? Remembers when it last said that it is not."""

import re
import time

from domain.order import Answer, NotFilled, Rejection

SECOND_NS = 1_000_000_000
POST_ONLY_S = 120
"""After an engine restart only resting orders are taken for two minutes (matching-engine page)."""


class Doors:
    """Closed for as long as the venue asked to wait, two minutes where it named no time."""

    def __init__(self) -> None:
        self._closed_until_ns = 0
        self._detail = ""

    def note(self, answer: Answer, retry_after: str | None) -> None:
        """Take a refused order into account."""
        if isinstance(answer, NotFilled) and answer.rejection is Rejection.VENUE_CLOSED:
            named = retry_after is not None and re.fullmatch("[0-9]{1,6}", retry_after)
            wait_s = int(named[0]) if named else POST_ONLY_S
            self._closed_until_ns = time.monotonic_ns() + wait_s * SECOND_NS
            self._detail = answer.detail

    def closed(self) -> str | None:
        """Why no order would be taken now, None where nothing speaks against it."""
        return self._detail if time.monotonic_ns() < self._closed_until_ns else None
