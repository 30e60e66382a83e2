"""The API process: uvicorn on a socket of ours, so that a taken port is one clear line."""

import asyncio
import socket
from collections.abc import Callable
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.frames import FRAME_MAX
from api.main import create_app
from api.options import ApiOptions
from app.config import Config
from app.errors import ConfigError, DependencyError
from app.wiring import connect, open_journal, wall_ms
from domain.venue import Mode
from store.kill_file import KillFile

SHUTDOWN_SECONDS = 5
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
UI = Path(__file__).resolve().parent.parent / "ui"


async def run_api(config: Config, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop`; `ready` gets the address once it answers."""
    options = api_options(config)
    journal = await asyncio.to_thread(open_journal, config)
    try:
        client = await connect(config)
        app = create_app(journal, client, config.mode, wall_ms, options)
        with _listen(config.api.host, config.api.port) as listener:
            host, port = listener.getsockname()[:2]
            server = uvicorn.Server(server_config(app, behind_tls=options.secure))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            # Nobody is refused from here on: the kernel queues connections until it serves.
            ready(f"http://{host}:{port}")
            stopping = asyncio.create_task(stop.wait())
            failing = asyncio.create_task(app.state.service.live.failed.wait())
            await asyncio.wait({stopping, serving, failing}, return_when=asyncio.FIRST_COMPLETED)
            await app.state.connections.restart()
            server.should_exit = True
            await serving
            if failing.done():
                raise DependencyError("the live state failed; the log says why")
    finally:
        journal.close()


def server_config(app: FastAPI, *, behind_tls: bool) -> uvicorn.Config:
    """How the API is served: frames are bounded before they are read, pages cannot hang an end. Who
    asks is what a proxy on this machine says only where there is one: else anybody could be so
    many addresses as he likes by a header."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=behind_tls,
        ws="websockets-sansio",
        ws_max_size=FRAME_MAX,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def api_options(config: Config) -> ApiOptions:
    """What the API is told. ConfigError where others than this machine could come in unasked."""
    section = config.api
    outside = not is_loopback(section.host)
    foreign = [name for name in section.hosts if not is_loopback(name.lower())]
    missing = [
        name
        for name, given in (
            ("api.password_hash", section.password_hash is not None),
            ("api.behind_tls", section.behind_tls),
        )
        if not section.published_on_loopback and not given
    ]
    if outside and missing:
        raise ConfigError(
            f"api.host: expected a loopback address, or also {' and '.join(missing)}, found "
            f"{section.host}: others could reach money through it (docs/access.md). In a container "
            "whose port is published on 127.0.0.1 only, set api.published_on_loopback"
        )
    if foreign and missing:
        raise ConfigError(
            f"api.hosts: expected names of this machine alone, or also {' and '.join(missing)}, "
            f"found {', '.join(foreign)}: who asks by that name comes from elsewhere, and could "
            "reach money (docs/access.md)"
        )
    password = section.password_hash
    return ApiOptions(
        ui=UI,
        hosts=LOOPBACK | {name.lower() for name in (*section.hosts, section.host)},
        kill_file=KillFile(config.data_dir),
        login_required=bool(outside or foreign or section.behind_tls or config.mode is Mode.LIVE),
        password_hash=None if password is None else password.get_secret_value(),
        secure=section.behind_tls,
        temporal_ui=config.temporal.ui_url,
        namespace=config.temporal.namespace,
        version=version("lockstep"),
        # The chats are known also where the token is another process's alone.
        notifies=bool(config.telegram.chats),
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
