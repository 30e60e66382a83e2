"""Many runs, one after the other: what broke, what was seen, how fast."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.virtual.script import script
from tests.virtual.world import Outcome, World

SCHEMA_VERSION = 1
TOLD_MAX = 20
COLLECT_EVERY = 200
SOMETIMES = (
    "crash and replay",
    "an answer that is lost",
    "an order that never arrives",
    "a fill that is voided",
    "completed",
    "unwound",
    "sold on a person's word",
    "a person was needed",
    "locked and settled",
    "naked and settled",
    "nothing filled",
    "rolled back",
    "halted between plan and send",
    "a venue that is closed",
    "continued as new",
    "neutralised",
    "neutral and settled",
)
"""What a campaign must have seen to count; checked over the traces."""
_SIGNS = {
    "crash and replay": "RESTART",
    "an answer that is lost": "recorded RESOLVING",
    "an order that never arrives": "never_arrived",
    "a fill that is voided": " voided",
    "completed": "/complete/",
    "unwound": "/unwind/",
    "sold on a person's word": "/close/",
    "a person was needed": "recorded NEEDS_OPERATOR",
    "locked and settled": "END SETTLED SUCCESS",
    "naked and settled": "paid for what was naked",
    "nothing filled": "END FLAT FAILED",
    "rolled back": "END FLAT ROLLED_BACK",
    "halted between plan and send": "HALT",
    "a venue that is closed": "is shut",
    "continued as new": "continues as new",
    "neutralised": " of the other outcome",
    "neutral and settled": "neutral pairs were paid",
}


@dataclass(slots=True)
class Campaign:
    """What a number of runs found."""

    seed: int
    runs: int = 0
    crashes: int = 0
    orders: int = 0
    drift: int = 0
    cpu_s: float = 0
    violations: list[str] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)

    def take(self, outcome: Outcome) -> None:
        """Count one run."""
        self.runs += 1
        self.crashes += outcome.crashes
        self.orders += outcome.orders
        if outcome.violation is not None:
            self.violations.append(f"seed {outcome.seed}: {outcome.violation}")
        else:
            self.drift += outcome.drift
        text = "\n".join(outcome.trace)
        self.sometimes.update(what for what, sign in _SIGNS.items() if sign in text)
        if outcome.final is not None:
            self.endings[f"{outcome.final.phase} {outcome.final.status}"] += 1

    def as_json(self) -> dict[str, object]:
        """The report."""
        return {
            "schema_version": SCHEMA_VERSION,
            "virtual": True,
            "seed": self.seed,
            "cases": self.runs,
            "violations": self.violations,
            "sometimes": {what: self.sometimes[what] for what in SOMETIMES},
            "endings": dict(sorted(self.endings.items())),
            "crashes": self.crashes,
            "orders": self.orders,
            "ledger_drift_micro": self.drift,
            "cpu_s": round(self.cpu_s, 3),
            "sagas_per_s": round(self.runs / self.cpu_s) if self.cpu_s else None,
        }

    def never(self) -> list[str]:
        """What was never seen."""
        return [what for what in SOMETIMES if not self.sometimes[what]]


def run_seed(seed: int) -> Outcome:
    """One run."""
    return World(script(seed)).run()


def campaign(seed: int, seeds: Iterable[int], tell: Callable[[str], None]) -> Campaign:
    """All of them; `tell` hears of the first violations as they are found."""
    found = Campaign(seed)
    started = time.process_time()
    with rarely_collected():
        for one in seeds:
            outcome = run_seed(one)
            found.take(outcome)
            if outcome.violation is not None and len(found.violations) <= TOLD_MAX:
                tell(f"{found.violations[-1]} (trace: --seed {one} --runs 1 --trace)")
            if found.runs % COLLECT_EVERY == 0:
                gc.collect()
    found.cpu_s = time.process_time() - started
    return found


@contextmanager
def rarely_collected() -> Iterator[None]:
    """A run leaves its cycles as one heap: collecting them run by run costs a tenth of the time.
    What was there before is not walked again, afterwards neither: thawing would bring back what
    other tests of this process had frozen, as this one's garbage."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
