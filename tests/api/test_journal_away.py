"""The server of the journal dies under a dashboard that goes on to be scraped."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import httpx
import pytest
from temporalio.client import Client

from api.auth import hash_password
from store import credentials
from store.audit import Act
from store.credentials import CredentialKind
from store.errors import JournalBusy
from store.journal import Journal
from store.place import SchemaAddress
from store.states import Scope
from tests.api.harness import Running, serving, wall_ms, with_login
from tests.store.test_postgres_failing import dead, stopped
from tests.support.postgres import Postgres
from tests.support.waiting import until_asked

Away = Callable[[Postgres], AbstractContextManager[None]]
TOKEN, UNKNOWN = "of-the-scraper", "of-a-stranger"
SCRAPE_SECONDS = 5
pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


def scraper(token: str) -> dict[str, str]:
    """What Prometheus sends."""
    return {"Authorization": f"Bearer {token}"}


async def scraped(api: Running) -> dict[str, float]:
    """Each series, over HTTP, as soon as a scraper wants it."""
    answer = await api.http.get("/metrics", headers=scraper(TOKEN), timeout=SCRAPE_SECONDS)
    assert answer.status_code == httpx.codes.OK
    rows = [one.rsplit(" ", 1) for one in answer.text.splitlines() if one[0] != "#"]
    return {series: float(number) for series, number in rows}


@pytest.mark.parametrize("away", [dead, stopped])
async def test_what_was_seen_more_than_five_seconds_ago_is_not_shown_as_it_was(
    own_server: Postgres, temporal_client: Client, away: Away
) -> None:
    journal = Journal.open(SchemaAddress(own_server.url, "lockstep_sim"), wall_ms())
    act = Act("ada", "test", wall_ms())
    await journal.write(
        act.at_ms,
        lambda s: credentials.add(
            s, TOKEN, CredentialKind.TOKEN, "prometheus", Scope.READ, act, None
        ),
    )
    options = with_login(password_hash=hash_password("correct horse"))
    async with serving(journal, temporal_client, options) as api:
        await api.executor_lives(sends=True)
        before = await scraped(api)
        assert before["arb_executors"] == before['arb_sends{executor="executor-1"}'] == 1
        with away(own_server):

            async def blind() -> bool:
                told = await scraped(api)
                gone = told["arb_executors"] == 0 and not any("arb_sends" in one for one in told)
                assert gone or told["arb_seen_age_seconds"] < 5.5
                return gone and told["arb_seen_age_seconds"] > 5

            await until_asked(blind, "it goes on to show what it saw")
            ready = await api.http.get("/readyz", timeout=20)
            assert ready.json()["checks"] | {"temporal": None} == {
                "database": False, "temporal": None, "executor": False, "feeds": False,
            }  # fmt: skip
            stranger = await api.http.get("/metrics", headers=scraper(UNKNOWN), timeout=20)
            assert stranger.status_code == httpx.codes.SERVICE_UNAVAILABLE
            elsewhere = await api.http.get("/api/v1/positions", headers=scraper(TOKEN), timeout=20)
            assert elsewhere.status_code == httpx.codes.SERVICE_UNAVAILABLE

        async def seen() -> bool:
            return (await scraped(api))["arb_seen_age_seconds"] < 3

        await until_asked(seen, "it does not look again")

        async def shown() -> bool:
            with suppress(JournalBusy):  # a session of before says once that it is gone
                await api.executor_lives(sends=True)
            return (await scraped(api))["arb_executors"] == 1

        await until_asked(shown, "who reports again is not shown")
        await journal.write(wall_ms(), lambda s: credentials.end(s, TOKEN, act))
        for _ in range(2):
            revoked = await api.http.get("/metrics", headers=scraper(TOKEN))
            assert revoked.status_code == httpx.codes.UNAUTHORIZED
    journal.close()
