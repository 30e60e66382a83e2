"""What a page shows while a part of the system is away, and what it has missed when it is back."""

import re
import signal

import pytest
from playwright.async_api import Page, expect

from tests.e2e.floor import Floor
from tests.support.browser import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.temporal,
    pytest.mark.timeout(180),
]
LOST = ("WebSocket connection", "Failed to load resource")


async def live(page: Page) -> None:
    """The stream is there and nothing is said against it."""
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    await expect(page.locator("#banner .banner")).to_have_count(0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "restarted"])
async def test_a_page_reconnects_after_the_api_was(
    floor: Floor, visitor: Visitor, number: signal.Signals
) -> None:
    visitor.allowed = LOST
    await floor.settings(enabled=True)
    page = await visitor.open()
    before = await page.locator("#positions article").count()
    old = floor.signal("api", number)
    await expect(page.locator("#banner")).to_contain_text(re.compile(r"Disconnected.*attempt \d+"))
    missed = await floor.begin()
    await floor.came_back("api", old)
    await live(page)
    position = page.locator(f"#positions article:has(a[href*='{missed}'])")
    await expect(position).to_have_count(1)
    await expect(page.locator("#positions article")).to_have_count(before + 1)
    await floor.held(missed)
    await expect(page.locator("#trades tbody tr").first).to_contain_text("SUCCESS")


async def test_a_stopped_executor_makes_the_page_stale_and_takes_its_buttons(
    floor: Floor, visitor: Visitor
) -> None:
    await floor.settings(enabled=True)
    held = await floor.hold()
    version = await floor.settings(enabled=False)
    page = await visitor.open()
    close = page.locator(f"#positions article:has(a[href*='{held}'])").get_by_text("Close Position")
    await expect(close).to_have_attribute("aria-disabled", "false")
    down = page.locator("#strip .tile-down")
    floor.signal("executor", signal.SIGSTOP)
    try:
        banner = page.locator("#banner")
        await expect(banner).to_contain_text("The executor is not running")
        await expect(banner).to_contain_text("lockstep run executor")
        await expect(page.locator("#badge")).to_have_text(re.compile("OFF"))
        await expect(down).to_have_text([re.compile(name) for name in ("Poly", "Kalshi", "Exec")])
        await expect(close).to_have_attribute("title", "The executor is not running")
        for button in (page.get_by_role("switch"), close):
            await button.click(force=True)
            await expect(page.locator("#toasts")).to_contain_text("The executor is not running")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert (await floor.journal.settings.load()).version == version
    finally:
        floor.signal("executor", signal.SIGCONT)
    await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))
    await expect(down).to_have_count(0)
    await expect(close).to_have_attribute("aria-disabled", "false")
    await live(page)


async def test_a_trade_outlives_the_executor_before_the_reader(
    floor: Floor, visitor: Visitor
) -> None:
    await floor.settings(enabled=True)
    page = await visitor.open()
    arb_id = await floor.hanging()
    position = page.locator(f"#positions article:has(a[href*='{arb_id}'])")
    await expect(position).to_be_visible()
    old = floor.signal("executor", signal.SIGKILL)
    await floor.came_back("executor", old)
    await floor.held(arb_id)
    await expect(position.locator("header")).to_contain_text("HOLDING")
    await expect(position.get_by_text("Close Position")).to_have_attribute("aria-disabled", "false")
    await live(page)
