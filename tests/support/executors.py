"""Whole executors on one account, as `lockstep run` starts them: stopped, killed, started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from app.demo.control import Control
from app.run import sim_environment
from app.temporal import Server
from domain.trade import Phase
from store import run_state
from store.audit import Act
from store.journal import Journal
from store.tables import AlarmRow, ArbitrageRow, IntentRow, SenderLeaseRow
from tests.support.places import place, told
from tests.support.processes import ROOT, Child
from tests.support.trading import CHANGES, SETTLING

PAIRS = ("p01", "p02", "p03", "p04")
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.02
BLINK_SECONDS = 0.1
FREE_SECONDS = 0.2
"""How long the journal's lock may be held by somebody who is not standing still."""


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
        await until(lambda: self.phase(pair) == Phase.HOLDING)
        await self.control.quiet(pair)

    def phase(self, pair: str) -> str | None:
        """Where the trade of this pair is."""

        def read(session: Session) -> str | None:
            rows = select(ArbitrageRow.phase).where(
                ArbitrageRow.pair_id == pair, ArbitrageRow.phase != Phase.REFUSED
            )
            return session.exec(rows).first()

        return self.journal.database.read_here(read)

    def orders(self, pair: str) -> list[IntentRow]:
        """What was written down of this pair's orders."""

        def read(session: Session) -> list[IntentRow]:
            rows = select(IntentRow).join(ArbitrageRow).where(ArbitrageRow.pair_id == pair)
            return list(session.exec(rows).all())

        return self.journal.database.read_here(read)

    def alarms(self, code: str) -> list[AlarmRow]:
        """All of a kind, open or closed."""
        return self.journal.database.read_here(
            lambda s: list(s.exec(select(AlarmRow).where(AlarmRow.code == code)).all())
        )

    async def nothing_was_sent_twice(self) -> None:
        """Both exchanges have every order once, and every cent."""
        for venue, ledger in (await self.control.state()).items():
            assert ledger["duplicates"] == 0, venue
            assert ledger["conserved"] is True, venue

    async def stand_still(self, process: subprocess.Popen[bytes]) -> None:
        """Stop the process outside of a transaction: within one it holds the journal's lock, and
        nobody goes on before it does."""
        while True:
            process.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            asked = self.journal.database.write(lambda s: s.exec(select(SenderLeaseRow)).all())
            writing = asyncio.ensure_future(asked)
            await asyncio.wait({writing}, timeout=FREE_SECONDS)
            if writing.done():
                writing.result()
                return
            process.send_signal(signal.SIGCONT)
            await writing


async def until(holds: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> float:
    """Wait for a condition; how long that took (s). Where this process stood still, so did those
    beside it on the same cores: of such a time no more than a blink counts."""
    took, looked = 0.0, time.monotonic()
    while not holds():
        if took > seconds:
            raise TimeoutError(f"expected it within {seconds} s")
        await asyncio.sleep(LOOK_SECONDS)
        now = time.monotonic()
        took, looked = took + min(now - looked, BLINK_SECONDS), now
    return took


@asynccontextmanager
async def staged(
    market: Child, server: Server, task_queue: str, folder: Path
) -> AsyncIterator[Stage]:
    """A journal with trading enabled, and no executor yet. The journal is where `places` says."""
    where = place(folder / "lockstep-sim.sqlite3")
    environment = await sim_environment(dict(market.ready)) | {
        "LOCKSTEP_MODE": "sim",
        "LOCKSTEP_DATA_DIR": str(folder),
        "LOCKSTEP_TEMPORAL__ADDRESS": server.address,
        "LOCKSTEP_TEMPORAL__TASK_QUEUE": task_queue,
        "LOCKSTEP_TRADE__QUARANTINE_MS": "1500",
        **told(where),
    }
    now_ms = time.time_ns() // 1_000_000
    journal = Journal.open(where, now_ms)
    try:
        saved = await journal.settings.load()
        await journal.settings.update(dict(CHANGES), saved.version, Act("test", "test", now_ms))
        async with Control(market.ready["urls"]["control"]) as control:
            await control.knobs("polymarket", **SETTLING)
            for pair in PAIRS:
                await control.quiet(pair)
            yield Stage(journal, control, environment)
    finally:
        journal.close()


def started(stage: Stage, dies_at: str = "") -> subprocess.Popen[bytes]:
    """A process as `lockstep run` starts it, not ready yet."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.process", "executor"],
        cwd=ROOT,
        env={**os.environ, **stage.environment, "FP": dies_at},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def executor(stage: Stage, dies_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """An executor, once it says that it is ready; it is gone after the block."""
    with executors(stage, 1, dies_at) as (process,):
        yield process


@contextmanager
def executors(
    stage: Stage, number: int, dies_at: str = ""
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many executors, started at the same time and all of them ready."""
    processes = [started(stage, dies_at) for _ in range(number)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert b"ready" in process.stdout.readline()
        yield list(processes)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
