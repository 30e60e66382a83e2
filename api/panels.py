"""Lists of the board that messages grow: the activity log, the trade log, the notices."""

from api.first_page import EVENTS_KEPT, TRADES_KEPT
from api.hub import Hub
from api.wire import Json


def add_event(hub: Hub, line: Json | None) -> None:
    """Tell one line of the story, and keep it for pages that come later."""
    if line is None:
        return
    lines = hub.board.get("events") or []
    hub.board.put("events", [line, *lines][:EVENTS_KEPT])
    hub.publish("event", line)


def trim_trades(hub: Hub) -> None:
    """Pages that come later get the newest trades; the cursor leads on from the last of them."""
    trades = hub.board.get("trades")
    if len(trades) > TRADES_KEPT:
        newest = sorted(trades.values(), key=lambda row: row["timestamp"])[-TRADES_KEPT:]
        hub.board.put("trades", {row["id"]: row for row in newest}, quietly=True)


def notice(hub: Hub, name: str, text: str | None) -> None:
    """Open a banner or clear it."""
    notices = [one for one in hub.board.get("notices") or [] if one["id"] != name]
    told: Json = {"id": name, "cleared": True}
    if text is not None:
        told = {"id": name, "severity": "warn", "text": text, "cleared": False}
        notices.append(told)
    if hub.board.put("notices", notices):
        hub.tell("notice", told)
