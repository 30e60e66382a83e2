"""A connection to Kalshi's WebSocket: a fresh signature, no compression, pings of our own."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from venues.kalshi import stream
from venues.kalshi.account import KalshiAccount
from venues.kalshi.shapes import Frame
from venues.kalshi.signing import Signer
from venues.strict_json import Malformed, parse

FRAME_BYTES_MAX = 8 << 20
USE_YES_PRICE = True
"""Named in every subscription: the venue's default is about to change."""


class StreamDown(Exception):
    """The venue ended a subscription or refused a command."""


DOWN = (OSError, TimeoutError, WebSocketException, Malformed, StreamDown)
"""Whatever ends a connection; the cure is always to dial again."""


class Socket:
    """An open connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._commands = 0

    async def command(self, name: str, params: Mapping[str, object]) -> None:
        """Send a command; its outcome arrives as a frame."""
        self._commands += 1
        order = {"id": self._commands, "cmd": name, "params": dict(params)}
        await self._connection.send(json.dumps(order))

    async def frame(self) -> Frame:
        """The next message; a DOWN exception when the connection has ended."""
        text = await self._connection.recv()
        return stream.frame(parse(text, root="frame"), use_yes_price=USE_YES_PRICE)

    async def close(self) -> None:
        """Close the connection; whoever waits for a frame is told so."""
        await self._connection.close()


@asynccontextmanager
async def dial(account: KalshiAccount, signer: Signer) -> AsyncIterator[Socket]:
    """An open connection until the block ends."""
    times = account.timeouts
    async with connect(
        account.ws_url,
        additional_headers=signer.headers("GET", urlsplit(account.ws_url).path),
        compression=None,
        proxy=None,
        open_timeout=times.connect.total_seconds(),
        ping_interval=times.ping.total_seconds(),
        ping_timeout=times.ping.total_seconds(),
        close_timeout=1,
        max_size=FRAME_BYTES_MAX,
    ) as connection:
        yield Socket(connection)
