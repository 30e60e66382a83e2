"""Two whole executors on one account: one sends, the other stands by and takes over."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from app.demo.control import Control
from app.run import sim_environment
from app.temporal import Server
from domain.trade import Phase
from domain.venue import Mode
from store import run_state
from store.adoptions import unfinished
from store.audit import Act
from store.journal import Journal
from store.kill_file import KillFile
from store.tables import ArbitrageRow, SenderLeaseRow
from tests.support.driver import sqlite3
from tests.support.places import file_of
from tests.support.processes import ROOT, Child, run_sim
from tests.support.trading import CHANGES, SETTLING
from workflows.names import workflow_id

TAKEOVER_SECONDS = 3.0
ADOPTION_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
PAIRS = ("p01", "p02", "p03", "p04")
MOMENTS = ("P6/polymarket/entry:1", "P7/kalshi/entry:1", "P10/polymarket/entry:1")
"""Written down, about to be sent, answered and not written down: see `store.failpoints`."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One account with its journal, its exchanges and what an executor is told."""

    journal: Journal
    control: Control
    environment: Mapping[str, str]

    def leases(self) -> list[tuple[str, int, bool]]:
        """(holder, epoch, whether it is in force) of each account."""

        def read(session: Session) -> list[tuple[str, int, bool]]:
            now_ms = time.time_ns() // 1_000_000
            rows = session.exec(select(SenderLeaseRow)).all()
            return [(row.holder, row.epoch, row.expires_ms > now_ms) for row in rows]

        return self.journal.database.read_here(read)

    def held_by(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this process holds both accounts."""
        leases = self.leases()
        ours = [held and who.endswith(f"-{process.pid}") for who, _, held in leases]
        return len(ours) == 2 and all(ours)

    def halted(self) -> bool:
        """Whether the journal's latch is set."""
        return self.journal.database.read_here(run_state.read).halted

    async def trade(self, pair: str) -> None:
        """Open an edge and wait until the pair is held."""
        await self.control.edge(pair, 8)
        await until(lambda: self.phase(pair) == Phase.HOLDING, PATIENCE_SECONDS)
        await self.control.quiet(pair)

    def phase(self, pair: str) -> str | None:
        """Where the trade of this pair is."""

        def read(session: Session) -> str | None:
            rows = select(ArbitrageRow.phase).where(
                ArbitrageRow.pair_id == pair, ArbitrageRow.phase != Phase.REFUSED
            )
            return session.exec(rows).first()

        return self.journal.database.read_here(read)


async def until(holds: Any, seconds: float) -> float:
    """Wait for a condition; how long that took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"expected it within {seconds} s")
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def market() -> Iterator[Child]:
    """Exchanges of this test's own: nobody quotes on them but the test."""
    with run_sim("--seed", "5", "--pairs", str(len(PAIRS))) as child:
        yield child


@pytest.fixture
async def stage(
    market: Child, temporal_server: Server, task_queue: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    """A journal with trading enabled, and no executor yet."""
    environment = await sim_environment(dict(market.ready)) | {
        "LOCKSTEP_MODE": "sim",
        "LOCKSTEP_DATA_DIR": str(tmp_path),
        "LOCKSTEP_TEMPORAL__ADDRESS": temporal_server.address,
        "LOCKSTEP_TEMPORAL__TASK_QUEUE": task_queue,
        "LOCKSTEP_TRADE__QUARANTINE_MS": "1500",
    }
    now_ms = time.time_ns() // 1_000_000
    journal = Journal.open(tmp_path / "lockstep-sim.sqlite3", now_ms)
    saved = await journal.settings.load()
    await journal.settings.update(dict(CHANGES), saved.version, Act("test", "test", now_ms))
    async with Control(market.ready["urls"]["control"]) as control:
        await control.knobs("polymarket", **SETTLING)
        for pair in PAIRS:
            await control.quiet(pair)
        yield Stage(journal, control, environment)
    journal.close()


@contextmanager
def executor(stage: Stage, dies_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process as `lockstep run` starts it, once it says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.process", "executor"],
        cwd=ROOT,
        env={**os.environ, **stage.environment, "FP": dies_at},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert b"ready" in process.stdout.readline()
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()


async def test_who_stands_by_takes_over_and_who_comes_back_stands_by(stage: Stage) -> None:
    with ExitStack() as running:
        first = running.enter_context(executor(stage))
        await until(lambda: stage.held_by(first), PATIENCE_SECONDS)
        second = running.enter_context(executor(stage))
        await stage.trade("p01")
        assert stage.held_by(first)

        await _stand_still(stage, first)
        took = await until(lambda: stage.held_by(second), PATIENCE_SECONDS)
        assert took < TAKEOVER_SECONDS
        first.send_signal(signal.SIGCONT)
        await stage.trade("p02")
        assert stage.held_by(second)
        assert {epoch for _, epoch, _ in stage.leases()} == {2}
    await _nothing_was_sent_twice(stage)


@pytest.mark.timeout(180)
async def test_whenever_a_sender_dies_its_trade_and_its_opportunities_go_on_elsewhere(
    stage: Stage,
) -> None:
    with ExitStack() as running:
        sender = running.enter_context(executor(stage, MOMENTS[0]))
        await until(lambda: stage.held_by(sender), PATIENCE_SECONDS)
        for pair, next_moment in zip(PAIRS, (*MOMENTS[1:], ""), strict=False):
            spare = running.enter_context(executor(stage, next_moment))
            await _dies_trading(stage, pair, sender, spare)
            sender = spare
        await stage.trade(PAIRS[-1])
    await _nothing_was_sent_twice(stage)


async def test_who_is_asked_to_stop_hands_over_at_once(stage: Stage) -> None:
    with ExitStack() as running:
        first = running.enter_context(executor(stage))
        await until(lambda: stage.held_by(first), PATIENCE_SECONDS)
        second = running.enter_context(executor(stage))
        first.send_signal(signal.SIGTERM)
        await until(lambda: first.poll() is not None, PATIENCE_SECONDS)
        assert first.returncode == 0
        await until(lambda: stage.held_by(second), TAKEOVER_SECONDS)
        await stage.trade("p03")
    await _nothing_was_sent_twice(stage)


async def test_a_kill_file_stops_entries_and_its_halt_outlives_it(
    stage: Stage, tmp_path: Path
) -> None:
    file = KillFile(tmp_path)
    with executor(stage) as running:
        await until(lambda: stage.held_by(running), PATIENCE_SECONDS)
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
    await _nothing_was_sent_twice(stage)


async def test_a_terminated_workflow_is_adopted_within_five_seconds(
    stage: Stage, temporal_client: Client
) -> None:
    with executor(stage) as running:
        await until(lambda: stage.held_by(running), PATIENCE_SECONDS)
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
    await _nothing_was_sent_twice(stage)


async def _stand_still(stage: Stage, process: subprocess.Popen[bytes]) -> None:
    """Stop the process outside of a transaction: within one it holds the lock of the journal's
    file, and nobody goes on before it does."""
    path = file_of(stage.journal.database.place)
    while True:
        process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        other = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.05)
        else:
            return
        finally:
            other.close()


async def _dies_trading(
    stage: Stage,
    pair: str,
    sender: subprocess.Popen[bytes],
    spare: subprocess.Popen[bytes],
) -> None:
    """The sender takes an edge and is killed in it; who stands by brings the trade to rest."""
    await stage.control.edge(pair, 8)
    await until(lambda: sender.poll() is not None, PATIENCE_SECONDS)
    assert sender.returncode == -signal.SIGKILL
    assert await until(lambda: stage.held_by(spare), PATIENCE_SECONDS) < TAKEOVER_SECONDS
    await stage.control.quiet(pair)
    rests = (Phase.HOLDING, Phase.FLAT)
    await until(lambda: stage.phase(pair) in rests, PATIENCE_SECONDS)


async def _nothing_was_sent_twice(stage: Stage) -> None:
    for venue, ledger in (await stage.control.state()).items():
        assert ledger["duplicates"] == 0, venue
        assert ledger["conserved"] is True, venue


def _orders(state: Mapping[str, Any]) -> dict[str, int]:
    return {venue: len(ledger["orders"]) for venue, ledger in state.items()}


async def _runs(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except RPCError:
        return False
