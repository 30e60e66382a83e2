"""What open dashboards cost and how soon they know, in a running system: from a commit to the
socket and to the pixel with 1 and 50 of them, and from signal to send with none and 50.

One machine runs everything, the dashboards too: what they take from the executor here includes
what fifty browsers on fifty other machines would take from those.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Page
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api.pace import PEEK_SECONDS
from app.config_sources import load_config
from app.demo.control import Control
from app.run import RunOptions, running
from app.wiring import open_journal
from domain.venue import Mode
from store.arbitrages import admitted
from store.audit import Act
from store.journal import Journal
from tests.bench.book_to_send import EDGE_CENTS, SETTINGS, WARM_UP, arrivals, held, pair_of
from tests.bench.figures import NS_PER_MS, percentiles
from tests.support.browser import browsing, chromium

CROWD = 50
EVENTS = 60
BLOCK = 12
BLOCKS = 4
TRADES_MAX = BLOCK * BLOCKS * 2
SETTLE_SECONDS = 2.0
PAUSE_SECONDS = (0.3, 0.7)
LATE_SECONDS = 10
SOCKET_MS_BEYOND_POLL, PIXEL_MS, RATIO = 100, 250, 1.1
SAVED = '"settings_changed"'
PAINTED = """() => {
  globalThis.painted = {};
  const note = () => {
    const version = document.getElementById("settings-state")?.textContent.match(/saved v(\\d+)/);
    if (!version || painted[version[1]]) return;
    painted[version[1]] = -1;
    // The frame after the next one begins when the text of this one is on the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      painted[version[1]] = performance.timeOrigin + performance.now();
    }));
  };
  new MutationObserver(note).observe(document.body,
    { subtree: true, childList: true, characterData: true });
}"""


@dataclass(slots=True)
class Dashboard:
    """One socket that reads all it is told; when which version of the settings came (ns)."""

    socket: ClientConnection
    heard: dict[int, int] = field(default_factory=dict)

    async def listen(self) -> None:
        """Read until it is closed."""
        with contextlib.suppress(ConnectionClosed):
            async for frame in self.socket:
                now_ns = time.time_ns()
                if SAVED not in str(frame):
                    continue
                message = json.loads(frame)
                if message["type"] == "settings_changed":
                    # Said again once it is in force; the first time counts.
                    self.heard.setdefault(message["data"]["meta"]["version"], now_ns)


@dataclass(slots=True)
class House:
    """The running system."""

    url: str
    journal: Journal
    control: Control
    pairs: list[str]

    @asynccontextmanager
    async def dashboards(self, number: int) -> AsyncIterator[list[Dashboard]]:
        """So many open dashboards, once each has its first state."""
        async with AsyncExitStack() as stack:
            address = self.url.replace("http", "ws") + "/ws/executor"
            found = []
            for _ in range(number):
                socket = await stack.enter_async_context(
                    connect(address, origin=self.url, max_size=None)  # type: ignore[arg-type]
                )
                await socket.recv()
                found.append(Dashboard(socket))
            listening = [asyncio.create_task(one.listen()) for one in found]
            await asyncio.sleep(SETTLE_SECONDS)
            yield found
            for one in found:
                await one.socket.close()
            await asyncio.gather(*listening)

    async def save(self, **changes: str | int | bool | Decimal) -> tuple[int, int]:
        """Save settings: the version, and when they were handed to the journal (ns)."""
        saved = await self.journal.settings.load()
        began_ns = time.time_ns()
        act = Act("bench", "bench", began_ns // NS_PER_MS)
        await self.journal.settings.update(changes, saved.version, act)
        return saved.version + 1, began_ns


async def measure(trades: int) -> dict[str, object]:
    """All figures; JSON says which limit each is held against."""
    number = min(trades, TRADES_MAX)
    async with _house(number + WARM_UP) as house, AsyncExitStack() as stack:
        signal = await _signal_to_send(house, number)
        path = chromium()
        page = None
        if path is not None:
            browser = await stack.enter_async_context(browsing(path))
            page = await browser.new_page()
            await page.goto(f"{house.url}/executor")
            await page.wait_for_selector("body[data-link='live']")
            await page.evaluate(PAINTED)
        few = await _events(house, 1, page)
        many = await _events(house, CROWD, page)
    baseline, crowded = few["to_socket_ms"]["p95"], many["to_socket_ms"]["p95"]
    poll_ms = PEEK_SECONDS * 1000
    return {
        "signal_to_send": signal,
        "event": {
            "baseline": "dashboards_1",
            "dashboards_1": few,
            f"dashboards_{CROWD}": many,
            "socket_p95_ratio": round(crowded / baseline, 2),
            "socket_p95_ms_beyond_poll": round(crowded - poll_ms, 1),
            "poll_ms": poll_ms,
            "expected": {
                "socket_p95_ms_beyond_poll_max": SOCKET_MS_BEYOND_POLL,
                "pixel_p95_ms_max": PIXEL_MS,
            },
        },
    }


@asynccontextmanager
async def _house(pairs: int) -> AsyncIterator[House]:
    """Everything as its own process, as `lockstep run` starts it."""
    with TemporaryDirectory(prefix="lockstep-bench-") as folder:
        config = load_config(env={}, folder=Path(folder)).config
        config = config.model_copy(update={"mode": Mode.SIM, "data_dir": Path(folder)})
        options = RunOptions(makers=False, pairs=pairs, environment={"LOCKSTEP_API__PORT": "0"})
        async with running(config, options) as stack:
            assert stack.control_url is not None, "simulated exchanges have a control server"
            journal = await asyncio.to_thread(open_journal, config)
            async with Control(stack.control_url) as control:
                try:
                    names = [str(pair["id"]) for pair in await control.pairs()]
                    for name in names:
                        await control.quiet(name)
                    yield House(stack.urls["api"], journal, control, names)
                finally:
                    journal.close()


async def _signal_to_send(house: House, number: int) -> dict[str, object]:
    """Edges one after the other, in blocks with and without dashboards in turns."""
    await house.save(**SETTINGS)
    pairs = iter(house.pairs)
    for _ in range(WARM_UP):
        await _edge(house, next(pairs))
    size = max(1, number // (BLOCKS * 2))
    groups: dict[int, set[str]] = {0: set(), CROWD: set()}
    for _ in range(BLOCKS):
        for crowd, traded in groups.items():
            async with house.dashboards(crowd):
                for _ in range(size):
                    traded.add(await _edge(house, next(pairs)))
    ids = await house.journal.read(lambda s: admitted(s, Mode.SIM))
    arrived = await arrivals(house.control)
    times: dict[int, list[int]] = {crowd: [] for crowd in groups}
    for arb_id in ids:
        state = await house.journal.arbitrage(arb_id)
        sent = max(arrived[one.identity.key] for one in state.intents)
        for crowd, traded in groups.items():
            if pair_of(state) in traded:
                times[crowd].append(sent - state.opportunity.seen_ns)
    figures = {f"dashboards_{crowd}": percentiles(found) for crowd, found in times.items()}
    ratio = figures[f"dashboards_{CROWD}"]["p50"] / figures["dashboards_0"]["p50"]
    return {
        "trades_each": size * BLOCKS,
        "baseline": "dashboards_0",
        "book_read_to_first_byte_ms": figures,
        "p50_ratio": round(ratio, 3),
        "expected": {"p50_ratio_max": RATIO},
    }


async def _edge(house: House, pair: str) -> str:
    before = len(await house.journal.read(lambda s: admitted(s, Mode.SIM)))
    await house.control.edge(pair, EDGE_CENTS)
    await held(house.journal, before + 1)
    return pair


async def _events(house: House, number: int, page: Page | None) -> dict[str, dict[str, float]]:
    """Settings saved by somebody else: from handing them to the journal to every dashboard."""
    chance = random.Random(7)
    began: dict[int, int] = {}
    async with house.dashboards(number) as dashboards:
        for event in range(EVENTS):
            version, at_ns = await house.save(max_bet=str(10 + event % 2))
            began[version] = at_ns
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        async with asyncio.timeout(LATE_SECONDS):
            while any(max(began) not in one.heard for one in dashboards):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        heard = [_first(one.heard, v) - at for one in dashboards for v, at in began.items()]
    figures = {"to_socket_ms": percentiles(heard)}
    if page is not None:
        await page.wait_for_function("version => painted[version] > 0", arg=max(began))
        painted: dict[str, float] = await page.evaluate("painted")
        drawn = {int(v): int(at_ms * NS_PER_MS) for v, at_ms in painted.items() if at_ms > 0}
        shown = [_first(drawn, v) - at for v, at in began.items()]
        figures["to_pixel_ms"] = percentiles(shown)
    return figures


def _first(seen: dict[int, int], version: int) -> int:
    """When this version, or one that had replaced it by then, was seen first (ns)."""
    return min(at for one, at in seen.items() if one >= version)
