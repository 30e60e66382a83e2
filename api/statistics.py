"""Latencies as buckets and percentiles: whole milliseconds, nearest rank."""

from collections.abc import Mapping

from api.wire import Json
from domain.venue import Venue

BUCKETS_MS = (25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400)


def histogram(found: Mapping[Venue, list[int]]) -> Json:
    """Counts per bucket (the first bound that is not below; slower ones in the last)."""
    return {
        "buckets": list(BUCKETS_MS),
        "venues": {venue.value: _venue(sorted(found.get(venue, []))) for venue in Venue},
    }


def percentile(ordered: list[int], percent: int) -> int | None:
    """The nearest rank: no value below it leaves less than `percent` behind."""
    if not ordered:
        return None
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def _venue(ordered: list[int]) -> Json:
    counts = [0] * len(BUCKETS_MS)
    for took in ordered:
        place = next((i for i, bound in enumerate(BUCKETS_MS) if took <= bound), -1)
        counts[place] += 1
    return {
        "counts": counts,
        "count": len(ordered),
        "p50_ms": percentile(ordered, 50),
        "p95_ms": percentile(ordered, 95),
        "p99_ms": percentile(ordered, 99),
    }
