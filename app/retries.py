"""Starts that came to nothing: when their pairs are tried again, even where no price moves."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.policy import Refusal

FAILED_MS = 1_000
REFUSED_MS = 1_000
REFUSED_MS_MAX = 60_000
FORGOTTEN_MS = 2 * REFUSED_MS_MAX


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when a pair is left alone (monotonic ms), how many refusals in a row led to that, and
    the last one's reason: None where Temporal could not be reached."""

    until_ms: int
    times: int
    reason: Refusal | None


class Retries:
    """Which arbitrages were begun, and what became of those that the gate never admitted.

    A pair that the gate refused rests for a second, twice as long after each further refusal, up to
    a minute: every try leaves a workflow and a row. A start that failed is tried again after a
    second; whatever moves meanwhile is tried at once.
    """

    def __init__(self, clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000):
        self._clock_ms = clock_ms
        self._rests: dict[str, _Rest] = {}
        self._due: set[str] = set()
        self.begun: dict[str, str] = {}
        """The arbitrage by pair whose verdict is not known yet, at most one of each."""

    def started(self, pair_id: str, arb_id: str) -> None:
        """There is a workflow of this arbitrage."""
        self.begun[pair_id] = arb_id
        self._due.discard(pair_id)

    def failed(self, pair_id: str) -> None:
        """The start was answered by an error, or there was one of this name before: this one has
        reserved nothing."""
        self._rests[pair_id] = _Rest(self._clock_ms() + FAILED_MS, 0, None)
        self._due.add(pair_id)

    def judged(self, verdicts: Mapping[str, Refusal | None]) -> None:
        """What the journal says of arbitrages, by id: why the gate refused it, None for admitted;
        one that it has not judged is not in there."""
        for pair_id, arb_id in list(self.begun.items()):
            if arb_id not in verdicts:
                continue
            del self.begun[pair_id]
            reason = verdicts[arb_id]
            if reason is None:
                self._rests.pop(pair_id, None)
                self._due.discard(pair_id)
                continue
            now_ms, before = self._clock_ms(), self._rests.get(pair_id)
            lately = before is not None and now_ms - before.until_ms < FORGOTTEN_MS
            times = before.times if before is not None and lately else 0
            pause_ms = min(REFUSED_MS << times, REFUSED_MS_MAX)
            self._rests[pair_id] = _Rest(now_ms + pause_ms, min(times + 1, 10), reason)
            self._due.add(pair_id)

    def refusal(self, pair_id: str) -> Refusal | None:
        """Why the gate refused the pair, while that is no longer ago than its pause."""
        rest = self._rests.get(pair_id)
        return None if rest is None or self._clock_ms() >= rest.until_ms else rest.reason

    def due(self) -> set[str]:
        """The pairs whose pause is over; each is named once."""
        now_ms = self._clock_ms()
        over = {pair_id for pair_id in self._due if self._rests[pair_id].until_ms <= now_ms}
        self._due -= over
        return over
