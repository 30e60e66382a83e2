"""Lists of the board that messages grow: the activity log, the trade log, the notices."""

from api.first_page import EVENTS_KEPT, TRADES_KEPT, FirstPage
from api.hub import Hub
from api.wire import Json


def add_event(hub: Hub, line: Json | None) -> None:
    """Tell one line of the story, and keep it for pages that come later."""
    if line is None:
        return
    lines = hub.board.get("events") or []
    hub.board.put("events", [line, *lines][:EVENTS_KEPT])
    hub.publish("event", line)


class TradeLog:
    """The newest trades of the board, and the cursor that leads on from the last of them: pages
    that come later find every other trade behind it. Open pages were told each by an event."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers: dict[str, int] = {}

    def begin(self, page: FirstPage) -> None:
        """What the journal held at first."""
        self._numbers = dict(page.numbers)
        board = self._hub.board
        board.put("trades", {row["id"]: row for row in page.trades}, quietly=True)
        board.put("trades_next", page.next, quietly=True)

    def tell(self, row: Json, number: int) -> None:
        """A trade was logged, or its row brought up to date; `number` is its place in the log."""
        board = self._hub.board
        self._hub.publish_row("trade_event", "trades", row)
        self._numbers[row["id"]] = number
        newest = sorted(self._numbers, key=lambda arb_id: -self._numbers[arb_id])
        kept, rows = newest[:TRADES_KEPT], board.get("trades")
        board.put("trades", {arb_id: rows[arb_id] for arb_id in kept}, quietly=True)
        if len(newest) > TRADES_KEPT:
            self._numbers = {arb_id: self._numbers[arb_id] for arb_id in kept}
            board.put("trades_next", str(self._numbers[kept[-1]]), quietly=True)


def notice(hub: Hub, name: str, text: str | None) -> None:
    """Open a banner or clear it."""
    notices = [one for one in hub.board.get("notices") or [] if one["id"] != name]
    told: Json = {"id": name, "cleared": True}
    if text is not None:
        told = {"id": name, "severity": "warn", "text": text, "cleared": False}
        notices.append(told)
    if hub.board.put("notices", notices):
        hub.tell("notice", told)
