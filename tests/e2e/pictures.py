"""Pictures of both pages in three themes: a system that has traded, with trouble, and goes on."""

import random
from pathlib import Path

from playwright.async_api import Page, expect

from app.demo.scenario import HELD, LOCKED, TROUBLED, Act, Ending, stage
from tests.e2e.floor import Floor
from tests.support.browser import THEMES, Visitor

CLOSED = next(act for act in TROUBLED if act.ending is Ending.CLOSED)
ROLLED_BACK = next(act for act in TROUBLED if act.ending is Ending.ROLLED_BACK)
NOTHING = next(act for act in TROUBLED if act.ending is Ending.NOTHING)
ACTS: tuple[Act, ...] = (*LOCKED[:3], ROLLED_BACK, CLOSED, NOTHING, HELD, HELD)
EDGES_CENTS = (9, 7, 6, 5, 4)
"""What the opportunities offer that are open while the picture is taken."""
HEIGHTS = {"executor": ("/executor", 1700), "opportunities": ("/", 1100)}


async def take(floor: Floor, visitor: Visitor, folder: Path) -> list[Path]:
    """Play, and photograph: `executor-dark.png` and so on."""
    played = await floor.play.perform_all(stage(ACTS, floor.pairs(len(ACTS)), random.Random(7)))
    assert [one.problem for one in played if one.problem] == []
    await floor.settings(enabled=False)
    offered = floor.pairs(len(EDGES_CENTS))
    taken = []
    for name, (path, height) in HEIGHTS.items():
        for theme in THEMES:
            for pair, cents in zip(offered, EDGES_CENTS, strict=True):
                await floor.control.edge(pair, cents, fair=40 + cents)
            page = await visitor.open(path, theme=theme, height=height)
            await _settled(page, path)
            taken.append(folder / f"{name}-{theme}.png")
            await page.screenshot(path=taken[-1], animations="disabled")
    return taken


async def _settled(page: Page, path: str) -> None:
    """What is to be seen is there."""
    if path == "/":
        await expect(page.locator(".card .roi-gold").first).to_be_visible()
        return
    await expect(page.locator("#positions article").nth(1)).to_be_visible()
    await expect(page.locator("#trades tbody tr").nth(len(ACTS) - 1)).to_be_visible()
    await expect(page.locator("#equity-text")).to_contain_text("Net of fees")
    await expect(page.locator("#latency-chart canvas")).to_be_visible()
