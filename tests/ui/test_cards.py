"""The index page: the seed's cards and filters, honest sums, and a list that holds still."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import Visitor
from tests.ui.support import cards, states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

BANDS = """
    roi    band
    -0.4   gray
    0.99   gray
    1      green
    2.99   green
    3      bright
    5      bright
    5.01   gold
"""
BORDERS = [
    ("HIGH", "solid", "rgb(61, 220, 151)"),
    ("MEDIUM", "dashed", "rgb(242, 184, 75)"),
    ("LOW", "dotted", "rgb(255, 123, 114)"),
]

DRAWN = """(element) => {
  globalThis.drawn = [];
  new MutationObserver(() => drawn.push(performance.now()))
    .observe(element, { subtree: true, childList: true, characterData: true });
}"""


async def titles(page: Page) -> list[str]:
    return [text.strip() for text in await page.locator(".card h3").all_text_contents()]


@pytest.mark.parametrize(("confidence", "style", "colour"), BORDERS)
async def test_confidence_is_border_style_word_and_colour(
    visitor: Visitor, confidence: str, style: str, colour: str
) -> None:
    page = await visitor.open("/")
    card = page.locator(f".card.confidence-{confidence.lower()}").first
    await expect(card).to_have_css("border-left-width", "4px")
    await expect(card).to_have_css("border-left-style", style)
    await expect(card).to_have_css("border-left-color", colour)
    await expect(card).not_to_have_css("background-color", "rgb(16, 21, 28)")
    await expect(card.locator(".confidence")).to_contain_text(confidence)


@pytest.mark.parametrize("row", BANDS.split("\n")[2:-1])
async def test_the_roi_band(visitor: Visitor, pages: PageServer, row: str) -> None:
    roi, band = row.split()
    pages.data["cards"] |= {"cards": [cards.card(0, roi=roi)]}
    page = await visitor.open("/")
    found = page.locator(".card .roi")
    await expect(found).to_have_class(re.compile(f"roi-{band}"))
    if band == "gold":
        await expect(found).to_contain_text("suspicious")


async def test_a_card_reads_as_in_the_seed(visitor: Visitor) -> None:
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Lakers vs Celtics")
    await expect(card.locator(".trade")).to_have_text(
        re.compile(r"BUY YES Poly @\s+0\.51.*→\s*BUY NO Kalshi @\s+0\.46", re.S)
    )
    await expect(card.locator(".headline")).to_have_text(
        re.compile(r"ROI:\s+▲\s+2\.4%\s*Cost: \$0\.97\s*Vol: 1\.2K")
    )
    volume = card.get_by_title("Contracts that both books offer now")
    await expect(volume).to_have_text("Vol: 1.2K")
    for text in ("Equal shares", "21", "$20.37", "$0.13", "Pays at least", "$21.00", "+$0.50"):
        await expect(card).to_contain_text(text)
    await expect(card.locator(".verdict")).to_contain_text("Would trade 21 shares")
    await expect(card.get_by_role("button", name="Copy Trade")).to_be_visible()


async def test_a_skipped_card_says_why_with_the_code(visitor: Visitor) -> None:
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Arsenal to beat Chelsea")
    await expect(card.locator(".verdict")).to_contain_text("below Min ROI")
    await expect(card.locator(".verdict code")).to_have_text("edge_below_policy")


async def test_details_hide_ids_addresses_and_times_until_asked(visitor: Visitor) -> None:
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Lakers vs Celtics")
    for hidden in ("0xabab01", "polymarket.example", "Found"):
        await expect(card).not_to_contain_text(hidden)
    await card.get_by_role("button", name="Details").click()
    for shown in ("0xabab01", "https://polymarket.example/event/1", "Found", "◀ 21", "Kalshi fee"):
        await expect(card).to_contain_text(shown)
    await expect(card.locator("mark").first).to_be_visible()
    marked = await card.locator(".beside mark").all_inner_texts()
    assert {"overtime.", "50-50."} <= set(marked)
    assert "Lakers" not in marked


@pytest.mark.parametrize(("words", "compared"), [(2_999, True), (3_000, False)])
async def test_long_rules_are_compared_or_say_that_they_are_not(
    visitor: Visitor, pages: PageServer, words: int, compared: bool
) -> None:
    told = cards.details()
    common = " ".join(f"word{number}" for number in range(words))
    told["rules"]["polymarket"]["text"] = f"{common} overtime"
    told["rules"]["kalshi"]["text"] = common
    pages.answers["cards/c0000"] = (200, told)
    page = await visitor.open("/")
    rules = page.get_by_role("article", name="Lakers vs Celtics").locator(".rules")
    await page.locator("[data-id=c0000]").get_by_role("button", name="Details").click()
    await expect(rules).to_contain_text("word2998")
    await expect(rules.locator("mark")).to_have_text(["overtime"] if compared else [])
    assert (await rules.get_by_text("differences marked").count() == 1) is compared
    assert (await rules.get_by_text("Read both").count() == 1) is not compared


async def test_quick_filters_and_sort_act_and_live_in_the_address(visitor: Visitor) -> None:
    page = await visitor.open("/")
    shown = page.locator(".card")
    await expect(shown).to_have_count(6)
    await page.get_by_role("button", name="HIGH only").click()
    await expect(shown).to_have_count(3)
    await page.get_by_role("button", name="MEDIUM+").click()
    await expect(shown).to_have_count(5)
    await page.get_by_label("Sort:").select_option("Expiry")
    await expect(shown.first).to_contain_text("Lakers vs Celtics")
    assert "show=medium" in page.url
    assert "sort=expiry" in page.url
    await page.reload()
    await expect(shown).to_have_count(5)


async def test_expired_cards_are_hidden_until_asked_for(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.data["cards"]["cards"][0]["state"] = "expired"
    page = await visitor.open("/")
    await expect(page.locator(".card")).to_have_count(5)
    await page.get_by_role("button", name="Hide expired").click()
    await expect(page.locator(".card")).to_have_count(6)


async def test_slash_filters_by_text(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await expect(page.locator(".card")).to_have_count(6)
    await page.keyboard.press("/")
    await page.keyboard.type("fed")
    await expect(page.locator(".card")).to_have_count(1)


async def test_nothing_moves_under_the_pointer(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open("/")
    last = page.get_by_role("article", name="Arsenal to beat Chelsea")
    await last.hover()
    before = await titles(page)
    await pages.send("patch", {"cards": {"upsert": [{"id": "c0002", "roi": "4.9"}]}})
    await pages.send("patch", {"cards": {"upsert": [cards.card(9)]}})
    await expect(last.locator(".roi")).to_contain_text("4.9%")
    await expect(page.locator("#apply-changes")).to_have_text(re.compile(r"\d+ changes · r to"))
    assert await titles(page) == before
    await page.keyboard.press("r")
    await expect(page.locator(".card")).to_have_count(7)
    after = await titles(page)
    assert after.index("Arsenal to beat Chelsea") < before.index("Arsenal to beat Chelsea")


async def test_a_long_list_is_put_in_order_from_its_top_until_all_of_it_is(
    visitor: Visitor, pages: PageServer
) -> None:
    number = 120
    pages.data["cards"] = cards.index(number)
    page = await visitor.open("/")
    await expect(page.locator(".card")).to_have_count(number)
    rois = [{"id": f"c{one:04d}", "roi": f"{one / 100:.2f}"} for one in range(number)]
    await pages.send("patch", {"cards": {"upsert": rois}})
    wanted = [f"c{one:04d}" for one in reversed(range(number))]

    async def ids() -> list[str]:
        found: list[str] = await page.locator(".card").evaluate_all(
            "cards => cards.map((card) => card.dataset.id)"
        )
        return found

    async with asyncio.timeout(30):
        for top in (40, number):
            while (await ids())[:top] != wanted[:top]:  # noqa: ASYNC110 - a browser's list
                await asyncio.sleep(0.1)


async def test_what_streams_is_drawn_ten_times_a_second_and_the_last_word_stays(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open("/")
    sums = page.get_by_role("article", name="Lakers vs Celtics").locator(".headline")
    await expect(sums).to_be_visible()
    await page.evaluate(DRAWN, await sums.element_handle())
    for cents in range(100):
        changes = [{"id": "c0000", "unit_cost": f"0.{cents:02d}"}]
        await pages.send("patch", {"cards": {"upsert": changes}})
        await asyncio.sleep(0.01)
    await expect(sums).to_contain_text("Cost: $0.99")
    drawn = await page.evaluate("({ times: drawn.length, ms: drawn.at(-1) - drawn[0] })")
    by_itself = drawn["ms"] / 1000  # ages grow once a second
    assert 2 <= drawn["times"] <= drawn["ms"] / 100 + by_itself + 2


async def test_copy_trade_gives_a_plain_ticket(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card = page.get_by_role("article", name="Lakers vs Celtics")
    await card.get_by_role("button", name="Copy Trade").click()
    await expect(card.get_by_role("button", name="✓ Copied")).to_be_visible()
    text = await page.evaluate("navigator.clipboard.readText()")
    for part in ("BUY 21 YES Polymarket @ 0.51", "BUY 21 NO Kalshi @ 0.46", "at least $21.00",
                 "prices move"):  # fmt: skip
        assert part in text
    await expect(card.get_by_role("button", name="Copy Trade")).to_be_visible()


async def test_no_opportunity_is_a_live_statement(visitor: Visitor, pages: PageServer) -> None:
    pages.data["cards"] |= {"cards": []}
    page = await visitor.open("/")
    await expect(page.locator("#cards")).to_contain_text(
        re.compile(r"Nothing to buy right now.*Scanning 1284 pairs, 38 checks/s, best net edge")
    )


async def test_the_same_facts_fit_in_a_table(visitor: Visitor) -> None:
    page = await visitor.open("/?view=table")
    await expect(page.locator("#cards tbody tr")).to_have_count(6)
    await expect(page.locator("#cards tbody tr").first).to_contain_text("suspicious")


async def test_a_card_opens_by_keyboard_and_a_pin_puts_it_first(visitor: Visitor) -> None:
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Lakers vs Celtics")
    await card.get_by_role("button", name="Pin").click()
    await expect(page.locator(".card").first).to_contain_text("Lakers vs Celtics")
    await card.focus()
    await page.keyboard.press("Enter")
    await expect(card.locator(".details")).to_be_visible()


@pytest.mark.parametrize("damaged", ["", "[", "null", "7", '{"c0000": 1}'])
async def test_damaged_memories_of_the_browser_are_no_obstacle(
    visitor: Visitor, damaged: str
) -> None:
    page = await visitor.open("/?yes=nobody")
    await page.evaluate(
        "(text) => { localStorage['lockstep.pinned'] = localStorage['lockstep.views'] = text; }",
        damaged,
    )
    await page.goto(page.url.partition("?")[0])
    await expect(page.locator(".card")).to_have_count(6)
    await page.get_by_role("button", name="Pin").first.click()
    await page.reload()
    await expect(page.locator(".card [aria-label=Pin][aria-pressed=true]")).to_have_count(1)


async def test_a_card_says_when_it_closes_and_nothing_where_no_venue_does(
    visitor: Visitor, pages: PageServer
) -> None:
    silent = cards.card(1, expires_at=None, annualised=None)
    over = cards.card(2, expires_at=states.ago(seconds=2))
    pages.data["cards"] |= {"cards": [cards.card(0), silent, over]}
    page = await visitor.open("/?expired=show")
    life = page.locator(".card .life")
    await expect(page.locator("[data-id=c0000] .life")).to_contain_text("closes in 1 h 59 min")
    await expect(page.locator("[data-id=c0001] .life")).to_have_text("")
    await expect(page.locator("[data-id=c0002] .life")).to_have_text("closed")
    assert await life.count() == 3
    await page.get_by_role("button", name="Hide expired").click()
    await expect(page.locator("[data-id=c0002]")).to_have_count(0, timeout=15_000)
    await expect(page.locator("[data-id=c0001]")).to_be_visible()


async def test_both_rule_texts_stand_side_by_side(visitor: Visitor) -> None:
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Lakers vs Celtics")
    await card.get_by_role("button", name="Details").click()
    sides = card.locator(".rules .beside > div")
    await expect(sides).to_have_count(2)
    left, right = [await sides.nth(n).bounding_box() for n in range(2)]
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    assert left["width"] >= 250
    await expect(sides.first).to_contain_text("closes")


async def test_rules_that_were_never_read_are_a_warning(
    visitor: Visitor, pages: PageServer
) -> None:
    pages.answers["cards/c0000"] = (200, cards.details() | {"rules": None})
    page = await visitor.open("/")
    card = page.get_by_role("article", name="Lakers vs Celtics")
    await card.get_by_role("button", name="Details").click()
    await expect(card).to_contain_text("Not read yet from both venues")


async def test_a_scanner_that_is_gone_leaves_no_figures_behind(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open("/")
    strip = page.locator("#scanner")
    await expect(strip).to_contain_text("38")
    await pages.send("patch", {"scanner": None})
    await expect(strip).to_have_text(re.compile("No scanner reports"))
    await pages.send("patch", {"scanner": states.base()["scanner"]})
    await expect(strip).to_contain_text("1284 pairs")
