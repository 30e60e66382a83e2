"""The writing thread: one at a time, what an order waits for first, nothing lost."""

import threading

import pytest

from store.writing import Turn, WritingThread


@pytest.fixture
def thread() -> WritingThread:
    return WritingThread("writing")


def test_an_act_overtakes_those_whose_turn_is_later(thread: WritingThread) -> None:
    done: list[str] = []
    busy = threading.Event()
    thread.submit(busy.wait)
    for name, turn in (
        ("first", Turn.USUAL),
        ("second", Turn.USUAL),
        ("ask", Turn.GATE),
        ("mark", Turn.ORDER),
        ("lease", Turn.ORDER),
    ):
        thread.submit(lambda name=name: done.append(name), turn)  # type: ignore[misc]
    busy.set()
    thread.close()
    assert done == ["mark", "lease", "ask", "first", "second"]


def test_close_finishes_what_waits_and_takes_no_more(thread: WritingThread) -> None:
    last = thread.submit(lambda: "written")
    thread.close()
    assert last.result(timeout=0) == "written"
    with pytest.raises(RuntimeError, match="writing is closed"):
        thread.submit(lambda: "late")


def test_what_an_act_raises_reaches_its_caller_only(thread: WritingThread) -> None:
    def fail() -> None:
        raise ValueError("no room")

    broken, fine = thread.submit(fail), thread.submit(lambda: 7)
    thread.close()
    with pytest.raises(ValueError, match="no room"):
        broken.result(timeout=0)
    assert fine.result(timeout=0) == 7


def test_an_act_whose_caller_is_gone_is_left_out(thread: WritingThread) -> None:
    done: list[str] = []
    busy = threading.Event()
    thread.submit(busy.wait)
    thread.submit(lambda: done.append("nobody waits")).cancel()
    busy.set()
    thread.close()
    assert done == []
