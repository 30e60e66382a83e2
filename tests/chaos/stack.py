"""What a campaign runs and breaks: Temporal, the exchanges, proxies, executors, the API."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client, WorkflowExecutionStatus

from app.children import Child
from app.demo.control import Control as DemoControl
from app.operating.replaying import problems
from app.temporal import Server, ServerOptions, start_server
from store.kill_file import NAME
from store.place import Place
from tests.chaos.page import Page
from tests.chaos.proxy import Proxy
from tests.oracle.world import (
    TABLES,
    Answered,
    Received,
    Rules,
    Sent,
    Shown,
    World,
    read_ledgers,
)
from tests.support.places import snapshot
from workflows import names

QUARANTINE_MS = 1_500
CLOSED_MS = 1_000
"""How long a restarting exchange is closed, and then takes resting orders only."""
STOP_MS = 2_500
"""Of the second that a stop may take three quarters are a fixed wait. In a campaign it is asked of
an API that has only just started, on a machine that is busy with the campaign."""
POLL_S = 0.005


@dataclass
class Times:
    """What a campaign measures beside what it judges (ms)."""

    taken_over: list[int] = field(default_factory=list)
    stood_still: list[int] = field(default_factory=list)
    restarted: list[int] = field(default_factory=list)
    adopted: list[int] = field(default_factory=list)


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
    database: Place
    pairs: Mapping[str, Mapping[str, Any]]
    api: Child
    page: Page
    spare: Child
    spare_proxies: Mapping[str, Proxy]
    notifier: Child | None = None
    telegram_url: str = ""
    times: Times = field(default_factory=Times)
    stops: list[Answered] = field(default_factory=list)
    replays: dict[str, str | None] = field(default_factory=dict)
    outages: list[tuple[int, int]] = field(default_factory=list)
    executor_restarts: int = 0
    temporal_restarts: int = 0
    temporal_losses: int = 0
    takeovers: int = 0
    notifier_restarts: int = 0

    @property
    def armed(self) -> Path:
        """The file that arms a failpoint."""
        return self.folder / "failpoint"

    @property
    def kill_file(self) -> Path:
        """The file that stops entries."""
        return self.folder / NAME

    def arm(self, spec: str) -> None:
        """Let the executor fall at a place; see `store.failpoints`."""
        part = self.armed.with_suffix(".part")
        part.write_text(spec, encoding="utf-8")
        part.replace(self.armed)

    def heal(self) -> None:
        """The network works again, and nothing is armed."""
        for proxy in self.proxies.values():
            proxy.heal()
        self.armed.unlink(missing_ok=True)

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
        await self.back(self.executor)
        self.executor_restarts += 1
        self.outages.append((began_ms, now_ms()))

    async def back(self, child: Child) -> None:
        """Return once a process that died is ready again."""
        old = child.ready["pid"]
        child.restarts = 0  # the supervisor's growing pause is not what is tested
        deadline = time.monotonic() + 60
        while child.ready["pid"] == old:
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected {child.spec.name} to come back within 60 s")
            await asyncio.sleep(POLL_S)

    async def stopped(
        self, milliseconds: int, *, signalled: bool, child: Child | None = None
    ) -> None:
        """Let the executor (or another process, which may hold the journal's lock) stand still."""
        pid, began = (child or self.executor).pid, now_ms()
        assert pid is not None, "it runs"
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

    async def lose_temporal(self) -> None:
        """SIGKILL the server, delete its database, and start it on an empty one."""
        await self.replay()
        began = now_ms()
        assert self.server.process is not None, "the campaign started the server itself"
        self.server.process.kill()
        await asyncio.to_thread(self.server.process.wait)
        assert self.options.database is not None, "the campaign gave it a file"
        for part in self.folder.glob(f"{self.options.database.name}*"):
            part.unlink()
        self.server = await start_server(self.options)
        self.temporal_losses += 1
        self.outages.append((began, now_ms() + 1_000))

    async def replay(self) -> None:
        """Replay every history that the server has on the code of today."""
        query = f"WorkflowType IN ('{names.ARBITRAGE}', '{names.RECONCILE}')"
        async for one, why in problems(self.client.list_workflows(query).map_histories()):
            self.replays[f"{one.workflow_id} {one.run_id}"] = why

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
            tables=await asyncio.to_thread(snapshot, self.database, *TABLES),
            rules=Rules(
                quarantine_ms=QUARANTINE_MS,
                void_ms=2_000,
                acknowledged_ms=STOP_MS,
                outages=tuple(self.outages),
                healed_ms=healed_ms,
            ),
            at_ms=now_ms(),
            workflows=workflows,
            markets=self.pairs,
            sent=tuple(self._sent()),
            stops=tuple(self.stops),
            replays=self.replays,
            shown=await self._shown(),
            received=await self._received(),
        )

    def _sent(self) -> Iterator[Sent]:
        for proxies in (self.proxies, self.spare_proxies):
            for venue, proxy in proxies.items():
                yield from (Sent(venue, at_ms, process) for at_ms, process in proxy.orders)

    async def _received(self) -> tuple[Received, ...] | None:
        """What a person's Telegram holds; None where nobody is written to."""
        if self.notifier is None:
            return None
        async with httpx.AsyncClient(base_url=self.telegram_url) as http:
            state = (await http.get("/control/state")).raise_for_status().json()
        return tuple(Received(one["number"], tuple(one["texts"])) for one in state["messages"])

    async def _shown(self) -> dict[str, Shown]:
        """What the page shows that was there all the time, and one that only just asked."""
        fresh = Page(lambda: self.url)
        async with httpx.AsyncClient(base_url=self.url) as http:
            fresh.take((await http.get("/api/v1/snapshot")).json())
        pages = {"socket": self.page.shown(), "api": fresh.shown()}
        return {name: shown for name, shown in pages.items() if shown is not None}

    @property
    def url(self) -> str:
        """The address of the API now."""
        return str(self.api.ready["url"])


def now_ms() -> int:
    """The wall clock in milliseconds, as the executor reads it."""
    return time.time_ns() // 1_000_000
