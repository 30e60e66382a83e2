"""Takes the pictures of the documents with a real browser: `python -m tests.shots`.

A stack runs in a folder of its own, one arbitrage is rolled back, and the Temporal UI shows it.
"""

import asyncio
import random
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import async_playwright

from app.config_sources import load_config
from app.demo.control import Control
from app.demo.main import ENVIRONMENT, SETTINGS
from app.demo.play import Play, Played
from app.demo.scenario import TROUBLED, stage
from app.run import RunOptions, running
from app.wiring import connect, open_journal

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


async def temporal_picture() -> Path:
    """A rolled-back arbitrage in the Temporal UI."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-shots-"))
        config = load_config({"data_dir": folder}, env={}, folder=Path(folder)).config
        options = RunOptions(makers=False, environment=ENVIRONMENT)
        system = await stack.enter_async_context(running(config, options))
        assert system.control_url is not None, "the exchanges are simulated"
        control = Control(system.control_url)
        stack.push_async_callback(control.close)
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
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = await browser.new_page(viewport={"width": 1500, "height": 1500})
        await page.goto(f"{ui_url}/namespaces/default/workflows/{arb_id}")
        await page.get_by_text("sell", exact=False).first.wait_for(timeout=30_000)
        await page.wait_for_timeout(1_500)
        await page.screenshot(path=target)
        await browser.close()
    return target


if __name__ == "__main__":
    print(asyncio.run(temporal_picture()))  # noqa: T201
