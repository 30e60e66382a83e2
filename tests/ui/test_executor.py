"""The /executor page: what the seed names is there, and every change waits for the server."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")
POSITION = states.position()["id"]


async def edit(page: Page, label: str, value: str) -> None:
    await page.get_by_label(label, exact=True).fill(value)


async def test_the_header_shows_badge_toggle_and_last_update(visitor: Visitor) -> None:
    page = await visitor.open()
    await expect(page.locator("#badge")).to_have_text(re.compile("ACTIVE"))
    await expect(page.locator("#badge")).to_have_class(re.compile("badge-active"))
    await expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    await expect(page.locator("#last-update")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


async def test_a_paused_executor_reads_paused(visitor: Visitor, pages: PageServer) -> None:
    pages.data["executor"] = states.executor(state="PAUSED")
    page = await visitor.open()
    await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))
    await expect(page.get_by_role("switch")).to_have_text(re.compile("Enable trading"))


async def test_the_settings_panel_has_the_seeds_fields(visitor: Visitor) -> None:
    page = await visitor.open()
    expected = {
        "Min Bet:": "5.00",
        "Max Bet:": "10.00",
        "Min ROI:": "1.0",
        "Max ROI:": "50.0",
        "Max Daily Trades:": "50",
        "Max Daily Loss:": "5.00",
    }
    for label, value in expected.items():
        await expect(page.get_by_label(label, exact=True)).to_have_value(value)
    await expect(page.get_by_role("button", name="Save Settings")).to_be_visible()


async def test_balances_and_statistics_read_as_in_the_seed(visitor: Visitor) -> None:
    page = await visitor.open()
    await expect(page.locator("#balance-poly")).to_have_text("$50.00")
    await expect(page.locator("#balance-kalshi")).to_have_text("$45.00")
    await expect(page.locator("#balance-total")).to_have_text("$95.00")
    await expect(page.locator("#balances")).to_contain_text(
        "Kalshi caps the next trade: $35.40 is free there. Room for 76 contracts at 0.46"
    )
    await expect(page.locator("#stat-trades")).to_have_text("3 / 50")
    await expect(page.locator("#stat-pnl")).to_have_text(re.compile(r"\+\$1\.25"))
    await expect(page.locator("#stat-wins")).to_have_text("66%")


async def test_positions_show_both_legs_and_a_close_button(visitor: Visitor) -> None:
    page = await visitor.open()
    panel = page.locator("#positions")
    await expect(panel.get_by_role("heading", level=2)).to_have_text("Open Positions (2)")
    first = panel.get_by_role("article", name="LAL vs BOS")
    await expect(first).to_contain_text("Poly YES @ 0.51")
    await expect(first).to_contain_text("Kalshi NO @ 0.48")
    await expect(first.get_by_role("button", name="Close Position")).to_be_visible()


async def test_the_trade_log_reads_as_in_the_seed(visitor: Visitor) -> None:
    page = await visitor.open()
    rows = page.locator("#trades tbody tr")
    await expect(rows).to_have_count(5)
    for text in ("SUCCESS", "LAL vs BOS", "$5.00", "+$0.12", "2.4% ROI"):
        await expect(rows.nth(0)).to_contain_text(text)
    for text in ("ROLLED_BACK", "MIA vs NYK", "-$0.80", "Poly fail"):
        await expect(rows.nth(1)).to_contain_text(text)


async def test_pausing_is_pending_until_the_server_says_so(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    toggle = page.get_by_role("switch")
    await toggle.click()
    sent = await pages.action("toggle_enabled")
    assert sent["value"] is False
    await expect(toggle).to_have_text(re.compile("Pausing"))
    await expect(toggle).to_have_attribute("aria-checked", "true")
    await expect(page.locator("#badge")).to_have_text(re.compile("ACTIVE"))
    await expect(page.locator("#toggle-why")).to_have_text(re.compile("still waiting"))
    await pages.confirm_toggle(False)
    await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))
    await expect(toggle).to_have_attribute("aria-checked", "false")


async def test_enabling_asks_in_numbers_before_anything_is_sent(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"] = states.executor(state="PAUSED")
    page = await visitor.open()
    await page.get_by_role("switch").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("$5.00 to $10.00")
    await expect(dialog).to_contain_text("47 of 50")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    assert pages.commands == []
    await page.get_by_role("switch").click()
    await dialog.get_by_role("button", name="Enable").click()
    assert (await pages.action("toggle_enabled"))["value"] is True
    await expect(page.locator("#badge")).to_have_text(re.compile("ACTIVE"))


async def test_saving_sends_only_the_difference_and_shows_the_new_version(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await edit(page, "Max Bet:", "15")
    await expect(page.get_by_role("list", name="Not saved yet")).to_have_text(
        re.compile(r"Max Bet \$10\.00 → \$15\.00")
    )
    await page.get_by_role("button", name="Save Settings").click()
    sent = await pages.action("update_settings")
    assert sent["settings"] == {"max_bet": "15"}
    assert sent["expected_version"] == 18
    await expect(page.locator("#settings-state")).to_contain_text("saved v19")


async def test_an_impossible_combination_is_named_at_its_field(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await edit(page, "Max Bet:", "4")
    field = page.get_by_label("Max Bet:", exact=True)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#setting-max_bet-note")).to_contain_text("at least Min Bet 5.00")
    await page.get_by_role("button", name="Save Settings").click(force=True)
    await edit(page, "Max Bet:", "abc")
    await page.keyboard.press("Enter")
    await expect(page.locator("#setting-max_bet-note")).to_contain_text("must be a number")
    assert pages.commands == []


async def test_each_setting_says_what_it_may_be_and_what_is_hardly_meant(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    notes = {
        "min_bet": "above 0, at most Max Bet",
        "max_bet": "at least Min Bet",
        "max_roi": "at least Min ROI · ignore above",
        "max_daily_trades": "0 or more · 3 today",
        "max_daily_loss": "0 or more · $0.80 today",
    }
    for name, words in notes.items():
        await expect(page.locator(f"#setting-{name}-note")).to_contain_text(words)
    await expect(page.locator("#settings-form .warn")).to_have_count(0)
    await edit(page, "Max Bet:", "75.01")
    await edit(page, "Max Daily Loss:", "4.99")
    bet, loss = page.locator("#setting-max_bet-note"), page.locator("#setting-max_daily_loss-note")
    await expect(bet).to_contain_text("more than the $75.00 that is free at both venues")
    await expect(loss).to_contain_text("less than one bet")
    await pages.send(
        "balance_update", {"detail": {"poly": {"free": "39.61"}, "kalshi": {"free": "35.40"}}}
    )
    await expect(bet).not_to_contain_text("free at both venues")
    await page.get_by_role("button", name="Save Settings").click()
    wanted = {"max_bet": "75.01", "max_daily_loss": "4.99"}
    assert (await pages.action("update_settings"))["settings"] == wanted


async def test_the_servers_refusal_is_shown_at_its_field(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    await edit(page, "Min Bet:", "6")
    await page.get_by_role("button", name="Save Settings").click()
    sent = await pages.action("update_settings")
    refusal = {"type": "error", "message": "Invalid settings value", "field": "min_bet"}
    await pages.send_raw(refusal | {"ref": sent["ref"]})
    await expect(page.locator("#setting-min_bet-note")).to_contain_text("Invalid settings value")
    await expect(page.get_by_label("Min Bet:", exact=True)).to_have_value("6")


async def test_two_people_saving_at_once_see_the_difference(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    await edit(page, "Max Bet:", "15")
    await page.get_by_role("button", name="Save Settings").click()
    sent = await pages.action("update_settings")
    theirs = states.settings(version=19, max_bet=12.0)
    theirs["meta"]["saved_by"] = "ben"
    await pages.send_raw(
        {"type": "error", "message": "ben saved v19", "field": None, "code": "conflict",
         "current": theirs, "ref": sent["ref"]}
    )  # fmt: skip
    await expect(page.get_by_role("alert").filter(has_text="ben")).to_contain_text("version 19")
    await expect(page.get_by_role("list", name="Saved by ben")).to_have_text(
        re.compile(r"^\s*Max Bet\s+\$10\.00 →\s+\$12\.00\s*$")
    )
    await expect(page.get_by_role("list", name="Not saved yet")).to_contain_text("$12.00 → $15.00")
    pages.received.clear()
    await page.get_by_role("button", name="Save Settings").click()
    again = await pages.action("update_settings")
    assert (again["expected_version"], again["settings"]) == (19, {"max_bet": "15"})


async def test_a_draft_is_never_saved_over_a_change_that_came_while_it_was_written(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    await edit(page, "Max Bet:", "15")
    theirs = states.settings(version=19, max_daily_loss=7.0)
    theirs["meta"]["saved_by"] = "ben"
    await pages.send("settings_changed", theirs)
    await expect(page.get_by_role("list", name="Saved by ben")).to_contain_text("Max Daily Loss")
    await page.get_by_role("button", name="Save Settings").click()
    assert (await pages.action("update_settings"))["expected_version"] == 18
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_role("list", name="Saved by ben")).to_have_count(0)


async def test_a_version_that_is_not_yet_in_force_says_so(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["settings"] = states.settings(version=18, active=17)
    page = await visitor.open()
    await expect(page.locator("#settings-state")).to_contain_text(
        re.compile(
            r"saved v18 .* active in executor-1 v17 → v18 pending at "
            r"(\d+ \w+, )?\d\d:\d\d:\d\d\.\d{3}"
        )
    )


async def test_an_older_version_can_be_brought_back(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await page.get_by_role("button", name="History").click()
    await page.get_by_role("button", name="Revert to v17").click()
    assert await pages.call("settings/revert") == {"version": 17}


async def test_live_events_reach_the_page_without_a_reload(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await pages.send("balance_update", {"poly": 49.5, "poly_exact": "49.50", "total": "94.50"})
    await expect(page.locator("#balance-poly")).to_have_text("$49.50")
    await pages.send("trade_event", states.trade(0, title="PHX vs DAL"))
    await expect(page.locator("#trades tbody tr").first).to_contain_text("PHX vs DAL")
    await pages.send("position_opened", states.position(9, "PHX vs DAL"))
    await expect(page.locator("#positions-title")).to_have_text("Open Positions (3)")
    await pages.send("patch", {"positions": {"upsert": [{"id": POSITION, "close_now": "0.07"}]}})
    await expect(page.get_by_role("article", name="LAL vs BOS")).to_contain_text("+$0.07")
    await pages.send("position_closed", {"id": POSITION})
    await expect(page.get_by_role("article", name="LAL vs BOS")).to_have_count(0)


async def test_a_row_that_only_the_journal_vouches_for_says_so(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["positions"][0]["stale"] = True
    page = await visitor.open()
    said = "from the journal, no worker answers"
    rows = page.locator("#positions article")
    await expect(rows.filter(has_text="LAL vs BOS")).to_contain_text(said)
    await expect(rows.filter(has_text="Fed cuts rates")).not_to_contain_text(said)
    await pages.send("patch", {"positions": {"upsert": [{"id": POSITION, "stale": False}]}})
    await expect(rows.filter(has_text="LAL vs BOS")).not_to_contain_text(said)


async def test_a_scanner_that_is_gone_is_no_longer_shown(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["positions"] = []
    page = await visitor.open()
    panel = page.locator("#positions")
    await expect(panel).to_contain_text("Watching 1284 pairs")
    await pages.send("patch", {"scanner": None})
    await expect(panel).to_contain_text("No scanner reports")
    await expect(panel).not_to_contain_text("1284")


async def test_a_trade_opens_its_timeline_with_the_slowest_hop(visitor: Visitor) -> None:
    page = await visitor.open()
    await page.locator("#trades tbody tr").nth(1).get_by_role("button", name="Details").click()
    figure = page.get_by_role("dialog").get_by_role("figure")
    await expect(figure).to_contain_text("skew 7 ms")
    await expect(figure).to_contain_text("slowest hop: answered (97 ms)")


async def test_a_naked_leg_pins_a_card_with_its_actions(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["unhedged"] = {"usd": "5.76", "legs": [states.naked_leg()]}
    page = await visitor.open()
    panel = page.locator("#unhedged")
    await expect(panel.get_by_role("heading", level=2)).to_contain_text("Unhedged: $5.76")
    await expect(panel).to_contain_text("attempt 3 of 8")
    take_over = panel.get_by_role("button", name="Take over")
    await expect(take_over).to_have_attribute("title", "Possible once no order is in flight")
    await panel.get_by_role("button", name="Retry now").click()
    assert pages.commands == []
    await page.get_by_role("dialog").get_by_role("button", name="Retry now").click()
    assert await pages.call("positions/arb-naked/retry") == {}


async def test_empty_states_prove_that_something_lives(visitor: Visitor, pages: PageServer) -> None:
    pages.data["executor"] |= {"positions": [], "trades": [], "events": []}
    page = await visitor.open()
    await expect(page.locator("#positions")).to_contain_text("Watching 1284 pairs")
    await expect(page.locator("#trades")).to_contain_text("3 trades today")


async def test_the_funnel_names_the_reasons_and_shows_examples(visitor: Visitor) -> None:
    page = await visitor.open()
    await page.get_by_role("button", name="edge_below_policy").click()
    await expect(page.get_by_role("dialog")).to_contain_text("net 0.4 %, needed 1 %")


async def test_a_refused_command_is_told_in_words(visitor: Visitor, pages: PageServer) -> None:
    visitor.allowed = ("status of 409",)
    pages.data["executor"]["unhedged"] = {"usd": "5.76", "legs": [states.naked_leg()]}
    pages.answers["positions/arb-naked/retry"] = (
        409,
        problem(409, "Wrong phase", "HOLDING: no unwind to retry"),
    )
    page = await visitor.open()
    await page.get_by_role("button", name="Retry now").click()
    await page.get_by_role("dialog").get_by_role("button", name="Retry now").click()
    await expect(page.locator("#toasts")).to_contain_text("HOLDING: no unwind to retry")
