"""The state that every page shows, by slice, and what changed of it."""

from collections.abc import Iterable
from typing import Any

from api.wire import Json

COLLECTIONS = frozenset({"positions", "trades", "cards", "alarms"})
COMMON = (
    "stream", "mode", "enabled", "run_state", "settings", "balances", "stats", "unhedged",
    "venues", "services", "scanner", "links", "notices", "events",
)  # fmt: skip
TOPICS = {
    "executor": ("positions", "trades", "trades_next", "funnel", "alarms"),
    "cards": ("cards",),
}


class Board:
    """Slices by name. Collections are rows by id here and lists on the wire."""

    def __init__(self) -> None:
        self._slices: dict[str, Any] = {name: {} for name in COLLECTIONS}
        self._changes: Json = {}

    def get(self, name: str) -> Any:
        """A slice as it is now; None where nothing was put, or None was."""
        return self._slices.get(name)

    def put(self, name: str, value: Any, *, quietly: bool = False) -> bool:
        """Replace a slice and note what changed for the next patch, unless `quietly`: then a
        message of its own tells it, or later pages alone. Returns whether it changed."""
        before = self._slices.get(name)
        if before == value and name in self._slices:
            return False
        self._slices[name] = value
        if not quietly and value is None and before is not None:
            self._changes[name] = None
        elif not quietly and isinstance(value, dict):
            change = difference(name, before or {}, value)
            self._changes[name] = merged(name, self._changes.get(name), change)
        return True

    def put_row(self, name: str, row_id: str, row: Json, *, quietly: bool = False) -> bool:
        """Replace one row of a collection."""
        return self.put(name, {**self._slices[name], row_id: row}, quietly=quietly)

    def drop_row(self, name: str, row_id: str, *, quietly: bool = False) -> bool:
        """Remove one row of a collection."""
        rows = {key: row for key, row in self._slices[name].items() if key != row_id}
        return self.put(name, rows, quietly=quietly)

    def take_changes(self) -> Json:
        """What changed since the last call, as the data of a patch."""
        changes, self._changes = self._changes, {}
        return changes

    def data(self, topics: Iterable[str]) -> Json:
        """The whole state for these topics, as the data of an init."""
        return {
            name: list(self._slices[name].values()) if name in COLLECTIONS else self._slices[name]
            for name in names_of(topics)
            if name in self._slices
        }


def names_of(topics: Iterable[str]) -> list[str]:
    """The slices of these topics."""
    return [*COMMON, *(name for topic in topics for name in TOPICS[topic])]


def difference(name: str, before: Json, after: Json) -> Json:
    """The change that makes `after` of `before`: of a collection, changed members per row."""
    if name not in COLLECTIONS:
        gone = {key: None for key in before if key not in after}
        return gone | {k: v for k, v in after.items() if k not in before or before[k] != v}
    upsert = {}
    for row_id, row in after.items():
        old = before.get(row_id)
        if old is None:
            upsert[row_id] = row
        elif old != row:
            changed = {key: value for key, value in row.items() if old.get(key) != value}
            upsert[row_id] = changed | {"id": row["id"]}
    return {"upsert": upsert, "remove": [row_id for row_id in before if row_id not in after]}


def merged(name: str, first: Json | None, then: Json | None) -> Json | None:
    """One change for two that follow each other: the latest value wins. None is a slice that is
    gone; what follows it is whole."""
    if first is None or then is None:
        return then
    if name not in COLLECTIONS:
        return first | then
    gone = set(then["remove"])
    upsert = {key: row for key, row in first["upsert"].items() if key not in gone}
    for row_id, row in then["upsert"].items():
        upsert[row_id] = upsert.get(row_id, {}) | row
    removed = [row_id for row_id in first["remove"] if row_id not in then["upsert"]]
    return {"upsert": upsert, "remove": [*removed, *then["remove"]]}


def on_wire(changes: Json) -> Json:
    """The data of a patch: rows as lists."""
    return {
        name: {"upsert": list(change["upsert"].values()), "remove": change["remove"]}
        if name in COLLECTIONS
        else change
        for name, change in changes.items()
    }
