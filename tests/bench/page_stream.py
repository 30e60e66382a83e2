"""Frames per second of the cards page: 500 cards, 20 messages a second, a processor 4 times slower.

The page server of tests/ui stands in for the API: what is measured is the page alone.
"""

import asyncio
from itertools import pairwise
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.browser import ARGUMENTS, chromium
from tests.ui.support import cards
from tests.ui.support.pages import PageServer, serving

CARDS = 500
MESSAGES_PER_SECOND = 20
CARDS_PER_MESSAGE = 25
SECONDS = 10
THROTTLES = (1, 4)
FPS_EXPECTED = 50
RECORD = """() => {
  globalThis.frames = [];
  globalThis.longTasks = 0;
  new PerformanceObserver((list) => { longTasks += list.getEntries().length; })
    .observe({ type: "longtask" });
  const frame = (at) => { frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


async def measure(_trades: int) -> dict[str, object]:
    """Figures per throttle, or why there are none."""
    path = chromium()
    if path is None:
        return {"skipped": "no Chromium found"}
    async with async_playwright() as playwright, serving(PageServer()) as server:
        server.data["cards"] = cards.index(CARDS)
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        results = {f"throttle_{rate}x": await _one(browser, server, rate) for rate in THROTTLES}
        await browser.close()
    return {
        "cards": CARDS,
        "messages_per_second": MESSAGES_PER_SECOND,
        "cards_per_message": CARDS_PER_MESSAGE,
        "fps_expected": FPS_EXPECTED,
        **results,
    }


async def _one(browser: Browser, server: PageServer, rate: int) -> dict[str, Any]:
    """A page of its own for each rate: what counts frames on a page goes on counting there."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{server.url}/")
    await expect(page.locator(".card")).to_have_count(CARDS, timeout=20_000)
    first_ms = round(await page.evaluate("performance.now()"))
    streamed = await _stream(page, server, rate)
    await page.close()
    return {"first_cards_ms": first_ms, **streamed}


async def _stream(page: Page, server: PageServer, rate: int) -> dict[str, Any]:
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    await page.evaluate(RECORD)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(SECONDS * MESSAGES_PER_SECOND):
        first = number * CARDS_PER_MESSAGE
        changes = [
            {"id": f"c{(first + step) % CARDS:04d}", "roi": f"{(first + step) % 60 / 10:.1f}"}
            for step in range(CARDS_PER_MESSAGE)
        ]
        await server.send("patch", {"cards": {"upsert": changes}})
        await asyncio.sleep(max(0, start + (number + 1) / MESSAGES_PER_SECOND - loop.time()))
    frames: list[float] = await page.evaluate("frames")
    gaps = sorted(b - a for a, b in pairwise(frames))
    return {
        "fps": round(1000 * len(gaps) / (frames[-1] - frames[0]), 1),
        "gap_p99_ms": round(gaps[len(gaps) * 99 // 100], 1),
        "gap_max_ms": round(gaps[-1], 1),
        "long_tasks": await page.evaluate("longTasks"),
    }
