"""The panel of open alarms: what is wrong in words, and one button that says it was seen."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from tests.support.axe import serious
from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer
from tests.ui.support.states import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")


def alarm(number: str, code: str, severity: str, **more: object) -> Json:
    """An open alarm as init and patch carry it."""
    return {
        "id": number,
        "key": code,
        "code": code,
        "severity": severity,
        "arb_id": None,
        "title": None,
        "wants": None,
        "detail": f"what {code} is about",
        "opened_at": states.ago(minutes=int(number)),
        "repeated_at": states.ago(seconds=5),
        "repeats": 3,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "closed_at": None,
        "evidence": None,
        **more,
    }


async def opened(visitor: Visitor, pages: PageServer) -> tuple[Page, Locator]:
    """The executor page with two alarms, and their panel."""
    pages.data["executor"]["alarms"] = [alarm("2", "DISK", "amber"), alarm("1", "LOST", "red")]
    page = await visitor.open()
    return page, page.locator("#alarms")


async def test_without_an_alarm_there_is_no_panel(visitor: Visitor) -> None:
    page = await visitor.open()
    await expect(page.get_by_role("switch")).to_be_visible()
    await expect(page.locator("#alarms")).to_be_empty()


async def test_alarms_are_told_in_words_the_red_ones_first(
    visitor: Visitor, pages: PageServer
) -> None:
    page, panel = await opened(visitor, pages)
    await expect(panel.get_by_role("heading", level=2)).to_have_text("Alarms (2)")
    rows = panel.get_by_role("listitem")
    await expect(rows.nth(0)).to_contain_text(re.compile("✖ red.*LOST.*what LOST is about", re.S))
    await expect(rows.nth(1)).to_contain_text(re.compile("▲ amber.*DISK.*for 2 min", re.S))
    assert serious((await Axe().run(page)).response["violations"]) == []


async def test_an_alarm_says_which_trade_and_what_it_wants_in_panel_toast_and_log(
    visitor: Visitor, pages: PageServer
) -> None:
    about = {"arb_id": "arb-77", "title": "MIA vs NYK", "wants": "It is tried again by itself"}
    untitled = {"arb_id": "arb-78"}
    pages.data["executor"]["alarms"] = [
        alarm("1", "UNHEDGED", "red", **about), alarm("2", "GHOST_FILL", "amber", **untitled)
    ]  # fmt: skip
    page = await visitor.open()
    rows = page.locator("#alarms").get_by_role("listitem")
    said = re.compile("UNHEDGED.*MIA vs NYK.*what UNHEDGED is about.*➡ It is tried again", re.S)
    await expect(rows.nth(0)).to_contain_text(said)
    link = rows.nth(0).get_by_role("link", name="Temporal")
    await expect(link).to_have_attribute("href", re.compile("/workflows/arb-77$"))
    await expect(rows.nth(1)).to_contain_text("arb-78")
    await expect(rows.nth(1)).not_to_contain_text("➡")
    event = {"id": "e9", "at": states.ago(), "kind": "alarm", "severity": "critical"}
    text = "UNHEDGED (alarm): MIA vs NYK: Kalshi holds 12 more"
    await pages.send("event", event | {"text": text, "wants": about["wants"]})
    told = re.compile(f"{re.escape(text)}.*➡ It is tried again by itself", re.S)
    await expect(page.locator("#toasts-critical")).to_contain_text(told)
    await expect(page.locator("#activity li").first).to_contain_text(told)
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog").locator("li").first).to_contain_text(told)


async def test_one_that_was_seen_says_by_whom_and_goes_once_it_is_over(
    visitor: Visitor, pages: PageServer
) -> None:
    _, panel = await opened(visitor, pages)
    row = panel.get_by_role("listitem", name="Alarm 1")
    await row.get_by_role("button", name="Seen: alarm 1, LOST").click()
    assert await pages.call("alarms/1/acknowledge") == {}
    await expect(row.get_by_role("button")).to_have_text("Seen")
    seen = {"id": "1", "acknowledged_by": "ada"}
    await pages.send("patch", {"alarms": {"upsert": [seen], "remove": []}})
    await expect(row).to_contain_text("✓ seen by ada")
    await expect(row.get_by_role("button")).to_have_count(0)
    await pages.send("patch", {"alarms": {"upsert": [], "remove": ["1"]}})
    await expect(panel.get_by_role("listitem")).to_have_count(1)
    await expect(panel.get_by_role("heading", level=2)).to_have_text("Alarms (1)")
