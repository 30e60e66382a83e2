"""What a campaign does to one pair, drawn from the whole matrix by a seed: it can be repeated."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from app.errors import UsageError
from tests.chaos.proxy import Trouble
from tests.support.postgres import VARIABLE

VENUES = ("polymarket", "kalshi")


class Kind(StrEnum):
    """Which order of the trade is struck, or what else goes wrong."""

    ENTRY = "entry"
    UNWIND = "unwind"
    COMPLETE = "complete"
    NEUTRALISE = "neutralise"
    CLOSE = "close"
    TEMPORAL = "temporal_restart"
    DRAIN = "executor_restart"
    VENUE_CLOSED = "venue_closed"
    DISABLE = "disabled_between"
    LIMIT = "limit_contended"
    NOTIFIER = "notifier_killed"
    TWO_EXECUTORS = "two_executors"
    ROLLING = "rolling_restart"
    BOTH_IN_FLIGHT = "both_in_flight"
    TEMPORAL_LOST = "temporal_lost"
    SETTLE = "settle"
    SETTINGS = "settings"
    SWITCH_OFF = "switch_off"
    CLOSE_BY_API = "close_by_api"
    MIGRATION = "migration"
    BACKUP = "backup"


PLAYED = frozenset(Kind) - (frozenset({Kind.BACKUP}) if VARIABLE in os.environ else frozenset())
"""All, but a copy of the journal's file where it is on a server: pg_dump's is in tests/commands."""


class Wrong(Exception):
    """Something that a case looks at itself was not as it must be."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trade and its trouble.

    The order of `kind` at `venue` meets `outcome` (at the exchange), `network` (on the way) and
    `point` (in the executor or in another process, which gets SIGKILL or, with `stop`, stands
    still); `part` is which pass of that point.
    """

    kind: Kind
    venue: str = "polymarket"
    outcome: str = "fill"
    point: str = ""
    stop: bool = False
    network: Trouble | None = None
    part: str = ""

    @property
    def name(self) -> str:
        """The case in one word, the same in every run."""
        how = "stop" if self.stop else "kill"
        parts = [self.kind, self.venue, self.outcome]
        parts += [f"{self.place}-{how}"] if self.point or self.stop else []
        parts += [self.network] if self.network else []
        return "/".join(parts)

    @property
    def place(self) -> str:
        """The point and its part."""
        return f"{self.point}:{self.part}" if self.part else self.point


OUTCOMES: dict[str, dict[str, object] | None] = {
    "fill": None,
    "partial": {"do": "partial", "params": {"size": "8"}},
    "refuse": {"do": "kill"},
    "refuse_thrice": {"do": "kill", "times": 3},
    "unknown_filled": {"do": "drop_after"},
    "unknown_not": {"do": "drop_before"},
    "error_after": {"do": "error_after"},
    "duplicate": {"do": "duplicate"},
    "rate_limited": {"do": "rate_limited"},
    "failed": {"do": "ghost", "params": {"ms": 120}},
    "failed_late": {"do": "ghost", "params": {"ms": 2_500}},
}
ENTRY_POINTS = ("P6", "P7", "P8", "P10", "P11")
STEP_POINTS = ("P5", *ENTRY_POINTS)
AT_BEGIN = ("P0", "P1", "P2", "P3", "P4", "P12")
AT_END = ("P16", "P18")
STEPS = (Kind.ENTRY, Kind.UNWIND, Kind.COMPLETE, Kind.CLOSE, Kind.NEUTRALISE)
OUTBOX = "P17"
IN_WRITING = ("begun", "written", "saved")
ELSEWHERE = {
    (Kind.SETTINGS, "P20"): IN_WRITING,
    (Kind.SWITCH_OFF, "P21"): IN_WRITING,
    (Kind.CLOSE_BY_API, "P22"): ("asked", "accepted"),
    (Kind.MIGRATION, "P23"): ("copied", "begun", "written"),
    (Kind.BACKUP, "P24"): ("begun", "copied"),
}
"""Points outside of the saga, and the passes of each."""
STOPPED_ELSEWHERE = {(Kind.SETTINGS, "written"), (Kind.SWITCH_OFF, "written")}
"""Where a process that stands still holds the journal's lock."""
RESOLVE = "P13"
MATRIX_POINTS = ("P7", "P8", "P10")
"""Before send, after send before the answer, after the answer before its record."""


def merge_matrix() -> list[Case]:
    """What must hold on every merge: each point of the matrix, each leg, entry and unwind."""
    return [
        Case(kind, venue, point=point)
        for kind in (Kind.ENTRY, Kind.UNWIND)
        for venue in VENUES
        for point in MATRIX_POINTS
    ]


