"""What one process has counted since it started, in whole numbers that travel with its report.

Durations are microseconds and amounts micro-dollars; who shows them divides. A histogram keeps its
counts by BOUNDS_US and its sum, so that those of several processes can be added.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

BOUNDS_MS = (2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 75, 100, 150, 200, 300, 500)
BOUNDS_US = (*(ms * 1_000 for ms in BOUNDS_MS), *(s * 1_000_000 for s in (1, 2, 5, 10, 60, 600)))
"""Fine where orders leave, coarse where something is stuck; slower ones are in a last bucket."""

Key = tuple[str, tuple[tuple[str, str], ...]]
Series = tuple[str, str, list[list[str]], list[int]]
"""Name, kind, labels as [name, value], and the numbers: one, or counts by bound and their sum."""
COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


class Tally:
    """Counters, gauges and histograms by name and labels."""

    def __init__(self) -> None:
        self._counts: defaultdict[Key, int] = defaultdict(int)
        self._gauges: dict[Key, int] = {}
        self._spread: dict[Key, list[int]] = {}

    def count(self, name: str, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter."""
        assert amount >= 0, f"{name} never falls, found {amount}"
        self._counts[name, tuple(labels.items())] += amount

    def gauge(self, name: str, value: int, /, **labels: str) -> None:
        """How it is now."""
        self._gauges[name, tuple(labels.items())] = value

    def took(self, name: str, duration_us: int, /, **labels: str) -> None:
        """One more duration of a histogram; a clock that was set back counts as none."""
        key = name, tuple(labels.items())
        spread = self._spread.get(key)
        if spread is None:
            spread = self._spread[key] = [0] * (len(BOUNDS_US) + 2)
        duration_us = max(duration_us, 0)
        spread[bisect_left(BOUNDS_US, duration_us)] += 1
        spread[-1] += duration_us

    def told(self) -> list[Series]:
        """All of it, to be written down."""
        return [
            *(_series(key, COUNTER, [value]) for key, value in self._counts.items()),
            *(_series(key, GAUGE, [value]) for key, value in self._gauges.items()),
            *(_series(key, HISTOGRAM, list(spread)) for key, spread in self._spread.items()),
        ]


def told_by(report: object) -> Iterable[Series]:
    """The series of a report as it was read back; none where it is another version's."""
    for one in report if isinstance(report, list) else ():
        name, kind, labels, numbers = one
        if kind != HISTOGRAM or len(numbers) == len(BOUNDS_US) + 2:
            yield name, kind, labels, numbers


def _series(key: Key, kind: str, numbers: list[int]) -> Series:
    name, labels = key
    return name, kind, [list(label) for label in labels], numbers
