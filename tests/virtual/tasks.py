"""One scheduled activity as the server sees it: attempts, time limits, one result."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio.activity import _Context
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.testing import ActivityEnvironment

from tests.virtual.loop import VirtualLoop, running
from tests.virtual.saga import MS, Command

DISPATCH_MS = 1


@dataclass(slots=True)
class Scheduled:
    """An activity that a workflow asked for."""

    command: Command
    attempt: int = 0
    running: asyncio.Task[Any] | None = None
    done: bool = False
    waiting: bool = False
    beat_us: int = 0
    """When its attempt said last that it lives."""
    timers: list[asyncio.Handle] = field(default_factory=list)

    @property
    def local(self) -> bool:
        """Whether it runs in the worker of the workflow."""
        return self.command.what == "local activity"

    @property
    def spent(self) -> bool:
        """Whether its retry policy allows no other attempt."""
        assert self.command.retry is not None, f"{self.command} has no retry policy"
        most = self.command.retry.maximum_attempts
        return bool(most) and self.attempt >= most

    def pause_ms(self) -> int:
        """Before the next attempt, by the retry policy."""
        policy = self.command.retry
        assert policy is not None, f"{self.command} has no retry policy"
        first = policy.initial_interval // MS
        highest = policy.maximum_interval // MS if policy.maximum_interval else first * 100
        return int(min(first * policy.backoff_coefficient ** (self.attempt - 1), highest))

    def stop(self) -> None:
        """Cancel the attempt that runs."""
        if self.running is not None:
            self.running.cancel()
            self.running = None

    def close(self) -> None:
        """Nothing more happens to it."""
        self.done = True
        for timer in self.timers:
            timer.cancel()

    def error(self, cause: Exception) -> ActivityError:
        """What the workflow sees of its failure."""
        error = ActivityError(
            "cancelled" if isinstance(cause, CancelledError) else "activity error",
            scheduled_event_id=0,
            started_event_id=0,
            identity="",
            activity_type=self.command.name,
            activity_id=self.command.activity_id,
            retry_state=None,
        )
        error.__cause__ = cause
        return error


def beating(context: Context, beat: Callable[..., None]) -> Context:
    """The same context for one attempt, whose heartbeats are told to `beat`."""
    own = context.copy()
    own.run(lambda: _Context.set(replace(_Context.current(), heartbeat=beat)))
    return own


def activity_context() -> Context:
    """A context in which activities find themselves in an activity."""

    async def find() -> _Context:
        return _Context.current()

    loop = VirtualLoop()  # type: ignore[abstract]  # the rest raises when it is called
    with running(loop):
        found = loop.create_task(ActivityEnvironment().run(find))
    loop.run(loop.now_us, lambda: None)
    context = copy_context()
    context.run(_Context.set, found.result())
    return context
