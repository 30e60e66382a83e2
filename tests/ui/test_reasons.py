"""Why something is as it is: by the state that holds and by the command that was asked."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.domain.tables import rows
from tests.ui.conftest import Visitor
from tests.ui.support import orders, states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Without an open position, what the panel says of each run state.
NOTHING_OPENS = """
    state    said
    RUNNING  No open positions. Watching 1284 pairs
    PAUSED   Trading is paused, so nothing opens
    HALTED   Entries are halted, so nothing opens before a person resumes
    OFF      No executor runs, so nothing opens
"""
WHEN = """async (iso) => (await import("/static/test/js/fmt.js")).when(iso)"""
LATER = """async () => {
  const { state, touch } = await import("/static/test/js/store.js");
  for (const asked of state.pending.values()) asked.since -= 11_000;
  touch("pending");
}"""


@pytest.mark.parametrize(("state", "said"), rows(NOTHING_OPENS))
async def test_an_empty_panel_says_why_nothing_opens_in_this_state(
    visitor: Visitor, pages: PageServer, state: str, said: str
) -> None:
    pages.data["executor"] = states.executor(state=state, positions=[])
    page = await visitor.open()
    await expect(page.locator("#positions")).to_contain_text(said)


async def test_a_command_without_an_answer_says_where_to_look(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.automatic = False
    page = await visitor.open()
    await page.get_by_role("switch").click()
    await page.get_by_label("Max Bet:", exact=True).fill("15")
    await page.get_by_role("button", name="Save Settings").click()
    row = page.locator("#positions article").first
    await row.get_by_role("button", name="Close Position").click()
    await page.get_by_role("dialog").get_by_role("button", name="Close Position").click()
    await pages.action("close_position")
    await page.evaluate(LATER)
    await expect(page.locator("#toggle-why")).to_contain_text("no answer yet; the badge says")
    await expect(page.locator("#settings-state")).to_contain_text("look at the History")
    await expect(row).to_contain_text("look at its workflow in Temporal")


async def test_a_time_that_is_not_of_today_has_its_date(
    visitor: Visitor, pages: PageServer
) -> None:
    now = datetime.now(UTC)
    old = now.replace(year=now.year - 1, month=3, day=2, hour=4, minute=5, second=6)
    then = states.stamp(old.replace(microsecond=0))
    said = f"2 Mar {old.year}, 04:05:06"
    data = pages.data["executor"]
    data["trades"].append(states.trade(9, timestamp=then))
    data["events"].append(data["events"][0] | {"id": "old", "at": then})
    data["settings"]["meta"] |= {"saved_at": then}
    history = states.history()
    history["items"][-1]["at"] = then
    pages.answers["settings/history"] = (200, history)
    page = await visitor.open()
    await expect(page.locator("#trades tbody tr").last).to_contain_text(said)
    today = await page.evaluate(WHEN, states.ago())
    assert re.fullmatch(r"\d\d:\d\d:\d\d", today), today
    await expect(page.locator("#activity li").last).to_contain_text(said)
    await expect(page.locator("#settings-state")).to_contain_text(f"by anna at {said}")
    await expect(page.locator("#command")).to_contain_text("times in UTC")
    await page.get_by_role("button", name="History").click()
    await expect(page.get_by_role("dialog").locator("li").last).to_contain_text("Revert to v16")
    await expect(page.get_by_role("dialog")).to_contain_text(f"v16 {said}")


async def test_a_date_says_its_year_where_that_is_another(visitor: Visitor) -> None:
    page = await visitor.open()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    year = "" if yesterday.year == datetime.now(UTC).year else f" {yesterday.year}"
    said = await page.evaluate(WHEN, states.stamp(yesterday))
    assert said == f"{yesterday.day} {yesterday:%b}{year}, {yesterday:%H:%M:%S}"


def lately() -> datetime:
    """Forty seconds ago, if that was today: pages say the date of what was not."""
    now = datetime.now(UTC)
    return max(now - timedelta(seconds=40), now.replace(hour=0, minute=0, second=0))


async def test_a_figure_of_now_carries_its_age_and_goes_with_a_dead_feed(
    visitor: Visitor, pages: PageServer
) -> None:
    since = lately()
    dead = {"book_at": states.stamp(since), "book_stale": True}
    why = f"no fresh book since {since:%H:%M:%S}"
    data = pages.data["executor"]
    data["unhedged"] = {"usd": "5.76", "legs": [states.naked_leg(loss_now=None, **dead)]}
    page = await visitor.open()
    row = page.locator("#positions article").first
    figure = row.locator("dd").filter(has_text="-$0.31")
    await expect(figure).to_have_attribute("title", re.compile(r"by the books of \d\d:\d\d:\d\d"))
    await expect(page.locator("#unhedged")).to_contain_text(re.compile(rf"sold now\s+–\s+{why}"))
    change = {"id": states.position()["id"], "close_now": None, **dead}
    await pages.send("patch", {"positions": {"upsert": [change]}})
    await expect(row).to_contain_text(re.compile(rf"Close now\s+–\s+{why}"))
    await page.get_by_role("button", name="Accept loss now").click()
    said = f"Nobody knows what the naked 12 bring: {why}"
    await expect(page.get_by_role("dialog")).to_contain_text(said)


async def test_a_close_by_an_old_book_says_since_when_and_wants_a_bound_or_a_word(
    visitor: Visitor, pages: PageServer
) -> None:
    since = lately()
    why = f"No fresh book of kalshi since {since:%H:%M:%S} UTC"
    preview = orders.close_preview() | {
        "result": None, "loss_max": None, "unpriced": ["kalshi"], "unpriced_why": why,
        "book_at": states.stamp(since), "book_stale": True,
    }  # fmt: skip
    preview["legs"]["kalshi"] |= dict.fromkeys(
        ("average_price", "worst_price", "slippage", "fee", "proceeds")
    )
    pages.answers[f"positions/{states.position()['id']}/close-preview"] = (200, preview)
    page = await visitor.open()
    await page.get_by_role("button", name="Close Position").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Close now – vs hold ≥ +$0.71")
    await expect(dialog).to_contain_text(f"no fresh book since {since:%H:%M:%S}")
    await expect(dialog).to_contain_text(why)
    confirm = dialog.get_by_role("button", name="Close Position")
    await expect(confirm).to_have_attribute("aria-disabled", "true")
