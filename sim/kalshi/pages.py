"""Lists cut into pages with opaque cursors; the last page's cursor is ""."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sim.kalshi.http import Call

Item = TypeVar("Item")


def page(call: Call, items: Sequence[Item], highest: int = 1000) -> tuple[list[Item], str]:
    """The page asked for and the next cursor; an unreadable cursor starts at the beginning."""
    limit = call.number("limit", 100, highest) or 100
    start = _offset(call.text("cursor") or "")
    stop = start + limit
    following = base64.urlsafe_b64encode(str(stop).encode()).decode() if stop < len(items) else ""
    return list(items[start:stop]), following


def _offset(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error):
        return 0
