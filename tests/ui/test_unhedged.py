"""The panel of naked legs: every word is asked for in numbers, and a single click does nothing."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = {"retry": True, "accept": True, "hold": True, "take_over": True, "mark_resolved": True}
SIMPLE = [
    ("Retry now", "retry", "fresh set of attempts that may lose $1.44"),
    ("Hold as it is", "hold", "between -$5.81 and +$6.19"),
    ("Take over", "take-over", "12 NO by hand at Kalshi"),
]


async def opened(visitor: Visitor, pages: PageServer, **more: Any) -> tuple[Page, Locator]:
    """The executor page with one naked leg, and its panel."""
    leg = states.naked_leg(actions=ALL, **more)
    pages.data["executor"]["unhedged"] = {"usd": "5.76", "legs": [leg]}
    page = await visitor.open()
    return page, page.locator("#unhedged")


@pytest.mark.parametrize(("label", "path", "says"), SIMPLE)
async def test_a_word_is_asked_for_in_numbers_and_then_sent_once(
    visitor: Visitor, pages: PageServer, label: str, path: str, says: str
) -> None:
    page, panel = await opened(visitor, pages)
    await panel.get_by_role("button", name=label).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(says)
    await expect(dialog).to_contain_text("$5.76")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert pages.commands == []
    await dialog.get_by_role("button", name=label).click()
    assert await pages.call(f"positions/arb-naked/{path}") == {}
    await expect(page.locator("#toasts")).to_contain_text("MIA vs NYK")


async def test_accepting_the_loss_closes_at_any_price(visitor: Visitor, pages: PageServer) -> None:
    page, panel = await opened(visitor, pages)
    await panel.get_by_role("button", name="Accept loss now").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("at any price")
    await expect(dialog).to_contain_text("-$0.84")
    assert pages.commands == []
    await dialog.get_by_role("button", name="Accept loss now").click()
    asked = await pages.action("close_position")
    assert (asked["position_id"], asked["loss_max"]) == ("arb-naked", None)


async def test_marking_resolved_wants_evidence_and_cash_and_shows_the_result(
    visitor: Visitor, pages: PageServer
) -> None:
    page, panel = await opened(visitor, pages)
    await panel.get_by_role("button", name="Mark resolved").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Mark resolved")
    await expect(confirm).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_label("What did you do").fill("sold by hand, ticket 4711")
    await expect(confirm).to_have_attribute("title", "The cash is not an amount")
    await dialog.get_by_label("Cash it brought").fill("3.25")
    await expect(dialog.locator("#ends-with")).to_have_text("-$2.56")
    await confirm.click()
    sent = await pages.call("positions/arb-naked/resolve")
    assert sent == {"evidence": "sold by hand, ticket 4711", "cash": "3.25"}


async def test_every_word_can_be_said_by_keyboard(visitor: Visitor, pages: PageServer) -> None:
    page, panel = await opened(visitor, pages)
    await panel.get_by_role("button", name="Take over").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert pages.commands == []
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await pages.call("positions/arb-naked/take-over") == {}


async def test_a_leg_that_a_person_keeps_says_so_and_offers_what_is_left(
    visitor: Visitor, pages: PageServer
) -> None:
    _, panel = await opened(visitor, pages, kept=True, phase="HOLDING", next_retry_at=None)
    await expect(panel).to_contain_text("Kept by a person's word: nothing is being sold.")


async def test_the_next_try_is_counted_down(visitor: Visitor, pages: PageServer) -> None:
    _, panel = await opened(visitor, pages)
    await expect(panel.get_by_role("timer")).to_contain_text("next try in")
