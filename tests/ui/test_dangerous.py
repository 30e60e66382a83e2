"""Dangerous buttons: a click explains, a hold acts, and the word does for those who cannot hold."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOLD_MS = 600
SHORT_OF_A_HOLD_MS = HOLD_MS - 50


def button(page: Page, name: str) -> Locator:
    return page.locator("#command").get_by_role("button", name=name, exact=True)


async def press(page: Page, target: Locator) -> None:
    box = await target.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()


@pytest.mark.parametrize("name", ["Kill", "Kill + flatten"])
async def test_a_single_click_does_nothing_but_explain(
    visitor: Visitor, pages: PageServer, name: str
) -> None:
    page = await visitor.open()
    await button(page, name).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Nothing has happened yet")
    if name == "Kill":
        await expect(dialog).to_contain_text("No order waits at a venue to be cancelled")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    assert pages.commands == []


@pytest.mark.parametrize(("name", "flatten"), [("Kill", False), ("Kill + flatten", True)])
async def test_a_hold_to_the_end_acts(
    visitor: Visitor, pages: PageServer, name: str, flatten: bool
) -> None:
    page = await visitor.open()
    await press(page, button(page, name))
    body = await pages.call("executor/kill")
    await page.mouse.up()
    assert body is not None
    assert body["flatten"] is flatten
    assert body.get("confirm") == ("FLATTEN" if flatten else None)
    await expect(page.get_by_role("alert")).to_contain_text("no new entry leaves")
    assert pages.commands == ["executor/kill"]


async def test_letting_go_early_or_leaving_the_button_does_nothing(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await page.clock.install()
    await page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    kill = button(page, "Kill")
    await press(page, kill)
    await page.clock.run_for(SHORT_OF_A_HOLD_MS)
    await expect(kill).to_have_class(re.compile("holding"))
    await page.mouse.move(5, 5)
    await expect(kill).not_to_have_class(re.compile("holding"))
    await page.mouse.up()
    await page.clock.run_for(HOLD_MS)
    assert pages.commands == []


async def test_space_held_on_the_focused_button_acts(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await button(page, "Kill").focus()
    await page.keyboard.down("Space")
    await pages.call("executor/kill")
    await page.keyboard.up("Space")
    assert pages.commands == ["executor/kill"]


async def test_shift_k_held_kills_and_a_tap_does_not(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await page.keyboard.press("Shift+K")
    await expect(page.locator("#toasts")).to_contain_text("Hold Shift+K")
    assert pages.commands == []
    await page.keyboard.down("Shift")
    await page.keyboard.down("K")
    await pages.call("executor/kill")
    await page.keyboard.up("K")
    await page.keyboard.up("Shift")


async def test_the_word_does_for_those_who_cannot_hold(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await button(page, "Kill + flatten").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("$19.12")
    confirm = dialog.locator("[data-confirm]")
    await confirm.click()
    assert pages.commands == []
    await dialog.get_by_role("textbox").fill("FLATTEN")
    await confirm.click()
    assert await pages.call("executor/kill") == {"flatten": True, "confirm": "FLATTEN"}


async def test_flatten_stays_reachable_while_halted(visitor: Visitor, pages: PageServer) -> None:
    pages.data["executor"] = states.executor(state="HALTED")
    pages.data["executor"]["run_state"]["reason"] = "daily loss reached"
    page = await visitor.open()
    await expect(page.locator("#command")).to_contain_text("daily loss reached")
    await press(page, button(page, "Kill + flatten"))
    await pages.call("executor/kill")
    await page.mouse.up()


async def test_resuming_from_a_halt_needs_a_hold_or_the_word(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"] = states.executor(state="HALTED")
    page = await visitor.open()
    await button(page, "Resume from halt…").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("[data-confirm]").click()
    assert pages.commands == []
    await dialog.get_by_role("textbox").fill("RESUME")
    await dialog.locator("[data-confirm]").click()
    assert await pages.call("executor/resume") == {"confirm": "RESUME"}


async def test_enabling_live_money_needs_a_hold_or_the_word(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.mode = "live"
    pages.data["executor"] = states.executor(mode="live", state="PAUSED")
    page = await visitor.open()
    await page.get_by_role("switch").click()
    confirm = page.get_by_role("dialog").locator("[data-confirm]")
    await confirm.click()
    assert pages.commands == []
    await press(page, confirm)
    sent = await pages.action("toggle_enabled")
    await page.mouse.up()
    assert (sent["value"], sent["confirm"]) == (True, "LIVE")


async def test_loosening_live_limits_asks_and_tightening_does_not(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.mode = "live"
    pages.data["executor"] = states.executor(mode="live")
    page = await visitor.open()
    await page.get_by_label("Max Bet:", exact=True).fill("20")
    await page.get_by_role("button", name="Save Settings").click()
    await expect(page.get_by_role("dialog")).to_contain_text("$10.00 → $20.00")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert pages.commands == []
    await page.get_by_label("Max Bet:", exact=True).fill("9")
    await page.get_by_role("button", name="Save Settings").click()
    assert (await pages.action("update_settings"))["settings"] == {"max_bet": "9"}


async def test_an_older_version_that_loosens_live_limits_asks_and_a_tighter_one_does_not(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.mode = "live"
    pages.data["executor"] = states.executor(mode="live")
    page = await visitor.open()
    await page.get_by_role("button", name="History").click()
    await page.get_by_role("button", name="Revert to v16").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Loosen limits with real money")
    await expect(dialog).to_contain_text("$10.00 → $20.00")
    await expect(dialog).to_contain_text("1.0% → 0.8%")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)
    assert pages.commands == []
    await page.get_by_role("button", name="History").click()
    await page.get_by_role("button", name="Revert to v16").click()
    await dialog.get_by_role("button", name="Revert to v16").click()
    assert await pages.call("settings/revert") == {"version": 16}
    pages.calls.clear()
    await page.get_by_role("button", name="History").click()
    await page.get_by_role("button", name="Revert to v17").click()
    assert await pages.call("settings/revert") == {"version": 17}


async def test_pausing_takes_one_key(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await page.keyboard.press("p")
    assert (await pages.action("toggle_enabled"))["value"] is False
    await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))


async def test_single_keys_are_ignored_while_typing_and_when_turned_off(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await page.get_by_label("Max Bet:", exact=True).press("p")
    await page.evaluate("localStorage.setItem('lockstep.keys', 'off')")
    await page.locator("#main").press("p")
    assert pages.commands == []
