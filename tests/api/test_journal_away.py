"""The server of the journal dies under a dashboard that goes on to be scraped."""

import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from temporalio.client import Client

from store.errors import JournalBusy
from store.journal import Journal
from store.place import SchemaAddress
from tests.api.harness import Running, serving, wall_ms
from tests.support.postgres import Postgres, throwaway
from tests.support.waiting import until_asked

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that this test may break."""
    with throwaway() as server:
        yield server


async def scraped(api: Running) -> dict[str, float]:
    """Each series, over HTTP."""
    answer = await api.http.get("/metrics", timeout=20)
    assert answer.status_code == httpx.codes.OK
    rows = [one.rsplit(" ", 1) for one in answer.text.splitlines() if one[0] != "#"]
    return {series: float(number) for series, number in rows}


async def test_a_journal_that_is_away_is_told_within_ten_seconds(
    own_server: Postgres, temporal_client: Client
) -> None:
    journal = Journal.open(SchemaAddress(own_server.url, "lockstep_sim"), wall_ms())
    async with serving(journal, temporal_client) as api:
        await api.executor_lives(sends=True)
        before = await scraped(api)
        assert before["arb_executors"] == before['arb_sends{executor="executor-1"}'] == 1
        own_server.stop(signal.SIGKILL)
        began = time.monotonic()

        async def blind() -> bool:
            told = await scraped(api)
            gone = told["arb_executors"] == 0 and not any("arb_sends" in one for one in told)
            return gone and told["arb_seen_age_seconds"] > 5

        await until_asked(blind, "it goes on to show what it saw")
        assert time.monotonic() - began < 10
        ready = await api.http.get("/readyz", timeout=20)
        assert ready.json()["checks"] | {"temporal": None} == {
            "database": False, "temporal": None, "executor": False, "feeds": False,
        }  # fmt: skip
        own_server.start()

        async def seen() -> bool:
            return (await scraped(api))["arb_seen_age_seconds"] < 3

        await until_asked(seen, "it does not look again")

        async def shown() -> bool:
            with suppress(JournalBusy):  # a session of before says once that it is gone
                await api.executor_lives(sends=True)
            return (await scraped(api))["arb_executors"] == 1

        await until_asked(shown, "who reports again is not shown")
    journal.close()
