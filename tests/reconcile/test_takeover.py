"""Whole executors on one account: one sends, the others stand by and take over."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from domain.trade import Phase
from domain.venue import Mode, Venue
from store.adoptions import unfinished
from store.audit import Act
from store.kill_file import KillFile
from tests.support.executors import PAIRS, Stage, executor, executors, until
from workflows.names import workflow_id

TAKEOVER_SECONDS = 3.0
ADOPTION_SECONDS = 5.0
ON_THE_WAY_MS = 1_500
"""For so long an exchange keeps its answer: who sent the order dies before."""
MOMENTS = ("P6/polymarket/entry:1", "P7/kalshi/entry:1", "P10/polymarket/entry:1")
"""Written down, about to be sent, answered and not written down: see `store.failpoints`."""


async def test_who_stands_by_takes_over_and_who_comes_back_stands_by(stage: Stage) -> None:
    with ExitStack() as running:
        first = running.enter_context(executor(stage))
        await until(lambda: stage.held_by(first))
        second = running.enter_context(executor(stage))
        await stage.trade("p01")
        assert stage.held_by(first)

        await stage.stand_still(first)
        took = await until(lambda: stage.held_by(second))
        assert took < TAKEOVER_SECONDS
        first.send_signal(signal.SIGCONT)
        await stage.trade("p02")
        assert stage.held_by(second)
        assert {epoch for _, epoch, _ in stage.leases()} == {2}
    await stage.nothing_was_sent_twice()


@pytest.mark.timeout(180)
async def test_whenever_a_sender_dies_its_trade_and_its_opportunities_go_on_elsewhere(
    stage: Stage,
) -> None:
    with ExitStack() as running:
        sender = running.enter_context(executor(stage, MOMENTS[0]))
        await until(lambda: stage.held_by(sender))
        for pair, next_moment in zip(PAIRS, (*MOMENTS[1:], ""), strict=False):
            spare = running.enter_context(executor(stage, next_moment))
            await _dies_trading(stage, pair, sender, spare)
            sender = spare
        await stage.trade(PAIRS[-1])
    await stage.nothing_was_sent_twice()


@pytest.mark.timeout(180)
async def test_of_four_executors_the_sender_dies_twice_in_a_row(stage: Stage) -> None:
    """The first with both orders of a trade on their way, the second as soon as it sends."""
    with executors(stage, 4) as running:
        await stage.trade("p01")
        before = max(epoch for _, epoch, _ in stage.leases())
        for venue in Venue:
            await stage.control.fault(venue, "p02", "buy", "hang", params={"ms": ON_THE_WAY_MS})
        await stage.control.edge("p02", 8)
        await until(lambda: len(stage.orders("p02")) == 2)
        await until(lambda: all(one.sent_ms for one in stage.orders("p02")))
        for _ in range(2):
            (sender,) = [one for one in running if stage.held_by(one)]
            sender.kill()
            sender.wait()
            running.remove(sender)
            took = await until(lambda: any(stage.held_by(one) for one in running))
            assert took < TAKEOVER_SECONDS
        assert min(epoch for _, epoch, _ in stage.leases()) >= before + 2
        await until(lambda: stage.phase("p02") == Phase.HOLDING)
        await stage.trade("p03")
        assert not any(one.poll() is not None for one in running)
    await stage.nothing_was_sent_twice()


async def test_who_is_asked_to_stop_hands_over_at_once(stage: Stage) -> None:
    with ExitStack() as running:
        first = running.enter_context(executor(stage))
        await until(lambda: stage.held_by(first))
        second = running.enter_context(executor(stage))
        first.send_signal(signal.SIGTERM)
        await until(lambda: first.poll() is not None)
        assert first.returncode == 0
        await until(lambda: stage.held_by(second), TAKEOVER_SECONDS)
        await stage.trade("p03")
    await stage.nothing_was_sent_twice()


async def test_a_kill_file_stops_entries_and_its_halt_outlives_it(
    stage: Stage, tmp_path: Path
) -> None:
    file = KillFile(tmp_path)
    with executor(stage) as running:
        await until(lambda: stage.held_by(running))
        await stage.trade("p01")
        file.put("enough")
        await until(stage.halted, TAKEOVER_SECONDS)
        file.remove()
        before = await stage.control.state()
        await stage.control.edge("p02", 8)
        await asyncio.sleep(1)  # what must not happen has no event to wait for
        after = await stage.control.state()
        assert _orders(after) == _orders(before)
        now_ms = time.time_ns() // 1_000_000
        await stage.journal.resume(Act("ann", "test", now_ms))
        await stage.trade("p02")
    await stage.nothing_was_sent_twice()


async def test_a_terminated_workflow_is_adopted_within_five_seconds(
    stage: Stage, temporal_client: Client
) -> None:
    with executor(stage) as running:
        await until(lambda: stage.held_by(running))
        await stage.trade("p01")
        (carried,) = stage.journal.database.read_here(lambda s: unfinished(s, Mode.SIM))
        await temporal_client.get_workflow_handle(carried.arb_id).terminate()

        began = time.monotonic()
        successor = temporal_client.get_workflow_handle(workflow_id(carried.arb_id, 1))
        while not await _runs(successor):
            assert time.monotonic() - began < ADOPTION_SECONDS
            await asyncio.sleep(0.05)
        (one,) = stage.journal.database.read_here(lambda s: unfinished(s, Mode.SIM))
        assert one.adopted == 1
    await stage.nothing_was_sent_twice()


async def _dies_trading(
    stage: Stage,
    pair: str,
    sender: subprocess.Popen[bytes],
    spare: subprocess.Popen[bytes],
) -> None:
    """The sender takes an edge and is killed in it; who stands by brings the trade to rest."""
    await stage.control.edge(pair, 8)
    await until(lambda: sender.poll() is not None)
    assert sender.returncode == -signal.SIGKILL
    assert await until(lambda: stage.held_by(spare)) < TAKEOVER_SECONDS
    await stage.control.quiet(pair)
    rests = (Phase.HOLDING, Phase.FLAT)
    await until(lambda: stage.phase(pair) in rests)


def _orders(state: Mapping[str, Any]) -> dict[str, int]:
    return {venue: len(ledger["orders"]) for venue, ledger in state.items()}


async def _runs(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except RPCError:
        return False
