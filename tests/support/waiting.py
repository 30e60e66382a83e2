"""Waiting for what another process does."""

import asyncio
import time
from collections.abc import Awaitable, Callable

SECONDS = 60


async def until(holds: Callable[[], bool], what: str) -> None:
    """Look again until it is so; fails with `what` after a minute."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


async def until_asked(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """The same where it has to be asked for."""
    deadline = time.monotonic() + SECONDS
    while not await holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)
