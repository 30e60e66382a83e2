"""Closing a position on the page: its price in numbers, its bounds, and when it cannot be asked."""

import re

import pytest
from playwright.async_api import expect

from tests.ui.conftest import Visitor
from tests.ui.support import orders, states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")
POSITION = states.position()["id"]


async def test_closing_shows_the_price_of_it_and_sends_the_bound(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await page.get_by_role("article", name="LAL vs BOS").get_by_text("Close Position").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Close now -$0.42 vs hold ≥ +$0.71")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert pages.commands == []
    await dialog.get_by_label("Lose at most ($)").fill("0.50")
    await dialog.get_by_role("button", name="Close Position").click()
    sent = await pages.action("close_position")
    assert (sent["position_id"], sent["loss_max"]) == (POSITION, "0.50")
    await expect(page.locator("#positions-title")).to_have_text("Open Positions (1)")


async def test_a_limit_per_leg_is_held_against_what_the_last_contract_would_bring(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await page.get_by_role("article", name="LAL vs BOS").get_by_text("Close Position").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Close Position")
    limit = dialog.get_by_label("Kalshi not below")
    for text, why in (("0.47", "Kalshi pays 0.46 for the last"), ("1.5", "between 0 and 1")):
        await limit.fill(text)
        await expect(confirm).to_have_attribute("title", re.compile(why))
        await confirm.click(force=True)
    assert pages.commands == []
    await limit.fill("0.46")
    await confirm.click()
    sent = await pages.action("close_position")
    assert (sent["loss_max"], sent["limits"]) == ("0.60", {"kalshi": "0.46"})


async def test_a_refused_close_stays_as_a_note(visitor: Visitor, pages: PageServer) -> None:
    pages.automatic = False
    page = await visitor.open()
    row = page.get_by_role("article", name="LAL vs BOS")
    await row.get_by_text("Close Position").click()
    await page.get_by_role("dialog").get_by_role("button", name="Close Position").click()
    sent = await pages.action("close_position")
    refusal = {"type": "error", "message": "SETTLING: nothing to close", "ref": sent["ref"]}
    await pages.send_raw(refusal)
    await expect(row).to_contain_text("Not closed: SETTLING: nothing to close")


async def test_a_close_that_ended_with_a_person_is_asked_again_with_a_wider_bound(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    row = page.get_by_role("article", name="LAL vs BOS")
    button = row.locator("[data-close]")
    await button.click()
    await page.get_by_role("dialog").get_by_role("button", name="Close Position").click()
    sent = await pages.action("close_position")
    await expect(button).to_have_text("Closing…")
    await pages.send_raw({"type": "accepted", "data": {"arb_id": POSITION, "ref": sent["ref"]}})
    await expect(row).to_contain_text("Close accepted by its workflow")
    for phase in ("CLOSING", "NEEDS_OPERATOR"):
        await pages.send("patch", {"positions": {"upsert": [{"id": POSITION, "phase": phase}]}})
        why = "CLOSING: nothing to close" if phase == "CLOSING" else ""
        await expect(button).to_have_attribute("title", why)
    await expect(button).to_have_text("Close Position")
    pages.received.clear()
    await row.focus()
    await page.keyboard.press("x")
    await page.get_by_role("dialog").get_by_label("Lose at most ($)").fill("2")
    await page.get_by_role("dialog").get_by_role("button", name="Close Position").click()
    assert (await pages.action("close_position"))["loss_max"] == "2"


@pytest.mark.parametrize(
    ("word", "why"), [("sent", "on its way"), ("planned", "on its way"), ("unknown", "unknown")]
)
async def test_a_leg_without_an_answer_cannot_be_closed_and_says_why(
    visitor: Visitor, pages: PageServer, word: str, why: str
) -> None:
    row = states.position()
    row["legs"]["kalshi"] |= {"state": word}
    pages.data["executor"]["positions"] = [row]
    page = await visitor.open()
    button = page.get_by_role("article", name="LAL vs BOS").get_by_text("Close Position")
    await expect(button).to_have_attribute("title", re.compile(why))
    await button.click(force=True)
    await expect(page.locator("#toasts")).to_contain_text(why)
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_a_close_without_a_figure_needs_a_bound_or_the_word_that_there_is_none(
    visitor: Visitor, pages: PageServer
) -> None:
    told = orders.close_preview() | {"result": None, "loss_max": None, "unpriced": ["kalshi"]}
    told |= {"unpriced_why": "The bids seen last at kalshi do not hold the position"}
    told["legs"]["kalshi"] |= dict.fromkeys(
        ("average_price", "worst_price", "slippage", "fee", "proceeds")
    )
    pages.answers[f"positions/{POSITION}/close-preview"] = (200, told)
    page = await visitor.open()
    await page.get_by_role("article", name="LAL vs BOS").get_by_text("Close Position").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Close Position")
    await expect(dialog).to_contain_text("The bids seen last at kalshi do not hold the position")
    await expect(confirm).to_have_attribute("title", re.compile("may lose at most, or that it may"))
    await confirm.click(force=True)
    assert pages.commands == []
    any_price = dialog.get_by_label("Sell at any price")
    await any_price.check()
    await expect(confirm).to_have_attribute("title", "")
    await any_price.uncheck()
    await dialog.get_by_label("Lose at most ($)").fill("0.50")
    await expect(confirm).to_have_attribute("title", "")
    await dialog.get_by_label("Lose at most ($)").fill("")
    await any_price.check()
    await confirm.click()
    assert (await pages.action("close_position"))["loss_max"] is None
