"""The simulated Bot API as a process of its own: one JSON line when it is ready."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sim.server import PortInUse, Servers, Site
from sim.telegram.bot import Bot
from sim.telegram.http import build_app

TOKEN = "7000000:SIM-telegram-token-that-opens-nothing"  # noqa: S105  a token of no real bot


@dataclass(frozen=True, slots=True)
class Running:
    """A Bot API that accepts connections; `url` is what a bot's base address begins with."""

    bot: Bot
    url: str

    @property
    def ready(self) -> dict[str, object]:
        """The line that says so."""
        return {"ready": True, "url": self.url, "token": self.bot.token}


@asynccontextmanager
async def running(
    chats: Sequence[int], *, token: str = TOKEN, port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[Running]:
    """Serve one bot that knows these chats until the block ends; PortInUse."""
    bot = Bot(token, set(chats))
    servers = Servers([Site("telegram", build_app(bot), port)], host)
    await servers.start()
    try:
        yield Running(bot, f"http://{host}:{servers.port('telegram')}")
    finally:
        bot.end()
        await servers.stop()


async def _serve(chats: Sequence[int], port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(chats, port=port) as served:
        print(json.dumps(served.ready), flush=True)  # noqa: T201  what a parent waits for
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: 0 after a stop, 1 when the port is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--chat", type=int, action="append", default=[], help="a chat it knows")
    given = parser.parse_args(argv)
    try:
        asyncio.run(_serve(given.chat, given.port))
    except PortInUse as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
