"""Starts all that a campaign breaks, and ends it in order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.children import Child, ChildSpec, ReadyLine
from app.run import TELEGRAM, sim_environment, telegram_environment
from app.temporal import ServerOptions, start_server, stop_server
from tests.chaos.page import Page
from tests.chaos.proxy import Proxy, redirect
from tests.chaos.stack import CLOSED_MS, QUARANTINE_MS, Control, Stack
from tests.support.places import place
from tests.support.places import told as told_of
from tests.support.processes import free_port
from tests.support.temporal import connect

VENUES = ("polymarket", "kalshi")
ORDER_MS = 700
SETTLE_MS = 150
"""Half of what Polymarket's chain takes to confirm here."""
ACK_MS = 150
"""How long Kalshi thinks about an answer after the match: time to change a book under it."""
ENVIRONMENT = {
    "LOCKSTEP_MODE": "sim",
    "LOCKSTEP_POLYMARKET__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__BALANCE_PRECISION": "0.0001",
    "LOCKSTEP_TRADE__QUARANTINE_MS": str(QUARANTINE_MS),
    "LOCKSTEP_TRADE__BUY_OPPOSITE": "true",
    "LOCKSTEP_TRADE__UNWIND_ATTEMPTS": "5",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "1000",
    "LOCKSTEP_TRADE__PROVISIONAL_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__SETTLE_PAUSE_MS": "300",
}


@asynccontextmanager
async def running(
    folder: Path, seed: int, pairs: int, *, told: bool = True
) -> AsyncIterator[Stack]:
    """Start it all; end the executor first. `told`: a person is written to by Telegram."""
    async with AsyncExitStack() as stack:
        sim = Child(_sim(seed, pairs), folder / "logs")
        stack.push_async_callback(sim.stop)
        ready = await sim.start()
        urls: dict[str, str] = dict(ready["urls"])  # type: ignore[call-overload]
        control = await stack.enter_async_context(Control(urls["control"]))
        await control.knobs("kalshi", ack_ms=ACK_MS)
        await control.knobs(
            "polymarket",
            settle_mined_ms=SETTLE_MS,
            settle_confirmed_ms=SETTLE_MS,
            restart_ms=CLOSED_MS,
            post_only_ms=CLOSED_MS,
        )
        # Started again it must be where the executors know it to be: a port that start_server
        # chooses is one that a connection of anybody may be given while the server is down.
        options = ServerOptions(
            port=free_port(), ui=False, database=folder / "temporal.sqlite3",
            log=folder / "logs" / "temporal.log",
        )  # fmt: skip
        server = await start_server(options)
        database = place(folder / "lockstep-sim.sqlite3")
        common = {
            **ENVIRONMENT,
            **told_of(database),
            "LOCKSTEP_DATA_DIR": str(folder),
            "LOCKSTEP_TEMPORAL__ADDRESS": server.address,
            "LOCKSTEP_API__PORT": "0",
            "FP_FILE": str(folder / "failpoint"),
        }
        executor, proxies = await _executor(stack, "executor", ready, common, folder)
        spare, spare_proxies = await _executor(stack, "spare", ready, common, folder)
        environment = {**await sim_environment(ready), **common}
        api = Child(ChildSpec("api", ["-m", "app.process", "api"], environment), folder / "logs")
        listed = {str(pair["id"]): pair for pair in await control.pairs()}
        running_stack = Stack(
            folder, control, proxies, executor, server, options, await connect(server),
            database, listed, api, Page(lambda: running_stack.url),
            spare, spare_proxies,
        )  # fmt: skip
        stack.push_async_callback(_end_server, running_stack)
        stack.push_async_callback(executor.stop)
        await executor.start()
        stack.push_async_callback(api.stop)
        await api.start()
        if told:
            await _tell(stack, running_stack, environment)
        watching = asyncio.create_task(running_stack.page.run())
        stack.callback(watching.cancel)
        yield running_stack


async def _executor(
    stack: AsyncExitStack, name: str, ready: ReadyLine, common: Mapping[str, str], folder: Path
) -> tuple[Child, dict[str, Proxy]]:
    """An executor that is not started yet, and the network between it and both exchanges."""
    urls: dict[str, str] = dict(ready["urls"])  # type: ignore[call-overload]
    proxies = {venue: Proxy(urlsplit(urls[venue]).port or 0) for venue in VENUES}
    ports = {}
    for venue, proxy in proxies.items():
        ports[urlsplit(urls[venue]).port or 0] = await proxy.start()
        stack.push_async_callback(proxy.stop)
    through = {**redirect(urls, ports), "control": urls["control"]}
    environment = {**await sim_environment({**ready, "urls": through}), **common}
    executor = Child(
        ChildSpec(name, ["-m", "app.process", "executor"], environment), folder / "logs"
    )
    for proxy in proxies.values():
        proxy.owner = lambda: executor.pid
    return executor, proxies


async def _tell(
    stack: AsyncExitStack, running_stack: Stack, environment: Mapping[str, str]
) -> None:
    """A simulated Telegram and who writes to it. No failpoint is armed there: it has cases of its
    own, and what is armed is meant for others."""
    logs = running_stack.folder / "logs"
    telegram = Child(TELEGRAM, logs)
    stack.push_async_callback(telegram.stop)
    ready = await telegram.start()
    own = {**environment, **telegram_environment(ready), "FP_FILE": str(logs / "never")}
    notifier = Child(ChildSpec("notifier", ["-m", "app.process", "notifier"], own), logs)
    stack.push_async_callback(notifier.stop)
    await notifier.start()
    running_stack.notifier, running_stack.telegram_url = notifier, str(ready["url"])


async def _end_server(stack: Stack) -> None:
    await stop_server(stack.server)


def _sim(seed: int, pairs: int) -> ChildSpec:
    arguments = ["-m", "sim.main", "--seed", str(seed), "--pairs", str(pairs)]
    arguments += ["--polymarket-port", "0", "--kalshi-port", "0"]
    return ChildSpec("sim", arguments, restart=False)
