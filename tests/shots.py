"""Takes the pictures of the documents with a real browser: python -m tests.shots.

A stack runs in a folder of its own and trades; both pages show it in three themes, and the Temporal
UI shows one arbitrage that was rolled back. `pages` or `temporal` takes one of the two.
"""

import asyncio
import random
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import expect

from app.config_sources import load_config
from app.demo.control import Control
from app.demo.main import ENVIRONMENT, SETTINGS
from app.demo.play import Play, Played
from app.demo.scenario import TROUBLED, stage
from app.run import RunOptions, running
from app.wiring import connect, open_journal
from tests.e2e.floor import open_floor
from tests.e2e.pictures import take
from tests.support.browser import MISSING, Visitor, browsing, chromium

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


async def page_pictures() -> list[Path]:
    """Both pages."""
    async with open_floor() as floor, browsing(_browser()) as browser:
        expect.set_options(timeout=30_000)
        visitor = Visitor(browser, floor.stack.urls["api"], 30_000)
        taken = await take(floor, visitor, PICTURES)
        await visitor.close()
        assert visitor.complaints == []
    return taken


async def temporal_picture() -> Path:
    """A rolled-back arbitrage in the Temporal UI."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-shots-"))
        config = load_config({"data_dir": folder}, env={}, folder=Path(folder)).config
        options = RunOptions(makers=False, environment=ENVIRONMENT)
        system = await stack.enter_async_context(running(config, options))
        assert system.control_url is not None, "the exchanges are simulated"
        control = await stack.enter_async_context(Control(system.control_url))
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        temporal = config.temporal.model_copy(update={"address": system.temporal})
        client = await connect(config.model_copy(update={"temporal": temporal}))
        play = Play(system, control, journal, client, lambda _: None)
        await play.change(**SETTINGS)
        act = next(one for one in TROUBLED if "refuses the sale twice" in one.name)
        staged = stage((act,), ("p01",), random.Random(7))
        (played,) = await play.perform_all(staged)
        assert played.problem is None, played.problem
        return await _picture(system.urls["temporal_ui"], _arb(played))


def _arb(played: Played) -> str:
    assert played.arb_id is not None, "the act was played"
    return played.arb_id


async def _picture(ui_url: str, arb_id: str) -> Path:
    target = PICTURES / "temporal-rolled-back.png"
    async with browsing(_browser()) as browser:
        page = await browser.new_page(viewport={"width": 1500, "height": 1500})
        await page.goto(f"{ui_url}/namespaces/default/workflows/{arb_id}")
        await page.get_by_text("sell", exact=False).first.wait_for(timeout=30_000)
        await page.wait_for_timeout(1_500)
        await page.screenshot(path=target)
    return target


def _browser() -> str:
    path = chromium()
    assert path is not None, MISSING
    return path


async def _main(wanted: list[str]) -> None:
    if "pages" in wanted:
        print(*await page_pictures(), sep="\n")  # noqa: T201
    if "temporal" in wanted:
        print(await temporal_picture())  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:] or ["pages", "temporal"]))
