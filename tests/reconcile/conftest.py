"""One simulator per session, one executor per test, a real Temporal server."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from app.temporal import Server
from tests.support import executors
from tests.support.executors import Stage, staged
from tests.support.processes import Child, run_sim
from tests.support.trading import SETTLING, Trading, trading

PAIRS = 150
_pairs = count(1)
_executors = count(1)


@pytest.fixture(scope="session")
def exchanges() -> Iterator[Child]:
    """Both exchanges, settling fast, with pairs enough for every test to have its own."""
    with run_sim("--seed", "11", "--pairs", str(PAIRS)) as child:
        knobs = {"venue": "polymarket", "knobs": SETTLING}
        url = child.ready["urls"]["control"] + "/knobs"
        assert httpx.post(url, json=knobs, trust_env=False).status_code == httpx.codes.OK
        yield child


@pytest.fixture
async def desk(
    exchanges: Child, temporal_client: Client, task_queue: str, tmp_path: Path
) -> AsyncIterator[Trading]:
    """An executor on this test's journal and task queue."""
    prefix = f"r{next(_executors)}-"
    async with trading(exchanges.ready, temporal_client, task_queue, prefix, tmp_path) as running:
        yield running


@pytest.fixture
def pair() -> str:
    """A market that no other test trades."""
    return f"p{next(_pairs):02d}"


@pytest.fixture
def market() -> Iterator[Child]:
    """Exchanges of this test's own: nobody quotes on them but the test."""
    with run_sim("--seed", "5", "--pairs", str(len(executors.PAIRS))) as child:
        yield child


@pytest.fixture
async def stage(
    market: Child, temporal_server: Server, task_queue: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    """A journal with trading enabled, and no executor yet."""
    async with staged(market, temporal_server, task_queue, tmp_path) as opened:
        yield opened
