"""A notifier on a journal of the test, talking to a simulated Bot API over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.config import Config
from app.config_sources import load_config
from app.notifier import notifier_options
from app.steward import ChatSteward
from app.wiring import wall_ms
from notify.options import Options
from notify.service import serve
from sim.telegram.bot import Message
from sim.telegram.main import Running, running
from store import outbox
from store.journal import Journal
from store.outbox import Backlog

ADA, BOB, EVE = 501, 502, 666
GROUP, OTHER = -1001, -1002
SECONDS = 20


@dataclass(slots=True)
class Telegram:
    """The simulated Bot API as its people see it."""

    served: Running
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False))

    async def control(self, act: str, **what: object) -> dict[str, Any]:
        reply = await self.http.post(f"{self.served.url}/control/{act}", json=what)
        assert reply.status_code == httpx.codes.OK, reply.text
        told: dict[str, Any] = reply.json()
        return told

    async def script(self, do: str, **what: object) -> None:
        await self.control("script", do=do, **what)

    async def say(self, user: int, text: str, **what: object) -> None:
        await self.control("say", user=user, text=text, **what)

    async def press(self, user: int, label: str) -> None:
        await self.control("press", user=user, label=label)

    def texts(self, chat: int) -> list[str]:
        """What the chat shows now, oldest first."""
        return [m.texts[-1] for m in self.served.bot.messages if m.chat == chat]

    def messages(self, chat: int) -> list[Message]:
        return [m for m in self.served.bot.messages if m.chat == chat]

    async def until(self, holds: Callable[[], object], seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                shown = [(m.chat, m.texts[-1]) for m in self.served.bot.messages]
                raise TimeoutError(f"not within {seconds} s; shown: {shown}")
            await asyncio.sleep(0.02)

    async def shows(self, chat: int, words: str, seconds: float = SECONDS) -> str:
        """The newest message of the chat with these words, once it is there."""
        await self.until(lambda: any(words in text for text in self.texts(chat)), seconds)
        return [text for text in self.texts(chat) if words in text][-1]


@asynccontextmanager
async def telegram(*chats: int) -> AsyncIterator[Telegram]:
    async with running(chats or (ADA, BOB, EVE, GROUP, OTHER)) as served:
        here = Telegram(served)
        try:
            yield here
        finally:
            await here.http.aclose()


def notifier_config(
    here: Telegram, folder: Path, more: Mapping[str, str] | None = None, chats: str = f"[{GROUP}]"
) -> Config:
    environment = {
        "LOCKSTEP_DATA_DIR": str(folder),
        "LOCKSTEP_TELEGRAM__TOKEN": here.served.bot.token,
        "LOCKSTEP_TELEGRAM__BASE_URL": here.served.url,
        "LOCKSTEP_TELEGRAM__CHATS": chats,
        "LOCKSTEP_TELEGRAM__ANSWER_SECONDS": "1",
        "LOCKSTEP_TELEGRAM__USERS": f'[{{"id": {ADA}, "role": "trader"}}, {{"id": {BOB}}}]',
        **(more or {}),
    }
    return load_config(env=environment, folder=folder).config


@asynccontextmanager
async def notifying(config: Config, journal: Journal, **changes: Any) -> AsyncIterator[Options]:
    """The whole notifier within the block; a failure of it fails the test."""
    options = notifier_options(config)
    ready = asyncio.Event()
    steward = ChatSteward(config, journal)
    task = asyncio.create_task(serve(journal, steward, options, wall_ms, ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield options
    finally:
        waiting.cancel()
        failed = task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert not failed, "the notifier ended by itself"


async def drained(journal: Journal, seconds: float = 20) -> None:
    """Every message of the outbox is marked as sent."""
    deadline = time.monotonic() + seconds
    while (left := await journal.read(outbox.backlog)) != Backlog(0, None):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waiting: {left}")
        await asyncio.sleep(0.05)
