"""Everything that a campaign runs and breaks: Temporal, the exchanges, proxies, one executor."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from temporalio.client import Client, WorkflowExecutionStatus

from app.children import Child, ChildSpec
from app.demo.control import Control as DemoControl
from app.run import sim_environment
from app.temporal import Server, ServerOptions, start_server, stop_server
from tests.chaos.proxy import Proxy, redirect
from tests.oracle.world import Rules, World, read_database, read_ledgers
from tests.support.temporal import connect

VENUES = ("polymarket", "kalshi")
ORDER_MS = 700
QUARANTINE_MS = 1_500
SETTLE_MS = 150
"""Half of what Polymarket's chain takes to confirm here."""
CLOSED_MS = 1_000
"""How long a restarting exchange is closed, and then takes resting orders only."""
ACK_MS = 150
"""How long Kalshi thinks about an answer after the match: time to change a book under it."""
ENVIRONMENT = {
    "LOCKSTEP_MODE": "sim",
    "LOCKSTEP_POLYMARKET__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__BALANCE_PRECISION": "0.0001",
    "LOCKSTEP_TRADE__QUARANTINE_MS": str(QUARANTINE_MS),
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "1000",
    "LOCKSTEP_TRADE__PROVISIONAL_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__SETTLE_PAUSE_MS": "300",
}
POLL_S = 0.005


class Control(DemoControl):
    """The simulator's control server, with the words that only a campaign needs."""

    async def mode(self, venue: str, mode: str) -> None:
        """Open, close or restart an exchange."""
        await self._post("/venue", {"venue": venue, "mode": mode})


@dataclass
class Stack:
    """A running system, what breaks it, and the spans in which it could not act."""

    folder: Path
    control: Control
    proxies: Mapping[str, Proxy]
    executor: Child
    server: Server
    options: ServerOptions
    client: Client
    database: Path
    pairs: Mapping[str, Mapping[str, Any]]
    outages: list[tuple[int, int]] = field(default_factory=list)
    executor_restarts: int = 0
    temporal_restarts: int = 0

    @property
    def armed(self) -> Path:
        """The file that arms a failpoint."""
        return self.folder / "failpoint"

    def arm(self, spec: str) -> None:
        """Let the executor fall at a place; see `store.failpoints`."""
        part = self.armed.with_suffix(".part")
        part.write_text(spec, encoding="utf-8")
        part.replace(self.armed)

    async def fired(self, seconds: float) -> bool:
        """Whether the armed place was reached in time; disarmed if not."""
        deadline = time.monotonic() + seconds
        while self.armed.exists():
            if time.monotonic() > deadline:
                self.armed.unlink(missing_ok=True)
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def kill(self) -> None:
        """SIGKILL the executor and return once its successor is ready."""
        pid = self.executor.pid
        began = now_ms()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        await self.reborn(began)

    async def reborn(self, began_ms: int) -> None:
        """Return once an executor that died at `began_ms` is ready again."""
        old = self.executor.ready["pid"]
        self.executor.restarts = 0  # the supervisor's growing pause is not what is tested
        deadline = time.monotonic() + 60
        while self.executor.ready["pid"] == old:
            if time.monotonic() > deadline:
                raise TimeoutError("expected the executor to come back within 60 s")
            await asyncio.sleep(POLL_S)
        self.executor_restarts += 1
        self.outages.append((began_ms, now_ms()))

    async def stopped(self, milliseconds: int, *, signalled: bool) -> None:
        """Let the executor stand still for a while."""
        pid, began = self.executor.pid, now_ms()
        assert pid is not None, "the executor runs"
        if not signalled:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(milliseconds / 1000)
        os.kill(pid, signal.SIGCONT)
        self.outages.append((began, now_ms()))

    async def restart_executor(self) -> None:
        """SIGTERM: it drains and ends, and is started again."""
        pid, began = self.executor.pid, now_ms()
        assert pid is not None, "the executor runs"
        os.kill(pid, signal.SIGTERM)
        await self.reborn(began)

    async def close_venue(self, venue: str) -> None:
        """The exchange restarts, refuses all but resting orders, and opens again."""
        await self.control.mode(venue, "restarting")
        if venue == "kalshi":
            await asyncio.sleep(CLOSED_MS / 1000)
            await self.control.mode(venue, "open")

    async def restart_temporal(self) -> None:
        """SIGKILL the server and start it again on the same file and port."""
        began = now_ms()
        assert self.server.process is not None, "the campaign started the server itself"
        self.server.process.kill()
        await asyncio.to_thread(self.server.process.wait)
        self.server = await start_server(self.options)
        self.temporal_restarts += 1
        self.outages.append((began, now_ms() + 1_000))  # the worker's polls come back

    async def running(self) -> frozenset[str]:
        """The ids of all workflows that run."""
        query = f"ExecutionStatus = '{WorkflowExecutionStatus.RUNNING.name.title()}'"
        return frozenset([w.id async for w in self.client.list_workflows(query)])

    async def world(self, *, healed_ms: int | None = None, ask_temporal: bool = True) -> World:
        """What the judge sees now."""
        state = await self.control.state()
        workflows = await self.running() if ask_temporal else None
        return World(
            accounts=read_ledgers(state),
            tables=await asyncio.to_thread(read_database, self.database),
            rules=Rules(
                quarantine_ms=QUARANTINE_MS,
                void_ms=2_000,
                outages=tuple(self.outages),
                healed_ms=healed_ms,
            ),
            at_ms=now_ms(),
            workflows=workflows,
            markets=self.pairs,
        )


