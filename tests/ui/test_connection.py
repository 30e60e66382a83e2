"""Reconnecting, polling, and a stale page that looks stale."""

import re

import pytest
from playwright.async_api import expect

from tests.ui.conftest import Visitor
from tests.ui.support import states
from tests.ui.support.pages import PageServer, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")
LOST = ("WebSocket connection", "Failed to load resource")


async def test_after_a_restart_it_returns_and_says_what_it_had(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open()
    await pages.send("balance_update", {"poly": 49.0, "poly_exact": "49.00"})
    await expect(page.locator("#balance-poly")).to_have_text("$49.00")
    pages.data["executor"]["balances"]["poly_exact"] = "48.00"
    await pages.drop(1012)
    await expect(page.locator("#balance-poly")).to_have_text("$48.00")
    assert pages.hellos[-1]["last_seq"] == 1
    assert pages.hellos[-1]["stream"] == "a1"
    await expect(page.locator("#banner .banner")).to_have_count(0)


async def test_while_it_is_away_the_banner_counts_and_buttons_say_why(
    visitor: Visitor, pages: PageServer
) -> None:
    visitor.allowed = LOST
    page = await visitor.open()
    pages.refuse_sockets = True
    await page.route("**/api/v1/snapshot*", lambda route: route.abort())
    await pages.drop(1011)
    banner = page.locator("#banner")
    await expect(banner).to_contain_text(re.compile(r"Disconnected.*attempt \d+"))
    await expect(banner).to_contain_text(re.compile(r"Data is .* old"))
    close = page.get_by_role("article", name="LAL vs BOS").get_by_text("Close Position")
    await expect(close).to_have_attribute("aria-disabled", "true")
    await expect(close).to_have_attribute("title", "No connection to the server")
    await close.click(force=True)
    await expect(page.locator("#toasts")).to_contain_text("No connection to the server")
    assert pages.commands == []
    await expect(banner.get_by_role("button")).to_have_text("Try now")
    pages.refuse_sockets = False
    # At once: a page that comes back by itself meanwhile takes the button away.
    await page.evaluate("document.querySelector('#banner button')?.click()")
    await expect(page.locator("body")).to_have_attribute("data-link", "live")


async def test_without_a_socket_it_polls_says_so_and_still_commands(
    visitor: Visitor, pages: PageServer
) -> None:
    visitor.allowed = LOST
    pages.refuse_sockets = True
    page = await visitor.open(ready=False)
    await expect(page.locator("#banner")).to_contain_text("asking every 2 s instead")
    await expect(page.locator("#balance-poly")).to_have_text("$50.00")
    pages.answers["executor/enabled"] = (
        200,
        {"enabled": False, "run_state": {"state": "PAUSED", "since": states.ago(), "by": "anna"}},
    )
    pages.data["executor"] = states.executor(state="PAUSED")
    await page.get_by_role("switch").click()
    assert await pages.call("executor/enabled") == {"value": False}
    await expect(page.locator("#badge")).to_have_text(re.compile("PAUSED"))


async def test_what_a_lost_socket_did_not_answer_is_unknown_and_blocks_nothing(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    save = page.get_by_role("button", name="Save Settings")
    row = page.get_by_role("article", name="LAL vs BOS")
    await page.get_by_label("Max Bet:", exact=True).fill("15")
    await save.click()
    await page.get_by_role("switch").click()
    await row.locator("[data-close]").click()
    await page.get_by_role("dialog").get_by_role("button", name="Close Position").click()
    for name in ("update_settings", "toggle_enabled", "close_position"):
        await pages.action(name)
    await pages.drop(1012)
    await expect(page.locator("#toasts")).to_contain_text("it may or may not hold")
    await expect(row).to_contain_text("Not known whether it closes: No answer came")
    await pages.until(lambda: len(pages.hellos) == 2)
    pages.received.clear()
    for label in ("Save Settings", "Pause trading", "Close Position"):
        await expect(page.get_by_text(label, exact=True).first).to_be_visible()
    await page.get_by_role("switch").click()
    assert (await pages.action("toggle_enabled"))["value"] is False
    await save.click()
    assert (await pages.action("update_settings"))["settings"] == {"max_bet": "15"}


async def test_a_save_that_held_after_all_leaves_a_draft_that_can_be_put_away(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    await page.get_by_label("Max Bet:", exact=True).fill("15")
    await page.get_by_role("button", name="Save Settings").click()
    await pages.action("update_settings")
    pages.data["executor"]["settings"] = states.settings(version=19, max_bet=15.0)
    await pages.drop(1012)
    await expect(page.locator("#settings-state")).to_contain_text("saved v19")
    await expect(page.get_by_role("list", name="Saved by anna")).to_contain_text("$15.00")
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_role("list", name="Saved by anna")).to_have_count(0)


async def test_a_refused_handshake_is_polled_around_and_a_command_says_why(
    visitor: Visitor, pages: PageServer
) -> None:
    """What a page meets whose address a proxy has changed: a browser is told no code."""
    visitor.allowed = LOST
    pages.refuse_sockets = True
    why = "expected a page of ours, found origin 'https://bot.example'"
    pages.answers["executor/enabled"] = (403, problem(403, "Foreign origin", why))
    page = await visitor.open(ready=False)
    await expect(page.locator("#banner")).to_contain_text("asking every 2 s instead")
    await page.get_by_role("switch").click()
    await expect(page.locator("#toasts")).to_contain_text(why)
    await expect(page.get_by_role("switch")).to_have_text(re.compile("Pause trading"))


async def test_a_silent_server_makes_the_page_look_stale(
    visitor: Visitor, pages: PageServer
) -> None:
    visitor.allowed = LOST
    page = await visitor.open()
    await page.route("**/api/v1/snapshot*", lambda route: route.abort())
    pages.refuse_sockets = True
    await page.clock.install()
    await page.clock.fast_forward(20_000)
    await expect(page.locator("body")).to_have_attribute("data-link", "stale")
    assert "grayscale" in await page.locator("main").evaluate("e => getComputedStyle(e).filter")
    await expect(page.locator("#tools")).to_contain_text("Stale")


async def test_a_missing_login_leads_there(visitor: Visitor, pages: PageServer) -> None:
    pages.close_code = 4401
    page = await visitor.open(ready=False)
    await page.wait_for_url("**/login?next=%2Fexecutor")
    await page.get_by_label("Password").fill("correct horse")
    await page.keyboard.press("Enter")
    assert await pages.call("login") == {"password": "correct horse"}


async def test_a_dead_executor_is_named_and_nothing_can_be_enabled(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"] = states.executor(state="OFF")
    pages.data["executor"]["services"]["executor"] = {"state": "down", "detail": "no poller"}
    page = await visitor.open()
    await expect(page.locator("#banner")).to_contain_text("lockstep run executor")
    await page.get_by_role("switch").click(force=True)
    await expect(page.locator("#toasts")).to_contain_text("The executor is not running")
    assert pages.commands == []


NOTIFIERS = {
    "lag 120 ms": {"state": "up", "lag_ms": 120, "waiting": 0, "detail": ""},
    "not configured": {"state": "off", "lag_ms": 0, "waiting": 0, "detail": "not configured"},
    "messages are not fetched": {
        "state": "down", "lag_ms": 90_000, "waiting": 3, "detail": "messages are not fetched",
    },
}  # fmt: skip


@pytest.mark.parametrize("words", NOTIFIERS)
async def test_the_notifier_says_whether_messages_are_fetched_or_nobody_is_to_be_told(
    visitor: Visitor, pages: PageServer, words: str
) -> None:
    pages.data["executor"]["services"]["notifier"] = NOTIFIERS[words]
    page = await visitor.open()
    tile = page.locator("#strip .tile", has_text="Notifier")
    await expect(tile).to_contain_text(words)
    if words == "not configured":
        await expect(tile).not_to_contain_text("lag")


async def test_what_no_executor_has_asked_for_is_no_zero(
    visitor: Visitor, pages: PageServer
) -> None:
    detail = pages.data["executor"]["balances"]["detail"]
    detail["poly"]["awaiting_settlement"], detail["kalshi"]["awaiting_settlement"] = "20.00", None
    pages.data["executor"]["venues"]["kalshi"]["ping_ms"] = None
    page = await visitor.open()
    row = page.locator("table.parts tr", has_text="Awaiting settlement")
    await expect(row.locator("td")).to_have_text(["$20.00", "–"])
    await expect(page.locator("#strip .tile", has_text="Kalshi").first).not_to_contain_text("null")


async def test_a_venue_that_takes_no_orders_says_so_on_its_tile(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"]["venues"]["kalshi"]["shut"] = "Kalshi does not trade now"
    page = await visitor.open()
    tile = page.locator("#strip .tile", has_text="Kalshi").first
    await expect(tile).to_contain_text("✕ takes no orders: Kalshi does not trade now")
    other = page.locator("#strip .tile", has_text="Polymarket").first
    await expect(other).not_to_contain_text("takes no orders")


async def test_an_old_book_forbids_enabling_with_the_reason(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["executor"] = states.executor(state="PAUSED")
    pages.data["executor"]["venues"]["kalshi"]["book_at"] = states.ago(seconds=14)
    page = await visitor.open()
    await expect(page.locator("#toggle-why")).to_have_text(re.compile(r"Kalshi book is \d+ s old"))
    await expect(page.locator("#strip")).to_contain_text("stale")
    await page.get_by_role("switch").click(force=True)
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_the_title_tells_state_mode_profit_and_positions(visitor: Visitor) -> None:
    page = await visitor.open()
    await expect(page).to_have_title("● SIM +$1.25 (2) · Executor")
