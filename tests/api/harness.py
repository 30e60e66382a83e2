"""The API served by uvicorn on a free port, and pages that talk to it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client
from websockets.asyncio.client import ClientConnection, connect

from api.main import create_app
from api.options import ApiOptions
from app.web import LOOPBACK, UI, server_config
from domain.venue import Mode
from store import presence
from store.journal import Journal
from store.kill_file import KillFile
from tests.support.places import folder_of, place

SECONDS = 10
OPEN = ApiOptions(ui=UI, hosts=LOOPBACK, kill_file=KillFile(Path("no such folder")))
"""The kill file lies beside the journal that is served."""
Json = dict[str, Any]


def wall_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def _is(message: Json, kind: str | None, wanted: Mapping[str, object]) -> bool:
    told = message | (message.get("data") or {})
    return kind in (None, message["type"]) and all(
        told.get(name) == value for name, value in wanted.items()
    )


@dataclass(slots=True)
class Page:
    """One socket; `seen` is everything that came."""

    socket: ClientConnection
    seen: list[Json]

    async def next(self, kind: str | None = None, /, **wanted: object) -> Json:
        """The next message of this type whose data (or top level) has these values."""
        async with asyncio.timeout(SECONDS):
            while True:
                message: Json = json.loads(await self.socket.recv())
                self.seen.append(message)
                if _is(message, kind, wanted):
                    return message

    async def had(self, kind: str, /, **wanted: object) -> Json:
        """As `next`, or one that came already: an answer and what it changed race each other."""
        for message in self.seen:
            if _is(message, kind, wanted):
                return message
        return await self.next(kind, **wanted)

    async def say(self, **message: object) -> None:
        """Send one frame."""
        await self.socket.send(json.dumps(message))

    async def ask(self, answer: str | None = None, /, **message: object) -> Json:
        """Send one frame under a ref and wait for what answers it."""
        await self.say(ref="mine", **message)
        return await self.next(answer, ref="mine")

    async def closed(self) -> int:
        """The code that the server closes with."""
        async with asyncio.timeout(SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@dataclass(slots=True)
class Running:
    """One API that answers."""

    app: FastAPI
    journal: Journal
    url: str
    http: httpx.AsyncClient

    @asynccontextmanager
    async def page(self, query: str = "", **headers: str) -> AsyncIterator[Page]:
        """A page of ours."""
        address = self.url.replace("http", "ws") + "/ws/executor" + query
        origin = headers.pop("Origin", self.url)
        sent = {"Origin": origin} if origin else {}
        async with connect(address, additional_headers=sent | headers) as socket:
            yield Page(socket, [])

    async def executor_lives(self, **report: object) -> None:
        """What an executor writes every second; returns once the API has seen it."""
        now_ms = wall_ms()
        await self.journal.write(now_ms, lambda s: presence.report(s, "executor-1", report, now_ms))
        await until(lambda: self.app.state.service.live.alive)


@asynccontextmanager
async def serving(
    journal: Journal, client: Client, options: ApiOptions = OPEN, mode: Mode = Mode.SIM
) -> AsyncIterator[Running]:
    """Serve on a free port of this machine until the block ends."""
    options = replace(options, kill_file=KillFile(folder_of(journal.database.place)))
    app = create_app(journal, client, mode, wall_ms, options)
    server = uvicorn.Server(replace_port(server_config(app, behind_tls=options.secure)))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started or task.done())
    if task.done():
        task.result()
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url) as http:
            yield Running(app, journal, url, http)
    finally:
        await app.state.connections.restart()
        server.should_exit = True
        await task


def replace_port(config: uvicorn.Config) -> uvicorn.Config:
    """Any free port of the loopback address."""
    config.host, config.port = "127.0.0.1", 0
    return config


async def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - a condition of the outside world
            await asyncio.sleep(0.01)


def opened(path: Path) -> Journal:
    """The journal of one test."""
    return Journal.open(place(path / "journal.sqlite3"), wall_ms())


def with_login(**changes: Any) -> ApiOptions:
    """Options that ask for a login."""
    return replace(OPEN, login_required=True, **changes)
