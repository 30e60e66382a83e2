"""A simulated Bot API and an empty journal for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.config import Config
from app.wiring import wall_ms
from store.journal import Journal
from tests.notify.harness import Telegram, notifier_config, telegram
from tests.support.places import place


@pytest.fixture
async def here() -> AsyncIterator[Telegram]:
    """The Bot API, over real HTTP."""
    async with telegram() as served:
        yield served


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A new journal where the configuration of the test looks for it."""
    opened = Journal.open(place(tmp_path / "lockstep-sim.sqlite3"), wall_ms())
    yield opened
    opened.close()


@pytest.fixture
async def config(here: Telegram, tmp_path: Path) -> Config:
    """One chat."""
    return notifier_config(here, tmp_path)
