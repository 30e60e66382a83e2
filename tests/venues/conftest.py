"""Both adapters, each before its own simulated venue."""

from collections.abc import AsyncIterator

import pytest

from domain.venue import Venue
from tests.venues.lab import Lab, open_lab


@pytest.fixture(params=list(Venue), ids=str)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    """One adapter at its venue; a test that asks for it runs once for each."""
    async with open_lab(request.param) as opened:
        yield opened


@pytest.fixture
async def kalshi() -> AsyncIterator[Lab]:
    """The Kalshi adapter at its venue, for what only Kalshi has."""
    async with open_lab(Venue.KALSHI) as opened:
        yield opened
