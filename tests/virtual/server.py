"""What the Temporal server and a worker do for one arbitrage, in virtual time.

A crash forgets the instance of the workflow; a restart replays what it was told and expects the
same commands. Timers, retries and time limits outlive it, as they do at a server.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
)

from activities.messages import ArbitrageInput
from store.errors import JournalBusy
from tests.virtual.loop import VirtualLoop
from tests.virtual.saga import Command, Job, OwnSaga
from tests.virtual.tasks import DISPATCH_MS, Scheduled, activity_context, beating
from venues.port import VenueUnreachable
from workflows.snapshot import Snapshot

Activities = Mapping[str, Callable[[Any], Awaitable[Any]]]
Say = Callable[[str], None]
TRANSIENT = (ApplicationError, VenueUnreachable, JournalBusy)
"""What activities raise in the ordinary course of business; anything else is a finding."""


class Broken(AssertionError):
    """An invariant does not hold."""


class Saga(Protocol):
    """An instance of the workflow."""

    def activate(self, now_us: int, job: Job) -> list[Command]:
        """Tell it and run it until it waits."""

    def evict(self) -> None:
        """Forget it."""


NewSaga = Callable[[ArbitrageInput], Saga]


@dataclass(frozen=True, slots=True)
class Told:
    """One activation as history keeps it, and the commands it led to."""

    at_us: int
    job: Job
    commands: tuple[Command, ...]


class Server:
    """One workflow, its history, its timers and its activities."""

    def __init__(
        self,
        loop: VirtualLoop,
        plan: ArbitrageInput,
        activities: Activities,
        say: Say,
        new_saga: NewSaga = OwnSaga,
    ) -> None:
        self.history: list[Told] = []
        self.result: Snapshot | None = None
        self.alive = True
        self.before_task: Callable[[], bool] = lambda: True
        """Asked before each activation; False if the worker died of it."""
        self._loop, self._plan, self._activities, self._say = loop, plan, activities, say
        self._new_saga = new_saga
        self._scheduled: dict[int, Scheduled] = {}
        self._timers: dict[int, Any] = {}
        self._fired: set[int] = set()
        """Timers that are over, of which the workflow has not been told; it may stop them yet."""
        self._missed: list[Job] = []
        self._updates = 0
        self._saga = new_saga(plan)
        # Of its own: what an activity waits for in one world belongs to that world's loop.
        self._within = activity_context()

    # The world's side.

    def start(self) -> None:
        """Begin the workflow."""
        self._deliver(Job("start"))

    def update(self, name: str, argument: object) -> None:
        """A person's word."""
        self._updates += 1
        self._deliver(Job("update", self._updates, name, argument))

    def cancel(self) -> None:
        """Ask the workflow to sell everything and end."""
        self._deliver(Job("cancel"))

    def snapshot(self) -> Snapshot:
        """What a query would answer; our own runtime only."""
        assert isinstance(self._saga, OwnSaga), "expected our own runtime"
        assert self._saga.workflow is not None, "expected a workflow that was started"
        return self._saga.workflow.snapshot()

    def crash(self) -> None:
        """The worker is killed: its memory and everything it was about to do are gone."""
        self.alive = False
        self._saga.evict()
        for scheduled in self._scheduled.values():
            if scheduled.running is not None:
                scheduled.stop()
                beat_ms = scheduled.command.heartbeat_ms
                if beat_ms and not scheduled.local:
                    self._loop.after_ms(beat_ms, self._time_out, scheduled, scheduled.attempt)

    def restart(self, activities: Activities) -> None:
        """Another worker replays the history and goes on."""
        self.alive, self._activities = True, activities
        self._saga = self._new_saga(self._plan)
        for told in self.history:
            found = _summaries(self._saga.activate(told.at_us, told.job))
            expected = _summaries(told.commands)
            if found != expected:
                raise Broken(f"replay differs: expected {expected}, found {found}")
        for scheduled in [one for one in self._scheduled.values() if not one.done]:
            if scheduled.local:
                scheduled.attempt = 0
            if scheduled.local or scheduled.waiting:
                self._loop.after_ms(DISPATCH_MS, self._attempt, scheduled)
        missed, self._missed = self._missed, []
        for job in missed:
            self._deliver(job)

    def close(self) -> None:
        """Let go of every task, so that none is left half done."""
        if self.alive:
            self._saga.evict()
        for scheduled in self._scheduled.values():
            scheduled.close()
            scheduled.stop()
        self._loop.finish()

    # The workflow's side.

    def _deliver(self, job: Job) -> None:
        self._loop.call_soon(self._tell, job)

    def _tell(self, job: Job) -> None:
        if self.result is not None:
            return
        if not self.alive or not self.before_task():
            if not job.local:  # what ran inside the worker died with it
                self._missed.append(job)
            return
        if job.what == "timer":
            if job.seq not in self._fired:
                return  # a word that came first has stopped it
            self._fired.remove(job.seq)
        if job.what in ("result", "failure"):
            self._scheduled[job.seq].close()
        commands = self._saga.activate(self._loop.now_us, job)
        self.history.append(Told(self._loop.now_us, job, tuple(commands)))
        for command in commands:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command.what:
            case "activity" | "local activity":
                self._schedule(command)
            case "give up":
                self._end(self._scheduled[command.seq], CancelledError("Cancelled"))
            case "timer":
                handle = self._loop.after_ms(command.value, self._fire, command.seq)
                self._timers[command.seq] = handle
            case "stop timer":
                if command.seq in self._fired:
                    self._fired.remove(command.seq)
                else:
                    self._timers.pop(command.seq).cancel()
            case "continued":
                self._continue(command.value)
            case "ended":
                self.result = command.value
                self._say(f"workflow ends {command.value.phase} {command.value.status}")
            case "accepted" | "rejected" | "answered":
                self._say(f"word {command.seq} is {command.what}")
            case unknown:
                raise Broken(f"expected a command this server knows, found {unknown}: {command}")

    def _continue(self, plan: ArbitrageInput) -> None:
        """Another run of the workflow, with a new history and what the last one told it."""
        waiting = [one.command for one in self._scheduled.values() if not (one.done or one.local)]
        if waiting or self._timers:
            raise Broken(f"continued as new with {waiting} and {len(self._timers)} timers open")
        self._say("continues as new")
        self._plan, self.history, self._scheduled, self._fired = plan, [], {}, set()
        self._saga.evict()
        self._saga = self._new_saga(plan)
        self._tell(Job("start"))

    def _fire(self, seq: int) -> None:
        self._timers.pop(seq)
        self._fired.add(seq)
        self._deliver(Job("timer", seq))

    # The activities' side.

    def _schedule(self, command: Command) -> None:
        scheduled = self._scheduled[command.seq] = Scheduled(command)
        if not scheduled.local:
            start_ms, close_ms = command.schedule_to_start_ms, command.schedule_to_close_ms
            kinds = TimeoutType.SCHEDULE_TO_START, TimeoutType.SCHEDULE_TO_CLOSE
            for limit_ms, kind in zip((start_ms, close_ms), kinds, strict=True):
                if limit_ms:
                    timer = self._loop.after_ms(limit_ms, self._expire, scheduled, kind)
                    scheduled.timers.append(timer)
        if scheduled.local:
            self._attempt(scheduled)
        else:
            self._loop.after_ms(DISPATCH_MS, self._attempt, scheduled)

    def _attempt(self, scheduled: Scheduled) -> None:
        if scheduled.done or scheduled.running is not None:
            return
        scheduled.waiting = not self.alive
        if scheduled.waiting:
            return
        scheduled.attempt += 1
        attempt, command = scheduled.attempt, scheduled.command
        work: Any = self._activities[command.name](command.value)
        scheduled.running = self._loop.create_task(work, context=self._context(scheduled))
        scheduled.running.add_done_callback(lambda done: self._finished(scheduled, attempt, done))
        if not scheduled.local:
            timer = self._loop.after_ms(
                command.start_to_close_ms, self._time_out, scheduled, attempt
            )
            scheduled.timers.append(timer)

    def _context(self, scheduled: Scheduled) -> Context:
        """What the attempt finds itself in; where the server waits for heartbeats, it hears them
        from the beginning of the attempt."""
        beat_ms = scheduled.command.heartbeat_ms
        if scheduled.local or not beat_ms:
            return self._within.copy()

        def beat(*_: object) -> None:
            scheduled.beat_us = self._loop.now_us

        beat()
        self._loop.after_ms(beat_ms, self._listen, scheduled, scheduled.attempt)
        return beating(self._within, beat)

    def _listen(self, scheduled: Scheduled, attempt: int) -> None:
        """An attempt that has said nothing for too long is given up, as a dead worker's is."""
        if scheduled.done or scheduled.attempt != attempt or scheduled.running is None:
            return
        late_us = scheduled.beat_us + scheduled.command.heartbeat_ms * 1000
        if late_us <= self._loop.now_us:
            self._time_out(scheduled, attempt, TimeoutType.HEARTBEAT)
        else:
            left_ms = -(-(late_us - self._loop.now_us) // 1000)
            self._loop.after_ms(left_ms, self._listen, scheduled, attempt)

    def _finished(self, scheduled: Scheduled, attempt: int, done: Any) -> None:
        if done.cancelled():
            return
        error, command = done.exception(), scheduled.command
        if scheduled.done or scheduled.attempt != attempt or scheduled.running is None:
            return
        scheduled.running = None
        if error is None:
            scheduled.done = not scheduled.local
            self._tell(Job("result", command.seq, value=done.result(), local=scheduled.local))
        elif not isinstance(error, TRANSIENT):
            self._loop.failure = error
        else:
            kind = getattr(error, "type", None) or type(error).__name__
            self._again(scheduled, ApplicationError(str(error), type=kind))

    def _time_out(
        self,
        scheduled: Scheduled,
        attempt: int,
        kind: TimeoutType = TimeoutType.START_TO_CLOSE,
    ) -> None:
        """An attempt did not report in time: its worker is dead, or it is too slow."""
        if not scheduled.done and scheduled.attempt == attempt:
            scheduled.stop()
            self._again(scheduled, _timed_out(kind))

    def _expire(self, scheduled: Scheduled, kind: TimeoutType) -> None:
        if kind is TimeoutType.SCHEDULE_TO_CLOSE or not scheduled.attempt:
            self._end(scheduled, _timed_out(kind))

    def _again(self, scheduled: Scheduled, cause: Exception) -> None:
        if scheduled.spent:
            self._end(scheduled, cause)
        else:
            self._loop.after_ms(scheduled.pause_ms(), self._attempt, scheduled)

    def _end(self, scheduled: Scheduled, cause: Exception) -> None:
        if not scheduled.done:
            scheduled.stop()
            scheduled.done = not scheduled.local
            error = scheduled.error(cause)
            self._deliver(Job("failure", scheduled.command.seq, value=error, local=scheduled.local))


def _timed_out(kind: TimeoutType) -> TimeoutError:
    return TimeoutError(f"activity {kind.name}", type=kind, last_heartbeat_details=[])


def _summaries(commands: Iterable[Command]) -> tuple[str, ...]:
    return tuple(map(str, commands))
