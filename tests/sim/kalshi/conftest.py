"""A running simulator and a member of its Kalshi."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sim.main import Options, running
from tests.sim.kalshi.harness import Member


@pytest.fixture
async def member() -> AsyncIterator[Member]:
    """Talks to both servers over real HTTP; the simulator is new for each test."""
    async with running(Options(seed=7)) as simulator, httpx.AsyncClient(timeout=10) as http:
        yield Member(simulator.world, simulator.ready, http)
