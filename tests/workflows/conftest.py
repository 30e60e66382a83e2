"""One simulator per session, one executor per test, a real Temporal server."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from tests.support.processes import Child, run_sim
from tests.support.scene import Scene
from tests.support.trading import SETTLING, Trading

PAIRS = 300
PATIENT_MS = 4_000
_pairs = count(1)
_executors = count(1)

Hire = Callable[..., AbstractAsyncContextManager[Trading]]


@pytest.fixture(scope="session")
def exchanges() -> Iterator[Child]:
    """Both exchanges, settling fast, with pairs enough for every test to have its own."""
    with run_sim("--seed", "7", "--pairs", str(PAIRS)) as child:
        reply = httpx.post(
            child.ready["urls"]["control"] + "/knobs",
            json={"venue": "polymarket", "knobs": SETTLING},
            trust_env=False,
        )
        assert reply.status_code == httpx.codes.OK, reply.text
        yield child


@pytest.fixture
def scene(exchanges: Child, temporal_client: Client, task_queue: str, tmp_path: Path) -> Scene:
    """This test's journal, task queue and exchanges."""
    return Scene(exchanges.ready, temporal_client, task_queue, f"{next(_executors)}-", tmp_path)


@pytest.fixture
def hire(scene: Scene) -> Hire:
    """Open an executor there."""
    return scene.hire


@pytest.fixture(params=[pytest.param(100, id="cached"), pytest.param(0, id="replayed")])
async def desk(request: pytest.FixtureRequest, hire: Hire) -> AsyncIterator[Trading]:
    """An executor: once with its workflows cached, once replaying them at every step."""
    async with hire(request.param) as running:
        yield running


@pytest.fixture
async def steady(hire: Hire) -> AsyncIterator[Trading]:
    """An executor with its workflows cached, where replaying them would show little new:
    `make test-replayed` does it."""
    async with hire() as running:
        yield running


@pytest.fixture
async def patient(hire: Hire) -> AsyncIterator[Trading]:
    """As `steady`; an order may take long enough to be answered that things happen meanwhile."""
    async with hire(order_ms=PATIENT_MS) as running:
        yield running


@pytest.fixture
def pair() -> str:
    """A market that no other test trades."""
    return f"p{next(_pairs):02d}"


@pytest.fixture
def new_pair() -> Callable[[], str]:
    """More such markets, for a test that trades several."""
    return lambda: f"p{next(_pairs):02d}"
