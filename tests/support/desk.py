"""The desk of an executor, without the rest of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.desk import Desk
from app.config import Config
from app.wiring import open_station


@asynccontextmanager
async def open_desk(config: Config) -> AsyncIterator[Desk]:
    """The desk of a station that may send, waited for while another process does; closed with
    the block."""
    async with open_station(config) as station:
        await station.sender.turn(False)
        yield station.desk
