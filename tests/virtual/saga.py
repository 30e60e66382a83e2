"""The saga's class on a runtime of our own: the few things of Temporal's that it asks for.

Ten times as fast as the SDK's instance, and held to it: a test runs seeds on both and compares
every step. Whatever a workflow asks for that is not here raises.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ContinueAsNewError, Info, _Definition, _Runtime

from activities.messages import ArbitrageInput
from tests.virtual.loop import running
from workflows.arbitrage import ArbitrageWorkflow

_UPDATES = _Definition.must_from_class(ArbitrageWorkflow).updates
_INFO = object.__new__(Info)
object.__setattr__(_INFO, "run_id", "run")
MS = timedelta(milliseconds=1)


@dataclass(slots=True)
class Command:
    """What the workflow asks of the server. `what`: activity, local activity, give up, timer, stop
    timer, accepted, rejected, answered, continued, ended. Milliseconds, 0 for no limit."""

    what: str
    seq: int = 0
    name: str = ""
    activity_id: str = ""
    value: Any = None
    retry: RetryPolicy | None = None
    schedule_to_start_ms: int = 0
    schedule_to_close_ms: int = 0
    start_to_close_ms: int = 0
    heartbeat_ms: int = 0

    def __str__(self) -> str:
        return f"{self.what} {self.seq} {self.name} {self.activity_id}"


@dataclass(slots=True)
class Job:
    """What the server tells the workflow. `what`: start, result, failure, timer, update, cancel."""

    what: str
    seq: int = 0
    name: str = ""
    value: Any = None
    local: bool = False


class _Again(ContinueAsNewError):
    """The run ends and another one goes on with this plan."""

    def __init__(self, plan: ArbitrageInput) -> None:
        super().__init__()
        self.plan = plan


class SagaFailed(AssertionError):
    """A workflow task failed: with Temporal it would be tried for ever."""


class OwnSaga(_Runtime):
    """One instance of the workflow, its tasks and its conditions."""

    def __init__(self, plan: ArbitrageInput) -> None:
        super().__init__()
        self._plan = plan
        self._loop = _SagaLoop(self)  # type: ignore[abstract]  # the rest raises when called
        self._commands: list[Command] = []
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._timers: dict[int, asyncio.Handle] = {}
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._handlers = self._seq = 0
        self._now_us = 0
        self._failure: BaseException | None = None
        self._main: asyncio.Task[Any] | None = None
        self.workflow: ArbitrageWorkflow | None = None

    def activate(self, now_us: int, job: Job) -> list[Command]:
        """Tell the workflow and run it until it waits; the commands that this led to."""
        self._now_us, self._commands = now_us, []
        with running(self._loop):
            self._apply(job)
            self._drain()
        if self._failure is not None:
            raise SagaFailed(f"a workflow task failed: {self._failure!r}") from self._failure
        return self._commands

    def evict(self) -> None:
        """Forget it: its tasks never run again."""
        for task in self._loop.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._loop.ready.clear()
        self._conditions.clear()

    def _apply(self, job: Job) -> None:
        match job.what:
            case "start":
                self.workflow = ArbitrageWorkflow(self._plan)
                self._main = self._loop.create_task(self._run(self.workflow))
            case "result":
                self._pending.pop(job.seq).set_result(job.value)
            case "failure":
                self._pending.pop(job.seq).set_exception(job.value)
            case "timer":
                self._loop.ready.append(self._timers.pop(job.seq))
            case "update":
                self._loop.create_task(self._update(job))
            case "cancel":
                assert self._main is not None, "expected a workflow that was started"
                self._loop.call_soon(self._main.cancel)
            case unknown:
                raise SagaFailed(f"expected a job this runtime knows, found {unknown}")

    def _drain(self) -> None:
        ready = self._loop.ready
        while ready:
            while ready and self._failure is None:
                ready.popleft()._run()
            if self._failure is not None:
                return
            waiting = []
            for condition, future in self._conditions:
                if future.done():
                    continue
                if condition():
                    future.set_result(None)
                else:
                    waiting.append((condition, future))
            self._conditions = waiting

    async def _run(self, workflow: ArbitrageWorkflow) -> None:
        try:
            result = await workflow.run(self._plan)
            self._commands.append(Command("ended", value=result))
        except _Again as again:
            self._commands.append(Command("continued", value=again.plan))
        except Exception as error:  # noqa: BLE001 - it fails the task, and the run with it
            self._failure = error

    async def _update(self, job: Job) -> None:
        definition = _UPDATES[job.name]
        self._handlers += 1
        try:
            if definition.validator is not None:
                definition.bind_validator(self.workflow)(job.value)
            self._commands.append(Command("accepted", job.seq))
            answer = definition.bind_fn(self.workflow)(job.value)
            answer = await answer if asyncio.iscoroutine(answer) else answer
            self._commands.append(Command("answered", job.seq, value=answer))
        except ApplicationError as refused:
            self._commands.append(Command("rejected", job.seq, value=refused))
        except Exception as error:  # noqa: BLE001 - it fails the task, and the run with it
            self._failure = error
        finally:
            self._handlers -= 1

    # What a workflow asks of Temporal.

    def workflow_time_ns(self) -> int:
        """The time of the activation."""
        return self._now_us * 1000

    def workflow_all_handlers_finished(self) -> bool:
        """Whether no update is being answered."""
        return not self._handlers

    def workflow_info(self) -> Info:
        """Nothing of it is asked for but the run and the length."""
        return _INFO

    def workflow_get_current_history_length(self) -> int:
        """Not counted: no worker stands still here while another one goes on."""
        return 0

    def workflow_continue_as_new(self, *args: Any, **_: Any) -> NoReturn:
        """End this run for another."""
        raise _Again(args[0])

    def workflow_patch(self, *_: Any, **__: Any) -> bool:
        """Every run here is a new one."""
        return True

    def workflow_upsert_search_attributes(self, attributes: Any, **_: Any) -> None:
        """Nothing here is searched."""

    def workflow_set_current_details(self, details: str, **_: Any) -> None:
        """Nobody reads it here."""

    async def workflow_wait_condition(
        self, fn: Callable[[], bool], *, timeout: float | None = None, **_: Any
    ) -> None:
        """Until it holds, or TimeoutError."""
        future = self._loop.create_future()
        self._conditions.append((fn, future))
        await asyncio.wait_for(future, timeout)

    def workflow_start_activity(  # type: ignore[override]
        self, activity: Any, *args: Any, retry_policy: RetryPolicy | None, **limits: Any
    ) -> asyncio.Task[Any]:
        """One activity, as a task."""
        return self._start("activity", activity, args, retry_policy, limits)

    def workflow_start_local_activity(  # type: ignore[override]
        self, activity: Any, *args: Any, retry_policy: RetryPolicy | None, **limits: Any
    ) -> asyncio.Task[Any]:
        """One local activity, as a task."""
        return self._start("local activity", activity, args, retry_policy, limits)

    def _start(
        self,
        what: str,
        activity: Any,
        args: tuple[Any, ...],
        retry: RetryPolicy | None,
        limits: dict[str, Any],
    ) -> asyncio.Task[Any]:
        self._seq += 1
        future = self._pending[self._seq] = self._loop.create_future()
        self._commands.append(
            Command(
                what,
                self._seq,
                str(activity),
                limits.get("activity_id") or str(self._seq),
                args[0],
                retry,
                _ms(limits.get("schedule_to_start_timeout")),
                _ms(limits.get("schedule_to_close_timeout")),
                _ms(limits.get("start_to_close_timeout")),
                _ms(limits.get("heartbeat_timeout")),
            )
        )
        return self._loop.create_task(self._result(self._seq, future))

    async def _result(self, seq: int, future: asyncio.Future[Any]) -> Any:
        """A cancel asks the server to give it up; the answer comes as a failure."""
        while True:
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                self._commands.append(Command("give up", seq))

    def start_timer(self, delay: float, handle: asyncio.Handle) -> None:
        """A timer of the workflow's loop is one of the server."""
        self._seq += 1
        self._timers[self._seq] = handle
        handle.seq = self._seq  # type: ignore[attr-defined]
        self._commands.append(Command("timer", self._seq, value=round(delay * 1000)))

    def stop_timer(self, seq: int) -> None:
        """It is not waited for any more."""
        if self._timers.pop(seq, None) is not None:
            self._commands.append(Command("stop timer", seq))


