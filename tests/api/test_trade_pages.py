"""The trade log without holes: what a new page is told, and the older pages that follow it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from api.first_page import TRADES_KEPT
from store.journal import Journal
from tests.api.harness import Json, Running, serving, until
from tests.store.builders import ready
from tests.store.test_trade_logger import locked


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal that admits a trade after another."""
    where = tmp_path / "journal.sqlite3"
    journal = await ready(where, max_daily_trades=1_000, max_daily_loss=1_000)
    yield journal
    journal.close()


async def trade(journal: Journal, first: int, number: int) -> list[str]:
    """So many trades; their ids, newest first."""
    return [(await locked(journal, str(first + n))).arb_id for n in range(number)][::-1]


async def first_page(api: Running) -> Json:
    """What a page that comes now is told."""
    async with api.page() as page:
        data: Json = (await page.next("init"))["data"]
        return data


async def all_pages(api: Running, data: Json) -> list[str]:
    """The ids of the first page and of every older one."""
    ids, cursor = [row["id"] for row in data["trades"]], data["trades_next"]
    while cursor is not None:
        answer = await api.http.get(f"/api/v1/trades?limit=50&cursor={cursor}")
        ids += [row["id"] for row in answer.json()["items"]]
        cursor = answer.json()["next"]
    return ids


@pytest.mark.parametrize("before", [0, 3, TRADES_KEPT, TRADES_KEPT + 3])
async def test_every_trade_is_on_the_first_page_or_on_one_that_follows(
    journal: Journal, temporal_client: Client, before: int
) -> None:
    """Whatever was traded before this process started and since, in the order of the log."""
    ids = await trade(journal, 0, before)
    async with serving(journal, temporal_client) as api:
        live = api.app.state.service.live
        live.asked()
        assert await all_pages(api, await first_page(api)) == ids
        ids = await trade(journal, before, TRADES_KEPT + 5) + ids
        await until(lambda: ids[0] in live.hub.board.get("trades"))
        data = await first_page(api)
        assert len(data["trades"]) == TRADES_KEPT
        assert await all_pages(api, data) == ids
