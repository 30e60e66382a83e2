"""One API per test, on a journal of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from store.journal import Journal
from tests.api.harness import Running, opened, serving


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new journal."""
    journal = opened(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
async def api(journal: Journal, temporal_client: Client) -> AsyncIterator[Running]:
    """The API without an executor."""
    async with serving(journal, temporal_client) as running:
        yield running


@pytest.fixture
async def live(api: Running) -> Running:
    """The API while an executor reports."""
    await api.executor_lives()
    return api