# The abstract methods that are left out are what the saga must not ask for without a word here.
OwnSaga.__abstractmethods__ = frozenset()


class _Timer(asyncio.Handle):
    """A handle that tells the server when it is given up."""

    __slots__ = ("saga", "seq")
    saga: OwnSaga
    seq: int

    def cancel(self) -> None:
        """As asyncio has it."""
        super().cancel()
        self.saga.stop_timer(self.seq)


class _SagaLoop(asyncio.AbstractEventLoop):
    """What asyncio needs of a loop inside a workflow."""

    def __init__(self, saga: OwnSaga) -> None:
        self.ready: deque[asyncio.Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []
        self._saga = saga
        _Runtime.set_on_loop(self, saga)

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio has it."""
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """A timer."""
        timer = _Timer(callback, args, self, context)
        timer.saga = self._saga
        self._saga.start_timer(delay, timer)
        return timer

    def time(self) -> float:
        """Virtual seconds."""
        return self._saga.workflow_time_ns() / 1e9

    def create_future(self) -> asyncio.Future[Any]:
        """As asyncio has it."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, **_: Any
    ) -> asyncio.Task[Any]:
        """As asyncio has it."""
        task = asyncio.Task(coro, loop=self, name=name)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught fails the task."""
        said = AssertionError(str(context.get("message")))
        self._saga._failure = context.get("exception") or said

    def get_debug(self) -> bool:
        """Never."""
        return False

    is_closed = get_debug


def _ms(limit: timedelta | None) -> int:
    return 0 if limit is None else limit // MS
