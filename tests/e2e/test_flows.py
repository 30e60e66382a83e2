"""Everything that a first release must let a person do: by keyboard alone, and on 320 pixels."""

import re

import pytest
from playwright.async_api import expect

from domain.trade import Phase
from tests.e2e.floor import Floor
from tests.e2e.hands import WAYS, hand_of
from tests.support.browser import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.slow,
    pytest.mark.temporal,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("way", WAYS),
]


async def test_enabling_and_pausing(floor: Floor, visitor: Visitor, way: str) -> None:
    await floor.settings(enabled=False)
    hand = await hand_of(visitor, way)
    toggle, badge = hand.page.get_by_role("switch"), hand.page.locator("#badge")
    await hand.press(toggle)
    await hand.press(hand.page.get_by_role("dialog").get_by_role("button", name="Enable"))
    await expect(badge).to_have_text(re.compile("ACTIVE"))
    assert (await floor.journal.settings.load()).settings.enabled
    await hand.press(toggle)
    await expect(badge).to_have_text(re.compile("PAUSED"))
    assert not (await floor.journal.settings.load()).settings.enabled


async def test_saving_settings_and_taking_them_back(
    floor: Floor, visitor: Visitor, way: str
) -> None:
    old = await floor.settings(max_bet="10")
    hand = await hand_of(visitor, way)
    await hand.write(hand.page.get_by_label("Max Bet:", exact=True), "4")
    await expect(hand.page.locator("#setting-max_bet-note")).to_contain_text("at least Min Bet")
    await hand.write(hand.page.get_by_label("Max Bet:", exact=True), "12.5")
    await hand.press(hand.page.get_by_role("button", name="Save Settings"))
    state = hand.page.locator("#settings-state")
    await expect(state).to_contain_text(re.compile(rf"saved v{old + 1} .* v{old + 1} at"))
    assert str((await floor.journal.settings.load()).settings.max_bet.normalize()) == "12.5"
    await hand.press(hand.page.get_by_role("button", name="History"))
    await hand.press(hand.page.get_by_role("button", name=f"Revert to v{old}", exact=True))
    await expect(hand.page.get_by_label("Max Bet:", exact=True)).to_have_value("10.00")
    assert (await floor.journal.settings.load()).version == old + 2


async def test_looking_at_a_position_and_closing_it(
    floor: Floor, visitor: Visitor, way: str
) -> None:
    await floor.settings(enabled=True)
    held = await floor.hold()
    hand = await hand_of(visitor, way)
    position = hand.page.locator(f"#positions article:has(a[href*='{held}'])")
    await hand.press(position.get_by_role("button", name="Timeline"))
    await expect(position.get_by_role("figure")).to_contain_text("slowest hop")
    await hand.press(position.get_by_role("button", name="Close Position"))
    dialog = hand.page.get_by_role("dialog")
    await hand.write(dialog.get_by_label("Lose at most ($)"), "5")
    await hand.press(dialog.get_by_role("button", name="Close Position"))
    await expect(position).to_have_count(0)
    assert (await floor.ended(held)).phase is Phase.FLAT


async def test_killing_by_a_hold_and_resuming_by_the_word(
    floor: Floor, visitor: Visitor, way: str
) -> None:
    hand = await hand_of(visitor, way)
    bar = "#thumb" if way == "finger" else "#command"
    halted = hand.page.locator("#badge:has-text('HALTED')")
    await hand.hold(
        hand.page.locator(bar).get_by_role("button", name=re.compile("^Kill(,|$)")), halted
    )
    assert (await floor.journal.run_state()).halted
    await hand.press(hand.page.get_by_role("button", name="Resume from halt…"))
    dialog = hand.page.get_by_role("dialog")
    await hand.write(dialog.get_by_role("textbox"), "RESUME")
    await hand.press(dialog.locator("[data-confirm]"))
    await expect(hand.page.locator("#badge")).to_have_text(re.compile("ACTIVE|PAUSED"))
    assert not (await floor.journal.run_state()).halted


async def test_killing_and_selling_everything_by_the_word(
    floor: Floor, visitor: Visitor, way: str
) -> None:
    await floor.settings(enabled=True)
    held = await floor.hold()
    hand = await hand_of(visitor, way)
    await hand.press(hand.page.get_by_role("button", name="Kill + flatten"))
    dialog = hand.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Expected proceeds")
    await hand.write(dialog.get_by_role("textbox"), "FLATTEN")
    await hand.press(dialog.locator("[data-confirm]"))
    await expect(hand.page.locator("#badge")).to_have_text(re.compile("HALTED"))
    await expect(hand.page.locator("#positions-title")).to_have_text("Open Positions (0)")
    assert (await floor.ended(held)).phase is Phase.FLAT
    await floor.resume()


async def test_reading_the_trade_log(floor: Floor, visitor: Visitor, way: str) -> None:
    await floor.settings(enabled=True)
    await floor.hold()
    hand = await hand_of(visitor, way)
    log = hand.page.locator("#trades")
    rows = log.locator("tbody tr")
    await expect(rows.first).to_contain_text("SUCCESS")
    await hand.choose(log.get_by_label("Status"), "ROLLED_BACK")
    await expect(rows).to_have_count(0)
    await hand.choose(log.get_by_label("Status"), "SUCCESS")
    await hand.press(rows.first.get_by_role("button", name="Details"))
    dialog = hand.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Gross edge")
    await hand.press(dialog.get_by_role("button", name="Close"))
    await hand.press(log.get_by_role("button", name="Clear"))
    await expect(log).to_contain_text("the journal keeps every one")
    await hand.press(log.get_by_role("button", name="Show all"))
    await expect(rows.first).to_contain_text("SUCCESS")


async def test_finding_a_card_and_copying_its_trade(
    floor: Floor, visitor: Visitor, way: str
) -> None:
    await floor.settings(enabled=False)
    hand = await hand_of(visitor, way, "/")
    await hand.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cards = hand.page.locator(".card")
    await expect(cards.first).to_be_visible()
    title = (await cards.nth(2).locator("h3").inner_text()).strip()
    await hand.press(hand.page.get_by_role("button", name="HIGH only"))
    await hand.choose(hand.page.locator("#sort"), "Expiry")
    await hand.write(hand.page.locator("#search"), title)
    card = cards.filter(has_text=title).first
    await hand.press(card.get_by_role("button", name="Details"))
    await expect(card.locator(".details")).to_contain_text("Kalshi fee")
    await hand.press(card.get_by_role("button", name="Copy Trade"))
    await expect(card.get_by_role("button", name="✓ Copied")).to_be_visible()
    assert "prices move" in await hand.page.evaluate("navigator.clipboard.readText()")
    await hand.press(hand.page.get_by_role("link", name="Executor", exact=True))
    await expect(hand.page.locator("#badge")).to_have_text(re.compile("PAUSED"))
