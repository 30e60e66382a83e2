"""A question is given up when its worker stops, and an answer that is there never is."""

import asyncio

import pytest
from temporalio.testing import ActivityEnvironment

from activities.stopping import MOMENT_S, WorkerStops, unless_stopping


async def _answer() -> str:
    await asyncio.sleep(0)
    return "filled"


async def test_an_answer_is_kept() -> None:
    assert await unless_stopping(_answer()) == "filled"
    assert await ActivityEnvironment().run(unless_stopping, _answer()) == "filled"


async def test_what_a_question_raises_is_raised() -> None:
    async def fails() -> str:
        raise ConnectionError("reset")

    with pytest.raises(ConnectionError, match="reset"):
        await ActivityEnvironment().run(unless_stopping, fails())


async def test_a_question_ends_with_its_worker_and_is_asked_again_soon() -> None:
    worker, ended = ActivityEnvironment(), asyncio.Event()

    async def silent() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    asking = asyncio.create_task(worker.run(unless_stopping, silent()))
    await asyncio.sleep(0)
    worker.worker_shutdown()
    with pytest.raises(WorkerStops) as stops:
        await asking
    assert ended.is_set()
    assert not stops.value.non_retryable
    assert stops.value.next_retry_delay is not None


async def test_a_venue_that_answers_is_heard_though_its_worker_stops() -> None:
    worker = ActivityEnvironment()

    async def soon() -> str:
        await asyncio.sleep(MOMENT_S / 5)
        return "filled"

    asking = asyncio.create_task(worker.run(unless_stopping, soon()))
    await asyncio.sleep(0)
    worker.worker_shutdown()
    assert await asking == "filled"


async def test_whoever_waits_for_it_can_still_give_it_up() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ActivityEnvironment().run(unless_stopping, asyncio.Event().wait())
