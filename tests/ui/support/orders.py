"""Orders of one arbitrage, as the details of a trade show them, and what closing would bring."""

from datetime import UTC, datetime, timedelta

from tests.ui.support.states import Json, ago, ahead, stamp


def orders() -> list[Json]:
    """A bought leg, one that its venue killed after it had to be asked, and a late sale."""

    def order(venue: str, action: str, minutes: int, **times: int) -> Json:
        start = datetime.now(UTC) - timedelta(minutes=minutes)
        names = ("sent_at", "asked_at", "answered_at", "matched_at", "settled_at")
        stamps = {
            name: stamp(start + timedelta(milliseconds=times[name])) if name in times else None
            for name in names
        }
        return {
            "intent_id": f"{venue}/{action}", "venue": venue, "action": action, "size": "10",
            "purpose": "entry" if action == "buy" else "unwind", "limit": "0.51",
            "outcome": "YES" if venue == "polymarket" else "NO", "time_in_force": "fok",
            "state": "filled", "key": "0x1", "created_at": stamp(start), "questions": 0,
            "rejection": None,
        } | stamps  # fmt: skip

    killed = order("kalshi", "buy", 30, sent_at=12, asked_at=300, answered_at=900)
    return [
        order("polymarket", "buy", 30, sent_at=12, answered_at=40, settled_at=2_500),
        killed | {"state": "not_filled", "rejection": "fok_not_filled", "questions": 2},
        order("polymarket", "sell", 10, sent_at=9, answered_at=33),
    ]


def close_preview() -> Json:
    """What closing a position now would bring."""
    sale = {"size": "10", "slippage": "0.02", "fee": "0.07"}
    yes = {"outcome": "YES", "average_price": "0.49", "worst_price": "0.48", "proceeds": "4.83"}
    no = {"outcome": "NO", "average_price": "0.46", "worst_price": "0.46", "proceeds": "4.53"}
    return {
        "book_at": ago(seconds=1),
        "book_stale": False,
        "result": "-0.42",
        "hold_at_least": "0.71",
        "hold_until": ahead(days=1),
        "loss_max": "0.60",
        "why_not": "",
        "unpriced": [],
        "unpriced_why": "",
        "legs": {"polymarket": sale | yes, "kalshi": sale | no},
    }
