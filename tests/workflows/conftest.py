"""One simulator per module, one executor per test, a real Temporal server."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.processes import Child, run_sim
from tests.support.trading import Trading, trading

_numbers = count(1)


@pytest.fixture(scope="module")
def exchanges() -> Iterator[Child]:
    """Both exchanges, settling fast, with pairs enough for every test to have its own."""
    with run_sim("--seed", "7", "--pairs", "60") as child:
        yield child


@pytest.fixture(params=[pytest.param(100, id="cached"), pytest.param(0, id="replayed")])
async def desk(
    request: pytest.FixtureRequest,
    exchanges: Child,
    temporal_client: Client,
    task_queue: str,
    tmp_path: Path,
) -> AsyncIterator[Trading]:
    """An executor: once with its workflows cached, once replaying them at every step."""
    async with trading(
        exchanges.ready,
        temporal_client,
        task_queue,
        f"{next(_numbers)}-",
        tmp_path,
        cached=request.param,
    ) as running:
        yield running


@pytest.fixture
def pair() -> str:
    """A market that no other test of this module trades."""
    return f"p{next(_numbers) % 60 + 1:02d}"
