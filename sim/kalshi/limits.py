"""Token buckets: one for reads and, per shard, one for writes, of each key."""

from collections.abc import Iterable
from dataclasses import dataclass

from sim.kalshi.errors import too_many_requests

_NANOS = 1_000_000_000


@dataclass(slots=True)
class Bucket:
    """`rate` tokens a second up to `capacity`; levels are in billionths of a token."""

    rate: int
    capacity: int
    level: int
    updated_ns: int

    def refill(self, now_ns: int) -> None:
        """Add what has dripped in since the last look."""
        gained = max(0, now_ns - self.updated_ns) * self.rate
        self.level = min(self.capacity * _NANOS, self.level + gained)
        self.updated_ns = now_ns


class Limits:
    """The buckets of all keys, made on first use and full."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str, int], Bucket] = {}

    def reset(self) -> None:
        """Start with full buckets, after a change of rates."""
        self._buckets.clear()

    def spend(
        self,
        key_id: str,
        kind: str,
        shards: Iterable[int],
        tokens: int,
        now_ns: int,
        rate: int,
        capacity: int,
    ) -> None:
        """Take `tokens` from the bucket of every shard named, or raise 429 and take none."""
        buckets = []
        for shard in shards:
            full = Bucket(rate, capacity, capacity * _NANOS, now_ns)
            bucket = self._buckets.setdefault((key_id, kind, shard), full)
            bucket.refill(now_ns)
            if bucket.level < tokens * _NANOS:
                raise too_many_requests()
            buckets.append(bucket)
        for bucket in buckets:
            bucket.level -= tokens * _NANOS
