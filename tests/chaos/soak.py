"""`python -m tests.chaos.soak`: a system trades for a long time in a venue's everyday trouble, its
executor gets SIGKILL every other minute, and the judge of the campaign reads the books at the end.

Beside what the judge finds, an executor that opens more and more files is a violation, and so is
one that does not trade again. The report is one JSON object on stdout.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import httpx
from temporalio.service import RPCError

from app.demo.freeplay import TROUBLES
from app.run import end_on_sigterm
from store.journal import Journal
from tests.chaos.campaign import SETTINGS, Result, conclude, tell_stderr
from tests.chaos.cases import Case, Kind
from tests.chaos.stack import Stack, now_ms
from tests.chaos.start import running
from tests.chaos.trader import CENTS, FAIR, REST_S, Trader
from tests.support.vitals import TOLD, descriptors, resident_kb, slope

LANES = 4
PAIRS = 200
RESTING_S = 65.0
"""A pair is traded again later than its cool-down after a trade that failed."""
AGAIN_S = 60.0
"""How long after a restart the next trade may take to begin, on a machine that is busy."""
LOOK_S = 5.0
WARM_S = 20.0
"""What a process opens and keeps after its start is no leak."""
DESCRIPTORS_MAX = 12
"""By how many open files two halves of a life may differ: connections of four trades at once."""
OF_A_CAMPAIGN = ("cases", "points_hit", "points_missed", "never", "resolving_ms", "adopted_ms")
"""What a report says of places and of cases that a soak does not play."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a process took: seconds since the soak began, trades begun by then."""

    at_s: float
    trades: int
    descriptors: int
    resident_kb: int


@dataclass
class Life:
    """One process from its start to its end."""

    pid: int
    began_s: float
    looks: list[Look] = field(default_factory=list)

    @property
    def warm(self) -> list[Look]:
        """The looks after its beginning."""
        return [look for look in self.looks if look.at_s - self.began_s >= WARM_S]

    def descriptors_gained(self) -> int | None:
        """The most that were open in its second half less those of the first; None if short."""
        half, found = len(self.warm) // 2, [look.descriptors for look in self.warm]
        return max(found[half:]) - max(found[:half]) if half else None

    def kb_a_minute(self) -> float | None:
        """The slope of its memory by time."""
        return slope([(look.at_s / 60, look.resident_kb) for look in self.warm])

    def kb_a_trade(self) -> float | None:
        """The slope of its memory by trades begun."""
        return slope([(look.trades, look.resident_kb) for look in self.warm])


@dataclass
class Soak:
    """One run: what is traded on, until when, and what was seen on the way."""

    trader: Trader
    until: float
    rng: Random
    began: float = field(default_factory=time.monotonic)
    trades: int = 0
    passed_over: int = 0
    violations: list[str] = field(default_factory=list)
    restarts_ms: list[int] = field(default_factory=list)
    lives: dict[str, list[Life]] = field(default_factory=dict)

    @property
    def stack(self) -> Stack:
        """The running system."""
        return self.trader.stack

    async def trade(self, pairs: Sequence[str]) -> None:
        """Trade these pairs in turn, one at a time, each from its edge to its close."""
        traded = dict.fromkeys(pairs, 0.0)
        while time.monotonic() < self.until:
            pair = min(traded, key=lambda one: traded[one])
            rest = traded[pair] + RESTING_S - time.monotonic() if traded[pair] else 0
            await asyncio.sleep(max(rest, 0))
            try:
                await self._round(pair)
            except (TimeoutError, httpx.HTTPError, RPCError) as late:
                self.violations.append(f"{pair}: did not come to rest: {late}")
            traded[pair] = time.monotonic()

    async def _round(self, pair: str) -> None:
        trader, before = self.trader, len(await self.trader.rows(pair))
        await trader.control.edge(pair, CENTS, FAIR)
        try:
            await trader.until(pair, lambda rows: len(rows) > before, REST_S)
        except TimeoutError:
            # Its cool-down counts from its end, which a restart may have put off.
            self.passed_over += 1
        else:
            self.trades += 1
            await trader.at_rest(pair)
        await trader.control.quiet(pair)
        for row in await trader.rows(pair):
            if row["phase"] == "HOLDING":
                await trader.finish(Case(Kind.CLOSE), pair, row["id"], self.rng)
        await trader.until(pair, lambda rows: all(row["closed_ms"] for row in rows), REST_S)

    async def restart(self, every_s: float) -> None:
        """SIGKILL the executor again and again."""
        while time.monotonic() + every_s < self.until:
            await asyncio.sleep(every_s)
            await self.stack.kill()
            self.restarts_ms.append(now_ms())

    async def look(self) -> None:
        """Until cancelled: what the processes take."""
        while True:
            stack = self.stack
            for name, pid in (
                ("executor", stack.executor.pid),
                ("api", stack.api.pid),
                ("temporal", stack.server.pid),
            ):
                if pid is not None:
                    self._note(name, pid)
            await asyncio.sleep(LOOK_S)

    def _note(self, name: str, pid: int) -> None:
        at_s = time.monotonic() - self.began
        lives = self.lives.setdefault(name, [])
        if not lives or lives[-1].pid != pid:
            lives.append(Life(pid, at_s))
        try:
            lives[-1].looks.append(Look(at_s, self.trades, descriptors(pid), resident_kb(pid)))
        except (FileNotFoundError, ProcessLookupError):
            return  # it was killed meanwhile

    def vitals(self) -> dict[str, object]:
        """Open files and memory of every process, by its lives."""
        return {name: _summed_up(lives) for name, lives in self.lives.items()}

    async def judge(self) -> None:
        """What only a soak looks at."""
        gained = [one.descriptors_gained() for one in self.lives.get("executor", [])]
        known = [number for number in gained if number is not None]
        if known and median(known) > DESCRIPTORS_MAX:
            self.violations.append(f"executor: open files grow within a life, by {known}")
        opened = [row["opened_ms"] for row in (await self.stack.world()).rows("arbitrages")]
        for back_ms in self.restarts_ms:
            if not any(back_ms <= at_ms <= back_ms + AGAIN_S * 1000 for at_ms in opened):
                self.violations.append(f"no trade began within {AGAIN_S:.0f} s after a restart")


