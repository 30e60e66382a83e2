"""A TCP proxy on loopback between an executor and one exchange: the network that fails.

It reads requests just far enough to know an order when it passes; answers are bytes to it.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

ORDER = re.compile(rb"^POST (/order|\S*/portfolio/events/orders) ")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNK = 1 << 16


class Trouble(StrEnum):
    """What happens to one order on the way."""

    HOLD_ANSWER = "hold_answer"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    BLACK_HOLE = "black_hole"
    HALF_OPEN = "half_open"
    LATE = "late"
    SLOW = "slow"


@dataclass(slots=True)
class Rule:
    """Trouble for one order that holds `needle` (a token, a ticker), after `skip` such orders.

    `reached` is set once it met its order; HOLD_ANSWER then waits for `release` or `ms`.
    """

    needle: bytes
    trouble: Trouble
    skip: int = 0
    ms: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Listens on a free port and passes everything on to `port`, but for what rules say.

    `owner` gives the process that connects, by its number; `orders` keeps when which process sent
    one (ms, process).
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.owner: Callable[[], int | None] = lambda: None
        self.orders: list[tuple[int, int]] = []
        self._rules: list[Rule] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.hits: dict[str, int] = {}

    async def start(self) -> int:
        """Begin to listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close every connection."""
        assert self._server is not None, "stopped after it was started"
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, rule: Rule) -> Rule:
        """Wait for one more order to trouble."""
        self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """Forget all rules and let go of what is held."""
        for rule in self._rules:
            rule.release.set()
        self._rules.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served in a task"
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await _Connection(self, self._target, reader, writer).run()
        finally:
            writer.close()
            self._tasks.discard(task)

    def trouble_for(self, request: bytes) -> Rule | None:
        """The rule that this order meets, used up by it."""
        if not ORDER.match(request):
            return None
        for rule in self._rules:
            if rule.needle in request:
                if rule.skip:
                    rule.skip -= 1
                    return None
                self._rules.remove(rule)
                self.hits[rule.trouble] = self.hits.get(rule.trouble, 0) + 1
                return rule
        return None


class _Connection:
    """One connection of the executor and its twin to the exchange."""

    def __init__(
        self,
        proxy: Proxy,
        target: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._target = target
        self._reader, self._writer = reader, writer
        self._process = proxy.owner()
        self._answers = asyncio.Event()
        self._answers.set()

    async def run(self) -> None:
        """Pass bytes both ways until one side ends or trouble says so."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.create_task(self._pass_back(reader))
        try:
            await self._pass_on(writer)
        finally:
            back.cancel()
            writer.close()

    async def _pass_back(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._answers.wait()
                self._writer.write(data)
                await self._writer.drain()
        # The exchange has closed: so does the connection of the executor.
        self._writer.close()

    async def _pass_on(self, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await self._request()
            if not request:
                return
            if ORDER.match(request) and self._process is not None:
                self._proxy.orders.append((time.time_ns() // 1_000_000, self._process))
            rule = self._proxy.trouble_for(request)
            if rule is None:
                writer.write(request)
                await writer.drain()
            elif await self._make(rule, request, writer):
                return

    async def _request(self) -> bytes:
        """One whole HTTP request, or what comes after a change to WebSocket as it comes."""
        data = await self._reader.read(CHUNK)
        if data[:8].split(b" ")[0] not in {b"GET", b"POST", b"DELETE"}:
            return data
        while b"\r\n\r\n" not in data:
            data += await self._some()
        head, _, body = data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        wanted = int(length.group(1)) if length else 0
        while len(body) < wanted:
            body += await self._some()
        return head + b"\r\n\r\n" + body

    async def _some(self) -> bytes:
        data = await self._reader.read(CHUNK)
        if not data:
            raise asyncio.IncompleteReadError(b"", None)
        return data

    async def _make(self, rule: Rule, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Act the trouble out; whether the connection is over by it."""
        trouble, seconds = rule.trouble, rule.ms / 1000
        if trouble is Trouble.RESET_BEFORE:
            rule.reached.set()
            self._reset()
            return True
        if trouble is Trouble.BLACK_HOLE:
            rule.reached.set()
            await asyncio.sleep(seconds)
            return True
        if trouble in (Trouble.LATE, Trouble.SLOW):
            rule.reached.set()
            await asyncio.sleep(seconds)
        else:
            self._answers.clear()
        writer.write(request)
        await writer.drain()
        if trouble in (Trouble.LATE, Trouble.SLOW):
            # A late order must arrive even where nobody waits for its answer any more.
            await asyncio.sleep(0.2 if trouble is Trouble.LATE else 0)
            return False
        await asyncio.sleep(0.03)  # the exchange reads it
        rule.reached.set()
        if trouble is Trouble.RESET_AFTER:
            self._reset()
            return True
        if trouble is Trouble.HALF_OPEN:
            await asyncio.sleep(seconds)
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(rule.release.wait(), seconds)
        self._answers.set()
        return False

    def _reset(self) -> None:
        self._writer.transport.abort()


def redirect(urls: Mapping[str, str], ports: Mapping[int, int]) -> dict[str, str]:
    """The same addresses with every port replaced by that of its proxy."""
    changed = {}
    for name, url in urls.items():
        for port, through in ports.items():
            url = url.replace(f"127.0.0.1:{port}", f"127.0.0.1:{through}")
        changed[name] = url
    return changed
