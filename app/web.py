"""The API process: uvicorn on a socket of ours, so that a taken port is one clear line."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from api.main import create_app
from app.config import Config
from app.errors import DependencyError
from app.wiring import connect, open_journal, wall_ms

SHUTDOWN_SECONDS = 5


async def run_api(config: Config, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop`; `ready` gets the address once it answers."""
    journal = await asyncio.to_thread(open_journal, config)
    try:
        client = await connect(config)
        app = create_app(journal, client, config.mode, wall_ms, config.temporal.ui_url)
        with _listen(config.api.host, config.api.port) as listener:
            host, port = listener.getsockname()[:2]
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            # Nobody is refused from here on: the kernel queues connections until it serves.
            ready(f"http://{host}:{port}")
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
    finally:
        journal.close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise DependencyError(
            f"api.port: expected {host}:{port} to be free, found: {error.strerror}; "
            "set api.port (LOCKSTEP_API__PORT) to another, or to 0 for any"
        ) from None
    listener.listen()
    return listener
