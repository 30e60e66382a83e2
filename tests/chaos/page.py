"""A page that stays connected through a campaign, and what it shows at the end."""

import asyncio
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.oracle.world import Shown

COLLECTIONS = frozenset({"positions", "trades", "cards", "alarms"})
RETRY_S = 0.2
Json = dict[str, Any]


class Page:
    """Follows `/ws/executor` as docs/socket.md says. `url` gives the address of the API now."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._parts: Json = {}

    async def run(self) -> None:
        """Until cancelled; connects again whenever the API comes back."""
        while True:
            url = self._url()
            address = url.replace("http", "ws") + "/ws/executor"
            try:
                async with connect(address, additional_headers={"Origin": url}) as socket:
                    async for text in socket:
                        self.take(json.loads(text))
            except (OSError, WebSocketException):
                pass  # the API is being killed: that is what a campaign is for
            await asyncio.sleep(RETRY_S)

    def take(self, message: Mapping[str, Any]) -> None:
        """Apply one message."""
        data = message.get("data") or {}
        match message["type"]:
            case "init" | "snapshot":
                for name, part in data.items():
                    self._parts[name] = _by_id(part) if name in COLLECTIONS else part
            case "position_opened":
                self._parts["positions"][data["id"]] = data
            case "position_closed":
                self._parts["positions"].pop(data["id"], None)
            case "trade_event":
                self._parts["trades"][data["id"]] = data
            case "settings_changed":
                self._parts["settings"] = data
            case "status_changed":
                self._parts["enabled"] = data["enabled"]
            case "patch":
                for name, change in data.items():
                    self._patch(name, change)

    def _patch(self, name: str, change: Any) -> None:
        if name in COLLECTIONS:
            rows = self._parts.setdefault(name, {})
            for row in change.get("upsert", []):
                rows[row["id"]] = {**rows.get(row["id"], {}), **row}
            for row_id in change.get("remove", []):
                rows.pop(row_id, None)
        elif isinstance(change, dict):
            self._parts[name] = {**(self._parts.get(name) or {}), **change}
        else:
            self._parts[name] = change

    def shown(self) -> Shown | None:
        """What it shows; None before the first message."""
        parts = self._parts
        if not parts:
            return None
        return Shown(
            positions={row["id"]: row["phase"] for row in parts["positions"].values()},
            trades={row["arb_id"]: _result(row) for row in parts["trades"].values()},
            enabled=bool(parts["enabled"]),
            version=parts["settings"]["meta"]["version"],
        )


def _by_id(rows: list[Json]) -> dict[str, Json]:
    return {row["id"]: row for row in rows}


def _result(row: Json) -> tuple[str, Fraction]:
    return row["status"], Fraction(row["exact"]["pnl"] or "0")
