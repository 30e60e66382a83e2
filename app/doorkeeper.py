"""Asks both venues whether they take orders, on the connections that orders leave on."""

import asyncio
import logging
import time

from activities.desk import Desk
from domain.venue import Venue
from venues.port import VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

WARM_SECONDS = 10.0
"""Shorter than any venue keeps an idle connection."""
CLOSED_SECONDS = 1.0


class Doorkeeper:
    """Keeps the doors of the desk and the connections of its venues: a new one would cost an order
    its first round trips. What an answer took is the ping that pages show."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.ping_ms: dict[Venue, int] = {}

    async def look(self) -> None:
        """Ask both venues."""
        await asyncio.gather(*(self._ask(venue) for venue in self._desk.venues))

    async def look_at_closed(self) -> None:
        """Ask those that take no orders, so that trading goes on soon after they open."""
        shut = self._desk.doors.closed(self._desk.wall_ms())
        await asyncio.gather(*(self._ask(venue) for venue in shut if venue in self._desk.venues))

    async def _ask(self, venue: Venue) -> None:
        desk, began_ns = self._desk, time.monotonic_ns()
        asked_ms = desk.wall_ms()
        before = desk.doors.closed(asked_ms).get(venue)
        self.ping_ms.pop(venue, None)
        try:
            status = await desk.venues[venue].status()
        except (VenueUnreachable, VenueMisuse) as trouble:
            desk.doors.unread(venue, f"its status was not read: {trouble}", asked_ms)
        else:
            self.ping_ms[venue] = (time.monotonic_ns() - began_ns) // 1_000_000
            desk.doors.told(venue, status, asked_ms)
        now = desk.doors.closed(desk.wall_ms()).get(venue)
        if now is not None and now != before:
            log.warning("no entry leaves: %s takes no orders: %s", venue, now)
        elif now is None and before is not None:
            log.warning("%s takes orders again", venue)
