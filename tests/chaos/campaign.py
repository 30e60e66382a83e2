"""A campaign: cases one after another on running systems, then peace, then the judge."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random

import httpx
from temporalio.service import RPCError

from store.journal import Journal
from tests.chaos.around import Around
from tests.chaos.cases import ELSEWHERE, Case, Kind, Wrong
from tests.chaos.sometimes import SOMETIMES, seen_in
from tests.chaos.stack import Stack, now_ms
from tests.chaos.start import running
from tests.chaos.trader import Trader
from tests.oracle.checks import CHECKS, Violation
from tests.oracle.figures import drift, duplicates, times_to_alarm, times_to_even
from tests.oracle.world import World

CASES_PER_STACK = 120
CONTENDERS = 3
FLAT_MS = {"kalshi": 2_000, "polymarket": 60_000}
QUIET_S = 90.0
MOVING = ("Q1_ended", "Q6_workflows", "Q8_told", "Q9_unknown_is_loud", "Q10_one_answer")
"""What does not hold yet while things still move."""
SETTINGS = {
    "enabled": True,
    "max_bet": "20",
    "max_daily_trades": 10_000,
    "max_daily_loss": "10000",
}
STRIKES_EXECUTOR = frozenset(Kind) - {kind for kind, _ in ELSEWHERE}
Tell = Callable[[str], None]


@dataclass
class Result:
    """What a campaign found. `violations` name case and seed."""

    seed: int
    cases: int = 0
    violations: list[str] = field(default_factory=list)
    points_hit: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)
    duplicate_orders: int = 0
    drift_usd: Fraction = Fraction(0)
    to_even_ms: dict[str, list[int]] = field(default_factory=dict)
    alarms: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0

    def as_json(self) -> dict[str, object]:
        """The report; `never` lists what a long campaign must have seen and this one did not."""
        everything = [ms for times in self.to_even_ms.values() for ms in times]
        return {
            "schema_version": 1,
            "seed": self.seed,
            "cases": self.cases,
            "violations": self.violations,
            "points_hit": dict(sorted(self.points_hit.items())),
            "points_missed": self.missed,
            "sometimes": {name: self.sometimes[name] for name in SOMETIMES},
            "never": [name for name in SOMETIMES if not self.sometimes[name]],
            "duplicate_orders": self.duplicate_orders,
            "ledger_drift_usd": f"{float(self.drift_usd):.6f}" if self.drift_usd else "0",
            "time_to_flat_ms": {
                **percentiles(everything),
                **{venue: percentiles(times) for venue, times in sorted(self.to_even_ms.items())},
            },
            "resolving_ms": {
                "by_another_executor": percentiles(self.times.get("taken_over", [])),
                "while_the_sender_stands_still": percentiles(self.times.get("stood_still", [])),
                "after_a_restart": percentiles(self.times.get("restarted", [])),
            },
            "adopted_ms": percentiles(self.times.get("adopted", [])),
            "alarm_ms": percentiles(self.times.get("alarm", [])),
            "stop_acknowledged_ms": percentiles(self.times.get("stopped", [])),
            "targets_missed": list(self.targets_missed()),
            "alarms": dict(sorted(self.alarms.items())),
            "seconds": round(self.seconds, 1),
        }

    def targets_missed(self) -> Iterator[str]:
        """Figures beyond what was aimed at. A busy machine misses them; no promise is broken."""
        for name, (limit_ms, times) in {
            "time_to_flat_ms.kalshi": (FLAT_MS["kalshi"], self.to_even_ms.get("kalshi", [])),
            "time_to_flat_ms.polymarket": (
                FLAT_MS["polymarket"],
                self.to_even_ms.get("polymarket", []),
            ),
            "resolving_ms.by_another_executor": (3_000, self.times.get("taken_over", [])),
            "resolving_ms.while_the_sender_stands_still": (
                10_000,
                self.times.get("stood_still", []),
            ),
            "resolving_ms.after_a_restart": (10_000, self.times.get("restarted", [])),
            "adopted_ms": (5_000, self.times.get("adopted", [])),
            "stop_acknowledged_ms": (1_000, self.times.get("stopped", [])),
            "alarm_ms": (5_000, self.times.get("alarm", [])),
        }.items():
            found = percentiles(times)["p99"]
            if found is not None and found > limit_ms:
                yield f"{name}: p99 {found}, expected at most {limit_ms}"


def percentiles(times: Sequence[int]) -> dict[str, int | None]:
    """The nearest-rank p50 and p99 and how many there were."""
    ordered = sorted(times)

    def rank(percent: int) -> int | None:
        return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None

    return {"p50": rank(50), "p99": rank(99), "count": len(ordered)}


async def run_campaign(
    seed: int, cases: Sequence[Case], tell: Tell, folder: Path | None = None
) -> Result:
    """Play all cases, a fresh system for every CASES_PER_STACK of them. `folder` keeps what the
    last system wrote."""
    result = Result(seed)
    began = time.monotonic()
    for number in range(0, len(cases), CASES_PER_STACK):
        part = cases[number : number + CASES_PER_STACK]
        async with AsyncExitStack() as stack:
            if folder is None:
                name = tempfile.TemporaryDirectory(prefix="lockstep-chaos-")
                home = Path(stack.enter_context(name))
            else:
                home = folder / str(number)
            await _play_part(result, home, part, number, tell)
    result.seconds = time.monotonic() - began
    return result


async def _play_part(
    result: Result, folder: Path, cases: Sequence[Case], first: int, tell: Tell
) -> None:
    pairs_needed = sum(CONTENDERS if case.kind is Kind.LIMIT else 1 for case in cases)
    async with running(folder, result.seed, pairs_needed) as stack:
        journal = await asyncio.to_thread(Journal.open, stack.database, now_ms())
        try:
            trader = Trader(stack, journal)
            await trader.operator.save(**SETTINGS)
            case_of = await _play_cases(result, stack, Around(trader), cases, first, tell)
        finally:
            journal.close()
        await conclude(result, stack, case_of)


async def conclude(result: Result, stack: Stack, case_of: Mapping[str, str]) -> None:
    """Once nothing moves: judge what a system did, and add up what was seen and measured."""
    world = await _quiet_world(stack)
    _judge(result, world, case_of)
    result.sometimes.update(seen_in(world))
    stopped = [stop.told_ms - stop.asked_ms for stop in stack.stops]
    result.times.setdefault("stopped", []).extend(stopped)
    for proxy in stack.proxies.values():
        result.sometimes.update({f"network_{name}": n for name, n in proxy.hits.items()})
    result.sometimes["temporal_restarted"] += stack.temporal_restarts
    result.sometimes["temporal_lost"] += stack.temporal_losses
    result.sometimes["notifier_killed"] += stack.notifier_restarts
    result.sometimes["executor_took_over"] += stack.takeovers
    for name, times in asdict(stack.times).items():
        result.times.setdefault(name, []).extend(times)
    result.times.setdefault("alarm", []).extend(times_to_alarm(world))
    result.sometimes["executor_restarted"] += stack.executor_restarts


async def _play_cases(
    result: Result,
    stack: Stack,
    player: Around,
    cases: Sequence[Case],
    first: int,
    tell: Tell,
) -> dict[str, str]:
    """Play each on pairs of its own; returns the case of every pair."""
    spare = list(stack.pairs)
    case_of: dict[str, str] = {}
    for number, case in enumerate(cases, start=first):
        taken = CONTENDERS if case.kind is Kind.LIMIT else 1
        pairs, spare = spare[:taken], spare[taken:]
        name = f"seed {result.seed} case {number} {case.name}"
        case_of |= dict.fromkeys(pairs, name)
        rng = Random(f"{result.seed}-{number}-{case.name}")
        began = time.monotonic()
        try:
            hit = await player.play(case, pairs, rng)
        except Wrong as wrong:
            result.violations.append(f"{name}: {wrong}")
            hit = False
        except (TimeoutError, httpx.HTTPError, RPCError) as late:
            result.violations.append(f"{name}: did not come to rest: {late}")
            hit = False
        stack.heal()
        result.cases += 1
        if case.point:
            how = "stop" if case.stop else "kill"
            place = f"{case.place}/{case.venue}/{case.kind}/{how}"
            if hit:
                result.points_hit[place] += 1
                if case.kind in STRIKES_EXECUTOR:
                    result.sometimes["holder_stopped" if case.stop else "executor_killed"] += 1
            else:
                result.missed.append(f"{place} ({name})")
        tell(f"{name}: {time.monotonic() - began:.1f} s{'' if hit else ', point not reached'}")
    return case_of


async def _quiet_world(stack: Stack) -> World:
    """Faults are gone: wait until nothing moves, then look."""
    healed_ms = now_ms()
    await stack.replay()
    deadline = time.monotonic() + QUIET_S
    while True:
        world = await stack.world(healed_ms=healed_ms)
        moving = any(what for name in MOVING for what in CHECKS[name](world))
        if not moving or time.monotonic() > deadline:
            return world
        await asyncio.sleep(0.5)


def _found(world: World) -> list[Violation]:
    return [Violation(name, what) for name, check in CHECKS.items() for what in check(world)]


def _judge(result: Result, world: World, case_of: Mapping[str, str]) -> None:
    pair_of = {row["id"]: row["pair_id"] for row in world.rows("arbitrages")}
    for violation in _found(world):
        about = [pair for arb_id, pair in pair_of.items() if arb_id in violation.what]
        case = case_of.get(about[0], "") if about else ""
        result.violations.append(f"{violation} [{case or f'seed {result.seed}'}]")
    result.duplicate_orders += duplicates(world)
    result.drift_usd += drift(world)
    for venue, milliseconds in times_to_even(world):
        result.to_even_ms.setdefault(venue, []).append(milliseconds)
    result.alarms.update(row["code"] for row in world.rows("alarms"))


def tell_stderr(line: str) -> None:
    """Progress, for a person who waits."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
