"""What happened and who did it: orders in milliseconds, merged toasts, the bell; and the layout."""

import re

import pytest
from playwright.async_api import expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.orders import orders
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_order_is_a_row_of_the_waterfall_with_its_own_times(
    visitor: Visitor, pages: PageServer
) -> None:
    row = states.trade(2)
    arb = states.position(2, phase="FLAT", status="ROLLED_BACK", reason="Poly not filled")
    arb |= {"workflow_id": "arb-2:adopt-1", "orders": orders()}
    pages.answers[f"arbitrages/{row['arb_id']}"] = (200, arb)
    page = await visitor.open()
    await page.locator("#trades tbody tr").nth(1).get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    rows = dialog.locator(".waterfall tbody tr")
    await expect(rows).to_have_count(4)
    await expect(rows.nth(0)).to_contain_text(
        re.compile(r"Poly BUY YES.*\+12 ms.*\+40 ms.*\+2\.5 s.*filled", re.S)
    )
    await expect(rows.nth(1)).to_contain_text("fok_not_filled, asked 2×")
    assert await rows.nth(1).locator("rect.asking").count() == 1
    await expect(rows.nth(2)).to_contain_text("20 min later")
    await expect(rows.nth(3)).to_contain_text("Poly SELL YES")
    link = dialog.get_by_role("link", name="Temporal")
    await expect(link).to_have_attribute("href", re.compile(r"/workflows/arb-2%3Aadopt-1$"))


async def test_many_fills_are_one_toast_with_their_sum(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    for number in range(20, 26):
        await pages.send("trade_event", states.trade(number))
    merged = page.locator("#toasts .toast").filter(has_text="filled in the last 10 s")
    await expect(merged).to_have_count(1)
    await expect(merged).to_contain_text("6 filled in the last 10 s, +$0.72")


async def test_critical_toasts_outlast_any_number_of_others_until_they_are_dismissed(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    for number in range(4):
        alarm = {"id": f"e9{number}", "at": states.ago(), "severity": "critical"}
        await pages.send("event", alarm | {"text": f"Leg {number} is naked"})
    for _ in range(4):
        await page.keyboard.press("t")
    critical = page.locator("#toasts-critical .toast")
    await expect(page.locator("#toasts .toast")).to_have_count(1)
    await expect(critical).to_have_text([re.compile(f"Leg {n} is naked") for n in (3, 2, 1, 0)])
    await critical.first.get_by_role("button", name="Dismiss").click()
    await expect(critical).to_have_count(3)
    await expect(page.locator("#toasts .toast")).to_have_count(0, timeout=10_000)
    await expect(critical).to_have_count(3)


async def test_the_bell_counts_what_nobody_has_read_and_the_list_is_searched(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    bell = page.locator("#bell")
    await expect(bell).to_have_accessible_name("Activity, 4 unread")
    await page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("li.fresh")).to_have_count(4)
    await dialog.get_by_label("Search").fill("anna")
    await expect(dialog.locator("li")).to_have_count(1)
    await expect(dialog).to_contain_text("saved settings v18")
    await page.keyboard.press("Escape")
    await expect(bell).to_have_accessible_name("Activity, 0 unread")
    event = {"id": "e9", "at": states.ahead(seconds=1), "kind": "halt", "severity": "warn"}
    await pages.send("event", event | {"text": "ben (telegram): halt"})
    await expect(bell).to_have_accessible_name("Activity, 1 unread")


async def test_three_columns_stand_beside_each_other_as_in_the_seed(visitor: Visitor) -> None:
    page = await visitor.open(width=1280)
    columns = page.locator(".columns > *")
    tops = [await columns.nth(n).bounding_box() for n in range(3)]
    assert len({box["y"] for box in tops if box}) == 1
    kill = await page.locator("#kill").bounding_box()
    toggle = await page.locator("#toggle").bounding_box()
    assert kill is not None
    assert toggle is not None
    assert abs(kill["y"] - toggle["y"]) < 40
