"""What both exchanges need of HTTP: arrival times, the request journal, answers that never come."""

import asyncio

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sim.world import Request, VenueName, World


class Wire:
    """Outermost ASGI layer of a venue: stamps `sim.first_byte_ns` and keeps the journal."""

    def __init__(self, app: ASGIApp, world: World, venue: VenueName) -> None:
        self._app = app
        self._world = world
        self._venue: VenueName = venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = scope.get("method", "WEBSOCKET")
        request = Request(self._venue, method, scope["path"], self._world.clock())
        self._world.journal.append(request)
        scope["sim.first_byte_ns"] = request.first_byte_ns
        keep_transport(scope, send)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            await send(message)

        await self._app(scope, receive, noted)
        request.status = request.status or -1


def keep_transport(scope: Scope, send: Send) -> None:
    """Remember the connection of a request, so that `Dropped` can end it. For the outermost layer:
    uvicorn's own `send` is a bound method of the object that owns the connection."""
    scope["sim.transport"] = getattr(getattr(send, "__self__", None), "transport", None)


class Dropped(Response):
    """Closes the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Abort the transport and wait until the server has noticed."""
        transport = scope["sim.transport"]
        if transport is None:
            raise RuntimeError("no transport to drop: the venue must be served by uvicorn")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def first_byte_ns(request: HttpRequest) -> int:
    """When the request arrived, in nanoseconds since the epoch."""
    stamp: int = request.scope["sim.first_byte_ns"]
    return stamp


async def pause(milliseconds: int) -> None:
    """Wait without holding up anybody else."""
    if milliseconds > 0:
        await asyncio.sleep(milliseconds / 1000)
