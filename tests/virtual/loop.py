"""An event loop whose clock jumps to the next event: one thread, one order, no waiting."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")
US_PER_S = 1_000_000
START_US = 1_800_000_000 * US_PER_S
"""Where every virtual clock begins (microseconds since 1970)."""


@contextmanager
def running(loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Within the block asyncio finds this loop, or none: room for the loop of a workflow."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in the order of their time, then of their making."""

    def __init__(self) -> None:
        self.now_us = START_US
        self.steps = 0
        self._ready: deque[asyncio.Handle] = deque()
        self._later: list[tuple[int, int, asyncio.Handle]] = []
        self._number = 0
        self.failure: BaseException | None = None
        self.stopped = False

    @property
    def now_ms(self) -> int:
        """The virtual wall clock."""
        return self.now_us // 1000

    def run(self, until_us: int, after_step: Callable[[], None]) -> None:
        """Until nothing is left to do, or that time. `after_step` is called after every step; what
        it or a callback raises ends the run."""
        with running(self):  # the caller may live on a loop of his own
            self._run(until_us, after_step)
        if self.failure is not None:
            raise self.failure

    def finish(self) -> None:
        """Let what was cancelled end; later events never happen."""
        with running(self):
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()

    def _run(self, until_us: int, after_step: Callable[[], None]) -> None:
        while self.failure is None and not self.stopped:
            if not self._ready:
                while self._later and self._later[0][2].cancelled():
                    heapq.heappop(self._later)
                if not self._later or self._later[0][0] > until_us:
                    return
                self.now_us, _, handle = heapq.heappop(self._later)
                self._ready.append(handle)
            handle = self._ready.popleft()
            if handle.cancelled():
                continue
            self.steps += 1
            handle._run()  # an asyncio handle hands what is raised to the exception handler
            after_step()

    def after_ms(self, ms: int, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """Call it that many virtual milliseconds from now."""
        return self._at(self.now_us + ms * 1000, callback, args, None)

    def _at(
        self, when_us: int, callback: Callable[..., object], args: Any, context: Context | None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._number += 1
        heapq.heappush(self._later, (when_us, self._number, handle))
        return handle

    # What asyncio asks of a loop.

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio has it."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]  # asyncio only ever cancels what it gets
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio has it."""
        return self._at(self.now_us + round(delay * US_PER_S), callback, args, context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio has it."""
        return self._at(round(when * US_PER_S), callback, args, context)

    def time(self) -> float:
        """Virtual seconds."""
        return self.now_us / US_PER_S

    def create_future(self) -> asyncio.Future[Any]:
        """As asyncio has it."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """As asyncio has it."""
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught ends the run."""
        self.failure = context.get("exception") or AssertionError(str(context.get("message")))

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """As far as a task may ask."""
        return True

    def is_closed(self) -> bool:
        """Never."""
        return False
