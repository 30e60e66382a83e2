"""Work that ends with what runs beside it."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def beside(work: Coroutine[Any, Any, object], *others: asyncio.Task[None]) -> None:
    """Do this; another one that fails meanwhile ends it and is raised."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, *others}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for other in others:
            if other.done():
                other.result()
    await task
