"""Who quotes in a simulated world: nobody, the seeded maker, or a recorded Kalshi session."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim import frames, makers
from sim.quotes import QuoteSettings
from sim.units import ONE
from sim.world import World


@dataclass(frozen=True, slots=True)
class Floor:
    """`kalshi_frames` wins over `makers`; `edge_cents` is the least edge after both fees."""

    makers: bool = False
    kalshi_frames: Path | None = None
    frames_speed_percent: int = 100
    edges_per_minute: int = 40
    edge_cents: int = 2
    edge_contracts: int = 60
    edge_ms: int = 4_000

    def quotes(self) -> QuoteSettings:
        """The settings of the quotes on Polymarket."""
        lowest = self.edge_cents * ONE // 100
        return QuoteSettings(
            edge_min=lowest,
            edge_max=lowest + 3 * ONE // 100,
            edge_depth=self.edge_contracts * ONE,
            edge_ms=self.edge_ms,
            edges_per_minute=self.edges_per_minute,
        )


Quoting = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]


def open_world(seed: int, pairs: int, floor: Floor) -> tuple[World, Quoting | None]:
    """The world with its pairs, and what will quote in it; frames.BadRecording, OSError.

    A recording brings its own pairs, `pairs` then counts for nothing.
    """
    if floor.kalshi_frames is not None:
        recording = frames.load(floor.kalshi_frames)
        world = World(seed, 0)
        listed = recording.list_pairs(world)
        settings = frames.PlaySettings(floor.frames_speed_percent, 0, floor.quotes())
        return world, lambda started: frames.play(world, recording, listed, settings, started)
    world = World(seed, pairs)
    if not floor.makers:
        return world, None
    chosen = makers.MakerSettings(quotes=floor.quotes())
    return world, lambda started: makers.run(world, chosen, started)


@contextlib.asynccontextmanager
async def quoted(quoting: Quoting | None) -> AsyncIterator[None]:
    """Quotes run while the block does; it starts once every pair has its first ones."""
    if quoting is None:
        yield
        return
    started = asyncio.Event()
    task = asyncio.create_task(quoting(started.set))
    task.add_done_callback(_told)
    first = asyncio.create_task(started.wait())
    try:
        await asyncio.wait((task, first), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        first.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _told(task: asyncio.Task[None]) -> None:
    """Quotes that end by an error are reported at once; the error is raised again at the end."""
    if not task.cancelled() and task.exception() is not None:
        context = {"message": "quoting ended", "exception": task.exception()}
        asyncio.get_running_loop().call_exception_handler(context)
