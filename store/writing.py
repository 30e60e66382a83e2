"""The one thread that writes: acts one after another, those an order waits for before the rest."""

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum, auto
from typing import Any, TypeVar

T = TypeVar("T")
_Act = tuple[Future[Any], Callable[[], Any]]


class Turn(IntEnum):
    """Who comes first of those that wait: an order that is admitted or sells what is naked, and
    what stops orders; then an arbitrage that asks the gate; then all else."""

    ORDER = auto()
    GATE = auto()
    USUAL = auto()
    LAST = auto()


class WritingThread:
    """Runs acts by their turn, and those of one turn in the order of their coming."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.PriorityQueue[tuple[int, int, _Act | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, act: Callable[[], T], turn: Turn = Turn.USUAL) -> Future[T]:
        """Have `act` run; its future ends with what it returns or raises."""
        if self._closed:
            raise RuntimeError(f"{self._thread.name} is closed")
        future: Future[T] = Future()
        self._waiting.put((turn, next(self._numbers), (future, act)))
        return future

    def close(self) -> None:
        """Finish everything that waits, then end."""
        if not self._closed:
            self._closed = True
            self._waiting.put((Turn.LAST, next(self._numbers), None))
        self._thread.join()

    def _run(self) -> None:
        while True:
            _, _, waiting = self._waiting.get()
            if waiting is None:
                return
            _finish(*waiting)


def _finish(future: Future[Any], act: Callable[[], Any]) -> None:
    """Run one act unless nobody waits for it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = act()
    except BaseException as problem:  # noqa: BLE001 - whoever waits is told
        future.set_exception(problem)
    else:
        future.set_result(result)
