"""Hostile text, small screens, themes, and people who do not see or point."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.support.axe import serious
from tests.support.browser import THEMES
from tests.ui.conftest import Visitor
from tests.ui.support import cards, states
from tests.ui.support.pages import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>"><b>${7*7}</b>'
PATHS = ("/executor", "/", "/login")
# Pairs of tokens that carry text, and the contrast WCAG AA asks of it.
TEXT_ON = [
    ("--text", "--surface"), ("--muted", "--surface"), ("--gain", "--surface"),
    ("--loss", "--surface"), ("--warn", "--surface"), ("--info", "--surface"),
    ("--muted", "--bg"), ("--muted", "--raised"), ("--gain", "--tint-gain"),
    ("--warn", "--tint-warn"), ("--loss", "--tint-loss"), ("--muted", "--tint-gain"),
    ("--muted", "--tint-warn"), ("--muted", "--tint-loss"), ("--gold", "--tint-warn"),
    ("--on-strong", "--gain"), ("--on-strong", "--loss"), ("--on-strong", "--info"),
]  # fmt: skip
CONTRAST = """([text, ground]) => {
  const probe = document.body.appendChild(document.createElement("i"));
  const light = (name) => {
    probe.style.color = `var(${name})`;
    const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
    const [r, g, b] = parts.map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [light(text), light(ground)].sort((a, b) => b - a);
  probe.remove();
  return (high + 0.05) / (low + 0.05);
}"""

WATCH_SHIFTS = """() => {
  globalThis.shifts = [];
  const named = (entry) => entry.sources.map((source) => source.node?.parentElement?.className);
  new PerformanceObserver((list) => shifts.push(...list.getEntries().map(named)))
    .observe({ type: "layout-shift", buffered: false });
}"""


async def settled(page: Page, path: str) -> None:
    if path == "/executor":
        await expect(page.locator("#equity-text")).to_contain_text("Net of fees")


async def test_hostile_titles_render_as_text(visitor: Visitor, pages: PageServer) -> None:
    pages.data["executor"] |= {
        "positions": [states.position(1, HOSTILE)],
        "trades": [states.trade(1, title=HOSTILE)],
        "events": [{"id": "e1", "at": states.ago(), "severity": "critical", "text": HOSTILE}],
        "unhedged": {"usd": "1.00", "legs": [states.naked_leg(title=HOSTILE, trying=HOSTILE)]},
    }
    page = await visitor.open()
    await expect(page.locator("#positions h3")).to_have_text(HOSTILE)
    await expect(page.locator("#trades td.event")).to_have_text(HOSTILE)
    await expect(page.locator("#unhedged h3")).to_have_text(HOSTILE)
    assert await page.locator("main img, main script, main b:text('49')").count() == 0


async def test_hostile_cards_render_as_text_and_lead_nowhere(
    visitor: Visitor, pages: PageServer
) -> None:
    one = cards.card(0, title=HOSTILE)
    one["legs"]["kalshi"]["url"] = "javascript:document.title=1"
    pages.data["cards"] |= {"cards": [one]}
    page = await visitor.open("/")
    await expect(page.locator(".card h3")).to_have_text(HOSTILE)
    await page.get_by_role("button", name="Details").click()
    await expect(page.locator(".ids a").nth(1)).to_have_attribute("href", "about:blank")
    assert await page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_scrolls_sideways_at_320_pixels(
    visitor: Visitor, pages: PageServer, path: str
) -> None:
    pages.data["executor"]["unhedged"] = {"usd": "5.76", "legs": [states.naked_leg()]}
    page = await visitor.open(path, width=320, height=640, ready=path != "/login")
    await settled(page, path)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_a_phone_keeps_pause_and_kill_within_reach(
    visitor: Visitor, pages: PageServer
) -> None:
    page = await visitor.open(width=320, height=640)
    bar = page.locator("#thumb")
    await expect(bar).to_be_in_viewport()
    box = await bar.get_by_role("button", name="Pause").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    await bar.get_by_role("button", name="Pause").click()
    assert (await pages.action("toggle_enabled"))["value"] is False


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", PATHS)
async def test_axe_finds_nothing_serious(
    visitor: Visitor, pages: PageServer, path: str, theme: str
) -> None:
    pages.data["executor"]["unhedged"] = {"usd": "5.76", "legs": [states.naked_leg()]}
    page = await visitor.open(path, theme=theme, ready=path != "/login")
    await settled(page, path)
    found = await Axe().run(page)
    assert serious(found.response["violations"]) == []


@pytest.mark.parametrize("theme", THEMES)
async def test_every_text_colour_keeps_its_contrast(visitor: Visitor, theme: str) -> None:
    page = await visitor.open("/login", theme=theme, ready=False)
    measured = {pair: await page.evaluate(CONTRAST, pair) for pair in TEXT_ON}
    assert {pair: ratio for pair, ratio in measured.items() if ratio < 4.5} == {}


async def test_reduced_motion_stills_everything(visitor: Visitor) -> None:
    page = await visitor.open(motion="reduce")
    still = "e => getComputedStyle(e).transitionDuration"
    assert await page.locator(".toggle-thumb").evaluate(still) in {"0s", "1e-05s"}


async def test_forced_colours_keep_borders(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.emulate_media(forced_colors="active")
    await expect(page.locator(".card").first).to_have_css("border-left-width", "4px")


async def test_every_important_control_is_reached_by_keyboard(visitor: Visitor) -> None:
    page = await visitor.open()
    reached = set()
    for _ in range(60):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate(
            "document.activeElement.id || document.activeElement.textContent.trim()"
        ))  # fmt: skip
    wanted = {"toggle", "kill", "flatten", "setting-min_bet", "clear-trades", "Close Position"}
    assert wanted <= reached


async def test_values_that_change_do_not_move_the_page(visitor: Visitor, pages: PageServer) -> None:
    page = await visitor.open()
    await settled(page, "/executor")
    await page.evaluate(WATCH_SHIFTS)
    for cents in range(10, 60):
        await pages.send("balance_update", {"poly_exact": f"{cents}.00", "total": f"95.{cents}"})
        close = {"id": states.position()["id"], "close_now": f"-0.{cents}"}
        await pages.send("patch", {"positions": {"upsert": [close]}})
    await expect(page.locator("#balance-poly")).to_have_text("$59.00")
    assert await page.evaluate("shifts") == []
