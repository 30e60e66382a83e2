"""Fixtures of all rooms. Temporal is real and never skipped; the simulated venues are processes."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from temporalio.client import Client

from app.responsive import stay_responsive
from app.temporal import Server
from tests.support.postgres import VARIABLE, Postgres, throwaway
from tests.support.processes import Child, run_sim
from tests.support.temporal import connect, session_server, unique

# A property is never judged by the clock of a busy machine; a failure prints how to repeat it.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Function, nextitem: pytest.Item | None) -> None:
    """What a file of tests leaves open fails that file, not whichever test the collector meets;
    what its last test was given is let go of first, for it may hold the last reference.
    What is still there after the collection is there for good and is not walked again: with all
    tests of the house in one process, a walk stops every thread of it for half a second, longer
    than an order may wait for its first byte."""
    if nextitem is None or nextitem.path != item.path:
        item.funcargs.clear()
        gc.collect()
        gc.freeze()


def pytest_collection_finish() -> None:
    """Executors run inside this process: it waits for the interpreter as theirs does."""
    stay_responsive()


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[Server]:
    """A real server in memory, one per test process."""
    with session_server() as server:
        yield server


@pytest.fixture
async def temporal_client(temporal_server: Server) -> Client:
    """A client of this test's event loop."""
    return await connect(temporal_server)


@pytest.fixture
def task_queue(request: pytest.FixtureRequest) -> str:
    """A task queue that only this test polls."""
    return unique(request.node.name[:40])


@pytest.fixture
def id_prefix(request: pytest.FixtureRequest) -> str:
    """What this test's workflow ids begin with."""
    return unique(request.node.name[:40]) + "-"


@pytest.fixture
def sim() -> Iterator[Child]:
    """Both simulated exchanges in a process of their own, seed 7."""
    with run_sim("--seed", "7") as child:
        yield child


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of this machine's programs, one per test process."""
    if VARIABLE in os.environ:
        yield os.environ[VARIABLE]
        return
    with throwaway() as server:
        yield server.url


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that this test may break."""
    with throwaway() as server:
        yield server
