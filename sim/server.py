"""Several HTTP servers in one event loop, each on its own socket, stopped together."""

import asyncio
import contextlib
import socket
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_GRACE_S = 2
_HEARTBEAT_S = 10


class PortInUse(Exception):
    """A port that was asked for cannot be bound."""


class HeartbeatProtocol(WebSocketsSansIOProtocol):
    """Pings with the payload `heartbeat`, as Kalshi does, and never gives up on a silent client."""

    def send_keepalive_ping(self) -> None:
        """Send one ping and plan the next."""
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.send_ping(b"heartbeat")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.schedule_ping()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to whoever runs the servers."""
        yield


@dataclass(frozen=True, slots=True)
class Site:
    """An application and the port it wants; 0 is any free one."""

    name: str
    app: ASGIApp
    port: int
    heartbeat_s: int = _HEARTBEAT_S
    dates: bool = True
    """Whether the server tells the time; a site with a clock of its own does so itself."""


class Servers:
    """Start, address and stop the servers of some sites."""

    def __init__(self, sites: Sequence[Site], host: str = "127.0.0.1") -> None:
        self._host = host
        self._sockets: dict[str, socket.socket] = {}
        try:
            for site in sites:
                self._sockets[site.name] = _bind(host, site)
        except PortInUse:
            self._close()
            raise
        self._servers = [(_server(site), self._sockets[site.name]) for site in sites]
        self._tasks: list[asyncio.Task[None]] = []

    def port(self, name: str) -> int:
        """The port a site really got."""
        port: int = self._sockets[name].getsockname()[1]
        return port

    async def start(self) -> None:
        """Return when every server accepts connections."""
        for server, listener in self._servers:
            self._tasks.append(asyncio.create_task(server.serve(sockets=[listener])))
        while not all(server.started for server, _ in self._servers):
            for task in self._tasks:
                if task.done():
                    await task
                    raise RuntimeError("a server ended before it had started")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close all connections and wait for the servers to end."""
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks)
        self._close()

    def _close(self) -> None:
        for listener in self._sockets.values():
            listener.close()


def _bind(host: str, site: Site) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # accepted connections inherit it: small answers must not wait for an acknowledgement
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, site.port))
    except OSError as problem:
        listener.close()
        raise PortInUse(
            f"{site.name}: port {site.port} on {host} cannot be used: {problem.strerror}"
        ) from problem
    return listener


def _server(site: Site) -> _Server:
    return _Server(
        uvicorn.Config(
            site.app,
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="auto",
            proxy_headers=False,
            server_header=False,
            date_header=site.dates,
            http="httptools",
            ws=HeartbeatProtocol,
            ws_ping_interval=site.heartbeat_s,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=75,
        )
    )
