"""A close whose workflow does not answer: nothing else that a page says waits for it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from api import socket
from api.operations import ACCEPT_TIMEOUT
from store import audit
from store.journal import Journal
from tests.api.harness import Page, Running, serving, until, wall_ms
from tests.support.processes import Child
from tests.support.trading import trading

pytestmark = pytest.mark.temporal
ACK_SECONDS = ACCEPT_TIMEOUT.total_seconds()
"""What one close takes that nobody answers: a pause that waited for it takes its own time too."""


@pytest.fixture
async def orphan(
    sim: Child, temporal_client: Client, task_queue: str, id_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[Running, str]]:
    """The API over a held pair whose workflow nobody carries on: what is asked of it hangs."""
    async with trading(sim.ready, temporal_client, task_queue, id_prefix, tmp_path) as trader:
        handle = await trader.hold("p01")
    journal = Journal.open(trader.database, wall_ms())
    try:
        async with serving(journal, temporal_client) as running:
            await running.executor_lives()
            yield running, handle.id
    finally:
        journal.close()
        await temporal_client.get_workflow_handle(handle.id).terminate()


async def paused(page: Page) -> float:
    """How many seconds a pause takes to be acknowledged."""
    began = time.monotonic()
    await page.ask("status_changed", action="toggle_enabled", value=False)
    return time.monotonic() - began


async def test_a_pause_waits_for_no_close(orphan: tuple[Running, str]) -> None:
    dashboard, arb_id = orphan
    async with dashboard.page() as page:
        await page.next("init")
        for ref in ("one", "two"):
            await page.say(action="close_position", position_id=arb_id, ref=ref)
        assert await paused(page) < ACK_SECONDS
        for ref in ("one", "two"):
            assert (await page.had("error", ref=ref))["code"] == "unconfirmed"


async def test_more_closes_than_a_page_may_have_open_are_refused(
    orphan: tuple[Running, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard, arb_id = orphan
    monkeypatch.setattr(socket, "CLOSES_MAX", 2)
    async with dashboard.page() as page:
        for ref in ("one", "two", "three"):
            await page.say(action="close_position", position_id=arb_id, ref=ref)
        refused = await page.next("error")
        assert (refused["ref"], refused["code"]) == ("three", "rate_limited")
        assert await paused(page) < ACK_SECONDS


async def test_a_page_that_leaves_has_its_close_asked_all_the_same(
    orphan: tuple[Running, str],
) -> None:
    dashboard, arb_id = orphan
    hub = dashboard.app.state.service.live.hub
    async with dashboard.page() as page:
        await page.next("init")
        await page.say(action="close_position", position_id=arb_id)
        await page.say(action="ping")
        await page.next("heartbeat")
    assert hub.clients, "the close that was asked is not answered yet"
    await until(lambda: not hub.clients)
    rows = await dashboard.journal.read(lambda s: audit.page(s, 50))
    assert [row.action for row in rows if row.subject == arb_id] == ["close_position"]
