"""Orders of one arbitrage, as the details of a trade show them."""

from datetime import UTC, datetime, timedelta

from tests.ui.support.states import Json, stamp


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
