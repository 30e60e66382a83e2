"""Two local venues and what follows them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.venue import Venue
from tests.markets.venue import LocalVenue

WAIT_SECONDS = 5


@pytest.fixture
def venues() -> dict[Venue, LocalVenue]:
    """Both venues, listing everything and quoting nothing."""
    return {venue: LocalVenue(venue) for venue in Venue}


async def until(holds: Callable[[], bool]) -> None:
    """Let the event loop run until the condition holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110 - conditions of code that has no event to wait for
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(*services: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Services run inside the block; one that ends by itself fails the test."""
    tasks = [asyncio.create_task(service()) for service in services]
    try:
        yield
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for problem in ended:
        if isinstance(problem, Exception):
            raise problem
