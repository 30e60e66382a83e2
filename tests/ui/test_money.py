"""Figures of money: what costs is rounded up, what gains down, and what is not final says so."""

import re

import pytest
from playwright.async_api import expect

from tests.domain.tables import rows
from tests.ui.conftest import Visitor
from tests.ui.support import curves, states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN = """
    amount        as_a_cost  as_a_gain
    0.0399        $0.04      $0.03
    4.999         $5.00      $4.99
    5.00          $5.00      $5.00
    0             $0.00      $0.00
    0.0400000001  $0.05      $0.04
    1234.000001   $1,234.01  $1,234.00
    -0.0399       -$0.03     -$0.04
    -0.001        $0.00      -$0.01
"""
FORMAT = """async (amount) => {
  const { cost, usd } = await import("/static/test/js/fmt.js");
  return [cost(amount), usd(amount)];
}"""


async def test_no_figure_looks_better_than_it_is(visitor: Visitor) -> None:
    page = await visitor.open()
    for amount, cost, gain in rows(SHOWN):
        assert await page.evaluate(FORMAT, amount) == [cost, gain], amount


async def test_fees_losses_and_what_is_exposed_are_rounded_up(
    visitor: Visitor, pages: PageServer
) -> None:
    data = pages.data["executor"]
    data["stats"]["detail"] |= {"fees": "0.0399", "loss_used": "4.9990"}
    data["unhedged"] = {"usd": "5.7601", "legs": [states.naked_leg(exposure="5.7601")]}
    data["positions"] = [states.position(cost="9.9812", payout="10.009")]
    data["trades"][0]["exact"]["bet_size"] = "5.001"
    page = await visitor.open()
    strip = page.locator("#strip")
    for said in ("fees $0.04", "$5.00 of $5.00", "▲ 100%", "✖ $5.77"):
        await expect(strip).to_contain_text(said)
    await expect(page.locator("#setting-max_daily_loss-note")).to_contain_text("$5.00 today")
    await expect(page.locator("#unhedged")).to_contain_text("$5.77 exposed")
    await expect(page.locator("#positions article")).to_contain_text("$9.99")
    await expect(page.locator("#positions article")).to_contain_text("$10.00")
    await expect(page.locator("#trades tbody tr").first).to_contain_text("$5.01")


async def test_a_result_that_is_not_final_is_marked_in_its_row_and_in_every_sum(
    visitor: Visitor, pages: PageServer
) -> None:
    data = pages.data["executor"]
    waits = {"trades": 2, "wins": 1, "pnl": "0.71"}
    data["stats"]["detail"]["guaranteed"] = waits
    curve = curves.equity() | {"guaranteed": {"trades": 2, "pnl": "0.71"}}
    curve["points"][-1]["final"] = False
    pages.answers["stats/equity"] = (200, curve)
    page = await visitor.open()
    trades = page.locator("#trades tbody tr")
    await expect(trades.nth(0).locator(".guaranteed")).to_have_text("guaranteed")
    await expect(trades.nth(1).locator(".guaranteed")).to_have_count(0)
    await expect(page).to_have_title("● SIM ≥ +$1.25 (2) · Executor")
    sums = ("incl. +$0.71 not final", "2 won, 1 of them not final")
    for said in sums:
        await expect(page.locator("#strip")).to_contain_text(said)
        await expect(page.locator("#stats")).to_contain_text(said)
    text = page.locator("#equity-text")
    await expect(text).to_contain_text(sums[0])
    await text.get_by_text("As a table").click()
    await expect(text.locator("tbody tr").last).to_contain_text("guaranteed")
    await expect(text.locator(".guaranteed")).to_have_count(1)
    await pages.send("trade_event", states.trade(1, final=True))
    await expect(trades.nth(0).locator(".guaranteed")).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("+$0.12")
    await expect(page.locator("#toasts")).not_to_contain_text("guaranteed")
    await pages.send("trade_event", states.trade(0))
    await expect(page.locator("#toasts")).to_contain_text("+$0.12 guaranteed")


async def test_sums_of_final_results_say_nothing_of_it(visitor: Visitor) -> None:
    page = await visitor.open()
    await expect(page.locator("#stat-pnl")).to_have_text(re.compile(r"\+\$1\.25\s*$"))
    await expect(page.locator("#strip")).not_to_contain_text("not final")
    await expect(page.locator("#equity-text")).not_to_contain_text("not final")


async def test_the_table_of_the_curve_says_how_many_trades_it_leaves_out(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    text = page.locator("#equity-text")
    await text.get_by_text("As a table").click()
    await expect(text.locator("tbody tr")).to_have_count(12)
    await expect(text).to_contain_text("and 2 more before these")
    few = curves.equity()
    pages.answers["stats/equity"] = (200, few | {"points": few["points"][:12]})
    await page.locator("#equity-tools").get_by_role("button", name="1h").click()
    await expect(text).not_to_contain_text("more before these")
