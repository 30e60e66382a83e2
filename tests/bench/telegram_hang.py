"""Does a trade leave later while Telegram hangs? One after the other, on one executor, in turns:
without a notifier, with one that is answered, with one that never is."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.temporal import ServerOptions, open_server
from tests.bench.figures import percentiles
from tests.bench.signal_to_send import WARM_UP, Floor, Trade, arrivals, open_floor, sent_ns
from tests.support.processes import Child, python_module

CHAT = 501
BLOCK = 12
HANG = {"do": "hang_before", "method": "*", "times": 0, "seconds": 30}
SETTLE_SECONDS = 2
RATIO_MAX = 1.05


async def measure(trades: int) -> dict[str, object]:
    """`trades` trades in all, a third for each state; the ratio is that of the p50s."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-bench-")))
        data = folder / "telegram"
        server = ServerOptions(ui=False, database=folder / "temporal.sqlite3")
        temporal = await stack.enter_async_context(open_server(server))
        telegram = stack.enter_context(python_module("sim.telegram.main", "--chat", str(CHAT)))
        notifier = await stack.enter_async_context(AsyncExitStack())
        await notifier.enter_async_context(_notifier(_environment(telegram, data)))
        floor = await stack.enter_async_context(open_floor(temporal.address, data, trades))
        return await _in_turns(floor, telegram, notifier)


async def _in_turns(floor: Floor, telegram: Child, notifier: AsyncExitStack) -> dict[str, object]:
    pairs = list(floor.opportunities)[WARM_UP:]
    blocks = [pairs[first : first + BLOCK] for first in range(0, len(pairs), BLOCK)]
    third = max(len(blocks) // 3, 1)
    found: dict[str, list[Trade]] = {"answering": [], "hanging": [], "absent": []}

    async def play(state: str, block: list[str]) -> None:
        before = len(floor.durable)
        for pair in block:
            await floor.trade_durably(pair)
        found[state] += floor.durable[before:]

    async with httpx.AsyncClient(trust_env=False) as http:
        await _alternate(play, blocks[third:], lambda a, b: _control(http, telegram, a, b))
        told = (await http.get(f"{telegram.ready['url']}/control/state")).json()
    await notifier.aclose()
    for block in blocks[:third]:
        await play("absent", block)
    arrived = await arrivals(floor)
    took = {
        state: percentiles([sent_ns(trade, arrived) for trade in played])
        for state, played in found.items()
    }
    ratio = round(took["hanging"]["p50"] / took["answering"]["p50"], 3)
    return {
        "trades": {state: len(played) for state, played in found.items()},
        "first_byte_ms": took,
        "p50_ratio_hanging_to_answering": ratio,
        "p50_ratio_hanging_to_absent": round(took["hanging"]["p50"] / took["absent"]["p50"], 3),
        "p50_ratio_max": RATIO_MAX,
        "calls_of_the_bot": len(told["calls"]),
        "messages_that_arrived": len(told["messages"]),
    }


@asynccontextmanager
async def _notifier(environment: Mapping[str, str]) -> AsyncIterator[None]:
    """A notifier process within the block; the executor's loop goes on while it starts."""
    process = python_module("app.process", "notifier", environment=environment)
    await asyncio.to_thread(process.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(process.__exit__, None, None, None)


async def _alternate(
    play: Callable[[str, list[str]], Awaitable[None]],
    blocks: list[list[str]],
    control: Callable[[str, Mapping[str, Any]], Awaitable[None]],
) -> None:
    for index, block in enumerate(blocks):
        hangs = bool(index % 2)
        await control("script" if hangs else "calm", HANG if hangs else {})
        await asyncio.sleep(SETTLE_SECONDS)
        await play("hanging" if hangs else "answering", block)


async def _control(
    http: httpx.AsyncClient, telegram: Child, act: str, given: Mapping[str, Any]
) -> None:
    reply = await http.post(f"{telegram.ready['url']}/control/{act}", json=given)
    assert reply.status_code == httpx.codes.OK, reply.text


def _environment(telegram: Child, data: Path) -> dict[str, str]:
    return {
        "LOCKSTEP_DATA_DIR": str(data),
        "LOCKSTEP_TELEGRAM__TOKEN": str(telegram.ready["token"]),
        "LOCKSTEP_TELEGRAM__BASE_URL": str(telegram.ready["url"]),
        "LOCKSTEP_TELEGRAM__CHATS": f"[{CHAT}]",
    }
