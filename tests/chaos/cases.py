"""What a campaign does to one pair, drawn from the whole matrix by a seed: it can be repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from app.errors import UsageError
from tests.chaos.proxy import Trouble

VENUES = ("polymarket", "kalshi")


class Kind(StrEnum):
    """Which order of the trade is struck, or what else goes wrong."""

    ENTRY = "entry"
    UNWIND = "unwind"
    COMPLETE = "complete"
    CLOSE = "close"
    TEMPORAL = "temporal_restart"
    DRAIN = "executor_restart"
    VENUE_CLOSED = "venue_closed"
    DISABLE = "disabled_between"
    LIMIT = "limit_contended"


@dataclass(frozen=True, slots=True)
class Case:
    """One trade and its trouble.

    The order of `kind` at `venue` meets `outcome` (at the exchange), `network` (on the way) and
    `point` (in the executor, which gets SIGKILL or, with `stop`, stands still).
    """

    kind: Kind
    venue: str = "polymarket"
    outcome: str = "fill"
    point: str = ""
    stop: bool = False
    network: Trouble | None = None

    @property
    def name(self) -> str:
        """The case in one word, the same in every run."""
        how = "stop" if self.stop else "kill"
        parts = [self.kind, self.venue, self.outcome]
        parts += [f"{self.point}-{how}"] if self.point else []
        parts += [self.network] if self.network else []
        return "/".join(parts)


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
    "failed_late": {"do": "ghost", "params": {"ms": 900}},
}
ENTRY_POINTS = ("P6", "P7", "P8", "P10", "P11")
STEP_POINTS = ("P5", *ENTRY_POINTS)
AT_BEGIN = ("P3", "P4", "P12")
AT_END = ("P16", "P18")
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
        for kind in (Kind.TEMPORAL, Kind.DRAIN, Kind.VENUE_CLOSED, Kind.DISABLE):
            yield Case(kind, venue)
    yield Case(Kind.LIMIT)


def _meaningful(case: Case) -> bool:
    if case.venue == "kalshi" and case.outcome.startswith("failed"):
        return False  # its fills are final
    return case.outcome != "refuse_thrice" or case.kind in (Kind.UNWIND, Kind.CLOSE)


def draw(seed: int, runs: int, points: frozenset[str]) -> list[Case]:
    """`runs` cases of the matrix: first one of every kind and point, then by chance.

    `points` limits the choice to cases at these places; empty means all.
    """
    rng = Random(f"cases-{seed}")
    chosen = [case for case in everything() if not points or case.point in points]
    if not chosen:
        raise UsageError(f"points: expected all, merge or P3 to P18, found {sorted(points)}")
    rng.shuffle(chosen)
    seen: set[object] = set()
    first: list[Case] = []
    later: list[Case] = []
    for case in chosen:
        feature = _feature(case)
        (later if feature in seen else first).append(case)
        seen.add(feature)
    cases = sorted(first, key=_is_plain) + later
    rounds = -(-runs // len(cases))
    return (cases * rounds)[:runs]


def _is_plain(case: Case) -> bool:
    """Whether it can wait: troubles that only one kind of case makes come first."""
    steps = (Kind.ENTRY, Kind.UNWIND, Kind.COMPLETE, Kind.CLOSE)
    return case.kind in steps and case.network is None


def _feature(case: Case) -> object:
    """What a short campaign should have one of."""
    if case.network:
        return case.network
    if case.point:
        return case.point, case.stop
    return case.kind, case.outcome