def everything() -> list[Case]:
    """The whole matrix, in a fixed order."""
    return [case for case in _all() if _meaningful(case)]


def _all() -> Iterator[Case]:
    for kind, points in (
        (Kind.ENTRY, ENTRY_POINTS),
        (Kind.UNWIND, STEP_POINTS),
        (Kind.CLOSE, STEP_POINTS),
        (Kind.COMPLETE, STEP_POINTS),
        (Kind.NEUTRALISE, STEP_POINTS),
    ):
        for venue in VENUES:
            for outcome in OUTCOMES:
                yield Case(kind, venue, outcome)
                for point in points:
                    yield Case(kind, venue, outcome, point)
                    yield Case(kind, venue, outcome, point, stop=True)
            for outcome in ("unknown_filled", "unknown_not"):
                yield Case(kind, venue, outcome, RESOLVE)
                yield Case(kind, venue, outcome, RESOLVE, stop=True)
            for network in Trouble:
                yield Case(kind, venue, network=network)
    for venue in VENUES:
        for kind, places in (
            (Kind.ENTRY, AT_BEGIN),
            (Kind.UNWIND, AT_END),
            (Kind.CLOSE, AT_END),
        ):
            for outcome in ("fill", "refuse", "unknown_filled"):
                for point in places:
                    yield Case(kind, venue, outcome, point)
                    yield Case(kind, venue, outcome, point, stop=True)
        for kind in (
            Kind.TEMPORAL, Kind.DRAIN, Kind.VENUE_CLOSED, Kind.DISABLE,
            Kind.BOTH_IN_FLIGHT, Kind.TWO_EXECUTORS, Kind.ROLLING, Kind.TEMPORAL_LOST,
        ):  # fmt: skip
            yield Case(kind, venue)
        for stop in (False, True):
            yield Case(Kind.UNWIND, venue, point=OUTBOX, stop=stop, part="insert")
            yield Case(Kind.SETTLE, venue, point="P19", stop=stop)
    yield Case(Kind.TWO_EXECUTORS, stop=True)
    yield Case(Kind.LIMIT)
    yield Case(Kind.NOTIFIER)
    for (kind, point), parts in ELSEWHERE.items():
        for part in parts:
            yield Case(kind, point=point, part=part)
            if (kind, part) in STOPPED_ELSEWHERE:
                yield Case(kind, point=point, part=part, stop=True)


def _meaningful(case: Case) -> bool:
    if case.kind not in PLAYED:
        return False
    if case.venue == "kalshi" and case.outcome.startswith("failed"):
        return False  # its fills are final
    if case.kind is Kind.NEUTRALISE and case.venue == "kalshi":
        return False  # a purchase of the other outcome is the sale itself there
    return case.outcome != "refuse_thrice" or case.kind in (Kind.UNWIND, Kind.CLOSE)


def draw(seed: int, runs: int, points: frozenset[str]) -> list[Case]:
    """`runs` cases of the matrix: first one of everything in FEATURES, then by chance.

    `points` limits the choice to cases at these places; empty means all.
    """
    rng = Random(f"cases-{seed}")
    chosen = [case for case in everything() if not points or case.point in points]
    if not chosen:
        raise UsageError(f"points: expected all, merge or P0 to P24, found {sorted(points)}")
    rng.shuffle(chosen)
    seen: set[object] = set()
    first: list[Case] = []
    for feature in FEATURES:
        for case in chosen:
            if feature(case) is not None and feature(case) not in seen:
                first.append(case)
                seen |= {has(case) for has in FEATURES}
    picked = set(first)
    cases = first + [case for case in chosen if case not in picked]
    rounds = -(-runs // len(cases))
    return (cases * rounds)[:runs]


SHOWS = (
    Case(Kind.ENTRY, "kalshi", "partial"),
    Case(Kind.ENTRY, "polymarket", "failed"),
    Case(Kind.ENTRY, "polymarket", "failed_late"),
    Case(Kind.CLOSE, "polymarket", "refuse_thrice"),
    Case(Kind.VENUE_CLOSED, "polymarket"),
    Case(Kind.NEUTRALISE, "polymarket"),
    *(Case(Kind.NEUTRALISE, "polymarket", point=point) for point in ("P7", "P8", "P10")),
)
"""What a campaign must have seen and only these make for certain."""
FEATURES: tuple[Callable[[Case], object], ...] = (
    lambda case: case if case in SHOWS else None,
    lambda case: case.network,
    lambda case: None if case.kind in STEPS else (case.kind, not case.point and case.stop),
    lambda case: case.point or None,
    lambda case: ("outcome", case.outcome),
    lambda case: (case.point, case.stop) if case.point else None,
    lambda case: (case.kind, case.outcome),
)
"""What a campaign should have one of, the rarest first: a short one sees the first of them."""
