"""The seed's manual tests, by a browser: everything a person changes while trades happen."""

import asyncio
import re
import time

import pytest
from playwright.async_api import Page, expect

from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.e2e.floor import Floor
from tests.support.browser import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.temporal,
    pytest.mark.timeout(180),
]
QUIET_SECONDS = 5
"""Three edges of the play: long enough for entries that must not come."""


async def enable(page: Page) -> None:
    """Press the toggle and confirm."""
    await page.get_by_role("switch").click()
    await page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    await expect(page.locator("#badge")).to_have_text(re.compile("ACTIVE"))


async def test_enable_and_disable_while_trades_happen(floor: Floor, visitor: Visitor) -> None:
    await floor.settings(enabled=False)
    page = await visitor.open()
    async with floor.trading():
        await enable(page)
        rows = page.locator("#trades tbody tr")
        await expect(rows.nth(1)).to_contain_text("SUCCESS")
        await page.get_by_role("switch").click()
        await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))
        acknowledged_ns, admitted = time.time_ns(), await floor.arbitrages()
        await asyncio.sleep(QUIET_SECONDS)
        assert await floor.arbitrages() == admitted, "admitted after the page said PAUSED"
        for venue in Venue:
            entries = [one for one in await floor.orders_at(venue) if one["action"] == "buy"]
            late = [one for one in entries if int(one["first_byte_ns"]) > acknowledged_ns]
            assert late == [], f"{venue} got an entry after the page said PAUSED"
            assert entries, f"{venue} got no entry at all"
        before = await rows.count()
        await enable(page)
        await expect(rows).not_to_have_count(before)
    assert len(await floor.arbitrages()) > len(admitted)


async def test_settings_changed_in_the_middle_of_a_trade(floor: Floor, visitor: Visitor) -> None:
    old = await floor.settings(enabled=True, min_bet="5", max_bet="10")
    page = await visitor.open()
    running = await floor.hanging()
    await page.get_by_label("Max Bet:", exact=True).fill("7")
    await page.get_by_role("button", name="Save Settings").click()
    state = page.locator("#settings-state")
    await expect(state).to_contain_text(
        re.compile(rf"saved v{old + 1} .* active in \S+ v{old + 1} at")
    )
    assert (await floor.journal.arbitrage(running)).phase in {Phase.PLACING, Phase.RESOLVING}
    first = await floor.held(running)
    second = await floor.journal.arbitrage(await floor.hold())
    assert (first.settings_version, second.settings_version) == (old, old + 1)
    assert first.opportunity.outlay > 7 >= second.opportunity.outlay
    await expect(page.get_by_role("article", name=second.opportunity.title).first).to_be_visible()


async def test_a_position_closed_during_an_active_trade(floor: Floor, visitor: Visitor) -> None:
    await floor.settings(enabled=True, max_bet="10")
    held = await floor.hold()
    page = await visitor.open()
    card = page.locator("#positions article").filter(has=page.locator(f"a[href*='{held}']"))
    other = await floor.hanging()
    moving = page.locator("#positions article").filter(has=page.locator(f"a[href*='{other}']"))
    await expect(moving.get_by_text("Close Position")).to_have_attribute("aria-disabled", "true")
    await card.get_by_role("button", name="Close Position").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Close now")
    assert (await floor.journal.arbitrage(held)).phase is Phase.HOLDING, "nothing is sold yet"
    await dialog.get_by_role("button", name="Close Position").click()
    await expect(card).to_have_count(0)
    assert (await floor.ended(held)).phase is Phase.FLAT
    still = await floor.held(other)
    assert (still.status, still.polymarket.held) == (TradeStatus.SUCCESS, still.kalshi.held)
    await expect(moving.get_by_text("Close Position")).to_have_attribute("aria-disabled", "false")
