"""One API per test, on a journal of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from store.arbitrages import ArbitrageState
from store.journal import Journal
from tests.api.harness import Running, opened, serving
from tests.store.builders import admitted, ready
from tests.support.processes import Child
from tests.support.trading import Trading, trading


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new journal."""
    journal = opened(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
async def admitted_one(tmp_path: Path) -> ArbitrageState:
    """An arbitrage of ten contracts that nothing was bought for."""
    journal = await ready(tmp_path / "admitted.db")
    try:
        state = await journal.arbitrage((await admitted(journal)).arb_id)
    finally:
        journal.close()
    assert state.opportunity.size == 10
    return state


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


@pytest.fixture
async def trader(
    sim: Child, temporal_client: Client, task_queue: str, id_prefix: str, tmp_path: Path
) -> AsyncIterator[Trading]:
    """An executor without its scanner, on both simulated exchanges."""
    async with trading(sim.ready, temporal_client, task_queue, id_prefix, tmp_path) as running:
        yield running
