"""The log of trades on the page: older ones follow without a hole, and what is cleared stays so."""

from urllib.parse import parse_qs

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_clear_empties_the_view_and_can_be_undone(visitor: Visitor) -> None:
    page = await visitor.open()
    await page.get_by_role("button", name="Clear").click()
    await expect(page.locator("#trades")).to_contain_text("the journal keeps every one")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#trades tbody tr")).to_have_count(5)


async def test_older_trades_follow_by_cursor(visitor: Visitor) -> None:
    page = await visitor.open()
    await page.get_by_role("button", name="Older trades").click()
    await expect(page.locator("#trades tbody tr")).to_have_count(11)


async def older(page: Page, pages: PageServer, *numbers: int, then: str | None) -> str:
    """Ask for older trades, which are these; the cursor that they were asked by."""
    items = [states.trade(number) for number in numbers]
    pages.answers["trades"] = (200, {"items": items, "next": then})
    before = len(pages.queries)
    await page.get_by_role("button", name="Older trades").click()
    await pages.until(lambda: any(q.startswith("trades?") for q in pages.queries[before:]))
    asked = next(q for q in pages.queries[before:] if q.startswith("trades?"))
    return parse_qs(asked.partition("?")[2])["cursor"][0]


async def test_older_trades_stay_over_a_reconnect_and_go_on_where_they_were(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    rows = page.locator("#trades tbody tr")
    assert await older(page, pages, 6, 7, then="c2") == "c1"
    await expect(rows).to_have_count(7)
    pages.data["executor"]["trades_next"] = "c9"
    pages.missed = [("trade_event", states.trade(0))]
    await pages.drop()
    await expect(rows).to_have_count(8)
    assert await older(page, pages, 8, 9, then=None) == "c2"
    await expect(rows).to_have_count(10)
    await expect(page.get_by_role("button", name="Older trades")).to_have_count(0)


async def test_a_page_that_missed_too_much_asks_for_older_trades_anew(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    rows = page.locator("#trades tbody tr")
    await older(page, pages, 6, 7, then="c2")
    await expect(rows).to_have_count(7)
    pages.data["executor"]["trades_next"] = "c9"
    await pages.drop()
    await expect(rows).to_have_count(5)
    assert await older(page, pages, 6, 7, 8, then="c10") == "c9"
    await expect(rows).to_have_count(8)


async def test_every_trade_that_came_by_an_event_can_be_seen(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["trades_next"] = None
    page = await visitor.open()
    await expect(page.get_by_role("button", name="Older trades")).to_have_count(0)
    for number in range(100, 160):
        await pages.send("trade_event", states.trade(number))
    rows = page.locator("#trades tbody tr")
    await expect(rows).to_have_count(50)
    await page.get_by_role("button", name="Older trades").click()
    await expect(rows).to_have_count(65)


async def test_clear_goes_by_the_servers_clock(visitor: Visitor, pages: PageServer) -> None:
    """This machine's is an hour ahead: what is traded then is not hidden by it."""
    pages.behind = {"hours": 1}
    old = [states.trade(n, timestamp=states.ago(hours=2, minutes=n)) for n in range(5)]
    pages.data["executor"]["trades"] = old
    page = await visitor.open()
    await page.get_by_role("button", name="Clear").click()
    rows = page.locator("#trades tbody tr")
    await expect(rows).to_have_count(0)
    await pages.send("trade_event", states.trade(6, timestamp=states.ago(minutes=59)))
    await expect(rows).to_have_count(1)
