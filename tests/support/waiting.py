"""Waiting for what another process does."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 60


async def until(holds: Callable[[], bool], what: str) -> None:
    """Look again until it is so; fails with `what` after a minute."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)
