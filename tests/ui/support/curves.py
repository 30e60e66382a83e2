"""What the charts are drawn from."""

from tests.ui.support.states import Json, ago


def equity() -> Json:
    """A day's curve."""
    steps = [0, 12, 30, -50, -38, -10, 14, 22, 60, 48, 77, 101, 96, 125]
    points = [
        {
            "at": ago(hours=len(steps) - n),
            "net": f"{cents / 100:.2f}",
            "fees": "0.02",
            "final": True,
        }
        for n, cents in enumerate(steps)
    ]
    return {"range": "24h", "points": points, "guaranteed": {"trades": 0, "pnl": "0.00"}}


def latency() -> Json:
    """Send to answer, per venue."""
    return {
        "buckets": [25, 50, 100, 200, 400, 800, 1600],
        "venues": {
            "polymarket": {
                "counts": [0, 2, 18, 41, 22, 6, 1], "count": 90,
                "p50_ms": 171, "p95_ms": 640, "p99_ms": 1180,
            },
            "kalshi": {
                "counts": [3, 22, 44, 17, 4, 0, 0], "count": 90,
                "p50_ms": 78, "p95_ms": 240, "p99_ms": 330,
            },
        },
    }  # fmt: skip