def _summed_up(lives: Sequence[Life]) -> dict[str, object]:
    warm = [one for one in lives if one.warm]
    return {
        "lives": len(lives),
        "descriptors_max": [max(look.descriptors for look in one.warm) for one in warm],
        "descriptors_gained": [one.descriptors_gained() for one in warm],
        "descriptors_gained_max": DESCRIPTORS_MAX,
        "rss_kb_at_end": [one.warm[-1].resident_kb for one in warm],
        "rss_kb_a_minute": _middle(one.kb_a_minute() for one in warm),
        "rss_kb_a_trade": _middle(one.kb_a_trade() for one in warm),
    }


def _middle(slopes: Iterable[float | None]) -> float | None:
    """The median over all lives that have one."""
    found = [one for one in slopes if one is not None]
    return round(median(found), 1) if found else None


async def soak(
    seed: int, minutes: float, every_s: float, keep: Path | None = None
) -> tuple[Result, dict[str, object]]:
    """Trade for so long, then peace, then the judge. `keep` is a folder for what was written."""
    end_on_sigterm()
    result, began = Result(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockstep-soak-") as folder:
        async with running(keep or Path(folder), seed, PAIRS, told=False) as stack:
            journal = await asyncio.to_thread(Journal.open, stack.database, now_ms())
            try:
                trader = Trader(stack, journal)
                await trader.operator.save(**SETTINGS)
                played = Soak(trader, time.monotonic() + minutes * 60, Random(f"soak-{seed}"))
                await _play(played, every_s)
            finally:
                journal.close()
            await played.judge()
            result.violations += played.violations
            await conclude(result, stack, {})
    result.sometimes["executor_killed"] += len(played.restarts_ms)
    result.cases, result.seconds = played.trades, time.monotonic() - began
    return result, {
        "minutes": minutes,
        "trades": played.trades,
        "passed_over": played.passed_over,
        "lanes": LANES,
        "restarts": len(played.restarts_ms),
        "seconds_between_restarts": every_s,
        "processes": played.vitals(),
    }


async def _play(soak: Soak, every_s: float) -> None:
    control, pairs = soak.stack.control, list(soak.stack.pairs)
    for venue, action, do, probability in TROUBLES:
        await control.fault(venue, "*", action, do, times=0, probability=probability)
    looking = asyncio.create_task(soak.look())
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(soak.restart(every_s))
            for lane in range(LANES):
                group.create_task(soak.trade(pairs[lane::LANES]))
    finally:
        looking.cancel()
    tell_stderr(f"{soak.trades} trades, {len(soak.restarts_ms)} restarts; judging")
    await control.clear_faults()


def main(argv: Sequence[str] | None = None) -> int:
    """0 without a violation, 1 with one."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--every", type=float, default=120, help="seconds between two SIGKILLs")
    parser.add_argument("--keep", type=Path, default=None, help="keep what the system wrote")
    given = parser.parse_args(argv)
    if not TOLD:
        parser.error("expected Linux: open files and memory are read from /proc")
    result, told = asyncio.run(soak(given.seed, given.minutes, given.every, given.keep))
    report = {name: found for name, found in result.as_json().items() if name not in OF_A_CAMPAIGN}
    sys.stdout.write(json.dumps({**report, "soak": told}, indent=2) + "\n")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
