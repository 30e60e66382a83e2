"""How often something may be asked: token buckets by name, forgotten when they are full again."""

from collections.abc import Callable
from dataclasses import dataclass

BUCKETS_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: int
    at_ms: int


class RateLimit:
    """At most `burst` at once, refilled by one every `every_ms`. Whole tokens, a clock in ms."""

    def __init__(self, burst: int, every_ms: int, clock_ms: Callable[[], int]) -> None:
        self._burst = burst
        self._every_ms = every_ms
        self._clock_ms = clock_ms
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str) -> int:
        """0 where it may go on, else the milliseconds to wait."""
        now_ms = self._clock_ms()
        bucket = self._buckets.get(name)
        if bucket is None:
            self._forget(now_ms)
            bucket = self._buckets[name] = _Bucket(self._burst, now_ms)
        earned = max(now_ms - bucket.at_ms, 0) // self._every_ms
        if bucket.tokens + earned >= self._burst:
            bucket.tokens, bucket.at_ms = self._burst, now_ms
        else:
            bucket.tokens += earned
            bucket.at_ms += earned * self._every_ms
        if bucket.tokens == 0:
            return bucket.at_ms + self._every_ms - now_ms
        bucket.tokens -= 1
        return 0

    def _forget(self, now_ms: int) -> None:
        if len(self._buckets) < BUCKETS_MAX:
            return
        full_ms = self._burst * self._every_ms
        kept = {n: b for n, b in self._buckets.items() if now_ms - b.at_ms < full_ms}
        self._buckets = kept if len(kept) < BUCKETS_MAX else {}
