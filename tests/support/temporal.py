"""One real Temporal server for a test session; every test has its own queue and ids."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from temporalio.client import Client

from app.payloads import DATA_CONVERTER
from app.temporal import Server, ServerOptions, start_server, stop_server


@contextmanager
def session_server() -> Iterator[Server]:
    """An in-memory server, or the one that TEST_TEMPORAL_ADDRESS names (host:port).

    Never skipped: where there is no server, starting it fails and says how to get one.
    """
    if address := os.environ.get("TEST_TEMPORAL_ADDRESS"):
        yield Server(address, "default", ui_url=None, process=None)
        return
    server = asyncio.run(start_server(ServerOptions(ui=False)))
    try:
        yield server
    finally:
        asyncio.run(stop_server(server))


async def connect(server: Server) -> Client:
    """A client of the running event loop, with the converter that keeps decimals exact."""
    return await connect_to(server.address, server.namespace)


async def connect_to(
    address: str, namespace: str = "default", identity: str | None = None
) -> Client:
    """The same for a server by its address; `identity` is what histories name the client."""
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=DATA_CONVERTER,
        identity=identity,
    )


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"{name}-{uuid4().hex[:12]}"
