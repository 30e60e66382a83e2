"""A fresh venue per test."""

from collections.abc import AsyncIterator

import pytest

from tests.sim.polymarket.harness import Sim, running


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    async with running() as started:
        yield started
