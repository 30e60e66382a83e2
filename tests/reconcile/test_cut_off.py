"""A sender that Temporal does not answer: another one that it answers takes over, if there is one.

Only the way to Temporal is cut: journal and venues answer everybody.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from app.precedence import CUT_OFF_SECONDS
from app.reach import ALARM_SECONDS, ASK_SECONDS
from app.temporal import Server
from domain.trade import Phase
from store.lease import LEASE_MS
from tests.support.executors import Stage, executor, executors, until
from tests.support.way import Way, opened

LATE_SECONDS = 6.0
"""Until it is noticed, and what a busy machine is late by."""
GIVEN_UP_SECONDS = CUT_OFF_SECONDS + LEASE_MS / 1_000 + LATE_SECONDS
SOLD_SECONDS = 20.0
PATIENT = {
    "LOCKSTEP_TRADE__UNWIND_ATTEMPTS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "500",
}
"""No person is called while the sales are refused."""


@pytest.fixture
def way(temporal_server: Server) -> Iterator[Way]:
    """A way to Temporal that can be cut."""
    with opened(temporal_server.address) as there:
        yield there


def behind(stage: Stage, way: Way) -> Stage:
    """The same account for an executor that gets to Temporal by this way."""
    told = {**stage.environment, **PATIENT, "LOCKSTEP_TEMPORAL__ADDRESS": way.address}
    return replace(stage, environment=told)


@pytest.mark.timeout(180)
async def test_a_naked_leg_of_a_sender_that_is_cut_off_is_sold_by_another(
    stage: Stage, way: Way
) -> None:
    control = stage.control
    with ExitStack() as running:
        first = running.enter_context(executor(behind(stage, way)))
        await until(lambda: stage.held_by(first))
        spare = replace(stage, environment={**stage.environment, **PATIENT})
        second = running.enter_context(executor(spare))
        await asyncio.sleep(LATE_SECONDS)  # Temporal has answered it for a while
        await control.fault("kalshi", "p01", "buy", "kill", times=0)
        await control.fault("polymarket", "p01", "sell", "sell_refused", times=0)
        await control.edge("p01", 8)
        await until(lambda: stage.phase("p01") == Phase.UNWINDING)
        way.cut()
        await control.quiet("p01")
        await until(lambda: stage.alarms("TEMPORAL_DOWN"), ALARM_SECONDS + LATE_SECONDS)
        await until(lambda: stage.held_by(second), GIVEN_UP_SECONDS)
        await control.clear_faults()
        await until(lambda: stage.phase("p01") == Phase.FLAT, SOLD_SECONDS)
        await _closed(stage)
        await stage.trade("p02")
        assert stage.held_by(second)

        way.mend()
        await asyncio.sleep(2 * ASK_SECONDS)
        await stage.trade("p03")
        assert stage.held_by(second)
        assert [one.poll() for one in (first, second)] == [None, None]
        second.kill()
        second.wait()
        await until(lambda: stage.held_by(first), LATE_SECONDS)
        await stage.trade("p04")
    await stage.nothing_was_sent_twice()


@pytest.mark.timeout(180)
async def test_where_temporal_answers_nobody_the_sender_stays(stage: Stage, way: Way) -> None:
    with executors(behind(stage, way), 2) as running:
        await until(lambda: any(stage.held_by(one) for one in running))
        await stage.trade("p01")
        first, second = sorted(running, key=stage.held_by, reverse=True)
        epochs = [epoch for _, epoch, _ in stage.leases()]
        way.cut()
        await until(lambda: stage.alarms("TEMPORAL_DOWN"), ALARM_SECONDS + LATE_SECONDS)
        await asyncio.sleep(GIVEN_UP_SECONDS - ALARM_SECONDS)
        assert stage.held_by(first)
        way.mend()
        await _closed(stage)
        await stage.trade("p02")
        assert stage.held_by(first)
        assert [epoch for _, epoch, _ in stage.leases()] == epochs
        assert _alive(first, second)
    (alarm,) = stage.alarms("TEMPORAL_DOWN")
    assert alarm.repeats == 0
    await stage.nothing_was_sent_twice()


async def _closed(stage: Stage) -> None:
    """Until the one alarm of it is over."""
    await until(lambda: [one.closed_ms is None for one in stage.alarms("TEMPORAL_DOWN")] == [False])


def _alive(*processes: subprocess.Popen[bytes]) -> bool:
    return all(one.poll() is None for one in processes)
