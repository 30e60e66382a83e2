"""Both pages with real data: nothing dangerous by a click, nothing too wide, axe content."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.e2e.floor import Floor
from tests.support.axe import serious
from tests.support.browser import THEMES, Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.temporal,
    pytest.mark.timeout(180),
]
DANGEROUS = ("#kill", "#flatten", "#thumb .danger", "#toggle", "[data-close]")

EQUITY = re.compile("Net of fees|Not enough trades")


async def filled(floor: Floor, page: Page, path: str) -> None:
    """The page shows what only a working system can tell it; one position is open."""
    if not await floor.journal.unfinished():
        await floor.settings(enabled=True)
        await floor.hold()
    if path == "/":
        await expect(page.locator(".card").first).to_be_visible()
        await page.get_by_role("button", name="Details").first.click()
        await expect(page.locator(".details").first).to_contain_text("Kalshi fee")
    else:
        await expect(page.locator("#positions article").first).to_be_visible()
        await page.get_by_role("button", name="Timeline").first.click()
        await expect(page.locator("#equity-text")).to_contain_text(EQUITY)


@pytest.mark.parametrize("width", [1440, 320])
async def test_a_single_click_on_what_is_dangerous_does_nothing(
    floor: Floor, visitor: Visitor, width: int
) -> None:
    await floor.settings(enabled=True)
    held = await floor.hold()
    await floor.settings(enabled=False)
    page = await visitor.open(width=width)
    await expect(page.locator(f"#positions article:has(a[href*='{held}'])")).to_be_visible()
    acts, state = await floor.acts(), await floor.journal.arbitrage(held)
    pressed = 0
    for selector in DANGEROUS:
        button = page.locator(selector).first
        if not await button.is_visible():
            continue
        await button.click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        pressed += 1
    assert pressed >= 4
    await page.wait_for_timeout(500)
    assert await floor.acts() == acts
    assert not (await floor.journal.run_state()).halted
    assert (await floor.journal.arbitrage(held)).revision == state.revision


async def test_a_single_click_does_not_end_a_halt(floor: Floor, visitor: Visitor) -> None:
    killed = await floor.http.post("/api/v1/executor/kill", json={"reason": "a drill"})
    killed.raise_for_status()
    page = await visitor.open()
    await page.get_by_role("button", name="Resume from halt…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("a drill")
    await dialog.locator("[data-confirm]").click()
    await page.wait_for_timeout(500)
    await expect(page.locator("#badge")).to_have_text(re.compile("HALTED"))
    assert (await floor.journal.run_state()).reason == "a drill"
    await floor.resume()


@pytest.mark.parametrize("path", ["/executor", "/"])
async def test_real_data_fits_on_320_pixels(floor: Floor, visitor: Visitor, path: str) -> None:
    page = await visitor.open(path, width=320, height=640)
    await filled(floor, page, path)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", ["/executor", "/"])
async def test_axe_finds_nothing_serious_in_real_data(
    floor: Floor, visitor: Visitor, path: str, theme: str
) -> None:
    page = await visitor.open(path, theme=theme)
    await filled(floor, page, path)
    found = await Axe().run(page)
    assert serious(found.response["violations"]) == []
