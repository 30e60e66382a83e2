"""One HTTP request, sent at most once, and what is provable about it afterwards.

Nothing is retried, redirected or proxied: a caller must be able to tell "it never left" from "it
may have arrived" (rule R2). The line is the moment before request headers start to be written.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx

from domain.order import NotFilled, Rejection
from venues.port import FirstByte

# Their INFO lines name every URL, and a query may name an account.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)

_FIRST_BYTE = "http11.send_request_headers.started"
REPLY_BYTES_MAX = 8 << 20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one request: to have a connection (wait for a free one; open one), and for all of
    it together. `idle` is how long an unused connection is kept."""

    connect: timedelta = timedelta(seconds=2)
    total: timedelta = timedelta(seconds=10)
    idle: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks: monotonic nanoseconds for durations, wall-clock ms for people."""

    monotonic_ns: int
    wall_ms: int

    @classmethod
    def now(cls) -> "Moment":
        """This instant."""
        return cls(time.monotonic_ns(), time.time_ns() // 1_000_000)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. Header names are lower-case; `body` is as received."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: Moment
    received: Moment


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proven: no byte of the request left. `refusal` is the caller's own stop, or NOT_SENT."""

    refusal: NotFilled


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have arrived, and what became of it is not known."""

    detail: str
    sent: Moment


class _Stopped(Exception):
    """The caller's last check stopped the request."""

    def __init__(self, refusal: NotFilled) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class _TooLarge(Exception):
    """The reply is larger than anything the venue would say."""


class _Flight:
    """How far one request came."""

    def __init__(self, first_byte: FirstByte | None) -> None:
        self._first_byte = first_byte
        self.sent: Moment | None = None
        self.check_failed: Exception | None = None

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        """Called by the HTTP client at each step; an exception here ends the request."""
        if event != _FIRST_BYTE:
            return
        assert self.sent is None, "expected one first byte in a request, found a second"
        try:
            refusal = await self._first_byte() if self._first_byte else None
        except Exception as problem:
            self.check_failed = problem
            raise
        if refusal is not None:
            raise _Stopped(refusal)
        self.sent = Moment.now()


class Transport:
    """Kept connections to one host."""

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts = Timeouts(),
        connections_max: int = 20,
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        self._timeouts = timeouts
        self._reply_bytes_max = reply_bytes_max
        self._client = httpx.AsyncClient(
            base_url=base_url,
            http1=True,
            http2=False,
            follow_redirects=False,
            trust_env=False,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            limits=httpx.Limits(
                max_connections=connections_max,
                max_keepalive_connections=connections_max,
                keepalive_expiry=timeouts.idle.total_seconds(),
            ),
        )

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        params: Mapping[str, str | Sequence[str]] | None = None,
        first_byte: FirstByte | None = None,
        total: timedelta | None = None,
    ) -> Reply | NotSent | Lost:
        """Send once. `path` is appended to the base address; a parameter with several values is
        repeated; `total` replaces the usual bound.

        `first_byte` is awaited on the open connection just before the first byte; what it raises
        is raised here, and nothing was sent then. A cancelled call stays cancelled: if that was
        after the first byte, only the venue knows the outcome.
        """
        flight = _Flight(first_byte)
        bound = self._timeouts.total if total is None else total
        try:
            async with (
                asyncio.timeout(bound.total_seconds()),
                self._client.stream(
                    method,
                    path,
                    headers=dict(headers or {}),
                    content=content or None,
                    params=dict(params) if params else None,
                    timeout=self._patience(bound),
                    extensions={"trace": flight.trace},
                ) as response,
            ):
                body = await self._read(response)
                received = Moment.now()
        except _Stopped as stopped:
            return NotSent(stopped.refusal)
        except Exception as problem:
            if problem is flight.check_failed:
                raise
            told = f"{method} {path}: {type(problem).__name__}: {problem}".rstrip(": ")
            if flight.sent is not None:
                return Lost(told, flight.sent)
            if isinstance(problem, httpx.TransportError | TimeoutError):
                return NotSent(NotFilled(Rejection.NOT_SENT, told))
            raise
        assert flight.sent is not None, "expected the first byte before the reply"
        return Reply(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            body,
            flight.sent,
            received,
        )

    async def close(self) -> None:
        """Close every connection; requests under way are lost."""
        await self._client.aclose()

    def _patience(self, bound: timedelta) -> httpx.Timeout:
        connect = min(self._timeouts.connect, bound).total_seconds()
        each = bound.total_seconds()
        return httpx.Timeout(connect=connect, pool=connect, read=each, write=each)

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._reply_bytes_max:
                raise _TooLarge(f"expected at most {self._reply_bytes_max} bytes in the reply")
        return bytes(body)