@asynccontextmanager
async def running(folder: Path, seed: int, pairs: int) -> AsyncIterator[Stack]:
    """Start it all; end the executor first."""
    async with AsyncExitStack() as stack:
        sim = Child(_sim(seed, pairs), folder / "logs")
        stack.push_async_callback(sim.stop)
        ready = await sim.start()
        urls: dict[str, str] = dict(ready["urls"])  # type: ignore[call-overload]
        control = Control(urls["control"])
        stack.push_async_callback(control.close)
        await control.knobs("kalshi", ack_ms=ACK_MS)
        await control.knobs(
            "polymarket",
            settle_mined_ms=SETTLE_MS,
            settle_confirmed_ms=SETTLE_MS,
            restart_ms=CLOSED_MS,
            post_only_ms=CLOSED_MS,
        )
        proxies = {venue: Proxy(urlsplit(urls[venue]).port or 0) for venue in VENUES}
        ports = {}
        for proxy, venue in ((proxies[venue], venue) for venue in VENUES):
            ports[urlsplit(urls[venue]).port or 0] = await proxy.start()
            stack.push_async_callback(proxy.stop)
        environment = await sim_environment({**ready, "urls": redirect(urls, ports) | {
            "control": urls["control"]
        }})  # fmt: skip
        options = ServerOptions(
            port=_free_port(), ui=False, database=folder / "temporal.sqlite3",
            log=folder / "logs" / "temporal.log",
        )  # fmt: skip
        server = await start_server(options)
        environment |= ENVIRONMENT | {
            "LOCKSTEP_DATA_DIR": str(folder),
            "LOCKSTEP_TEMPORAL__ADDRESS": server.address,
            "FP_FILE": str(folder / "failpoint"),
        }
        executor = Child(
            ChildSpec("executor", ["-m", "app.process", "executor"], environment), folder / "logs"
        )
        listed = {str(pair["id"]): pair for pair in await control.pairs()}
        running_stack = Stack(
            folder, control, proxies, executor, server, options, await connect(server),
            folder / "lockstep-sim.sqlite3", listed,
        )  # fmt: skip
        stack.push_async_callback(_end_server, running_stack)
        stack.push_async_callback(executor.stop)
        await executor.start()
        yield running_stack


async def _end_server(stack: Stack) -> None:
    await stop_server(stack.server)


def _sim(seed: int, pairs: int) -> ChildSpec:
    arguments = ["-m", "sim.main", "--seed", str(seed), "--pairs", str(pairs)]
    arguments += ["--polymarket-port", "0", "--kalshi-port", "0"]
    return ChildSpec("sim", arguments, restart=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def now_ms() -> int:
    """The wall clock in milliseconds, as the executor reads it."""
    return time.time_ns() // 1_000_000
