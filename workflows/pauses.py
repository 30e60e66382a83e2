"""How long an arbitrage waits before it sends the next sale, in milliseconds."""

from domain.policy import Timing

_OPERATOR_PAUSE_MS_MAX = 600_000
_CLOSED_TRIES = 240
"""Tries at a closed venue, a second apart, that do not count: an engine restart with the two
minutes of post-only after it is over in less. Later ones count, so that a person is asked."""


def only_closed(closed_tries: int) -> bool:
    """Whether the latest of so many tries in a row at a closed venue is not counted."""
    return 0 < closed_tries <= _CLOSED_TRIES


def before_an_unwind(timing: Timing, attempts: int, closed_tries: int) -> int:
    """None before the first attempt, then twice as long each time; a venue that is closed is
    asked again after the same pause."""
    if only_closed(closed_tries):
        return timing.closed_pause_ms
    if attempts == 0:
        return 0
    doubled = timing.unwind_pause_ms * 2 ** min(attempts - 1, 16)
    return int(min(doubled, timing.unwind_pause_ms_max))


def beside_a_person(timing: Timing, escalations: int, closed_tries: int) -> int:
    """Twice as long after each time a person was asked. A closed venue may open at any time: the
    pause does not grow while it is."""
    shortest = timing.unwind_pause_ms_max
    if closed_tries:
        return shortest
    doubled = shortest * 2 ** min(escalations - 1, 16)
    return int(min(doubled, _OPERATOR_PAUSE_MS_MAX))
