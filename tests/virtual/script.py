"""What goes wrong in one run: a function of its seed alone."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from domain.venue import Action, Venue
from tests.virtual.exchange import CENT, GOOD, Fate, Quote
from workflows.options import REST_AFTER

QUARANTINE_MS = 10_000
HEAL_MS = 120_000
"""After this nothing new goes wrong."""
NEVER_MS = 10**9
LEAVE_AFTER = 32
"""The first runs are as they were before what cannot be sold could be neutralised."""
BUY_FATES = {
    "fill": 10,
    "kill": 3,
    "partial": 2,
    "refuse": 1,
    "limited": 1,
    "closed": 1,
    "lost": 2,
    "late": 2,
    "unanswered": 3,
    "garbled": 2,
    "killed unanswered": 1,
    "ghost": 3,
    "half ghost": 1,
    "stuck": 1,
    "hidden": 2,
    "better": 1,
}
SELL_FATES = {
    "fill": 4,
    "kill": 4,
    "refuse": 1,
    "closed": 1,
    "lost": 2,
    "late": 1,
    "unanswered": 2,
    "garbled": 1,
    "ghost": 1,
    "half ghost": 1,
    "hidden": 1,
}
_BUYS, _SELLS = (
    [name for name, weight in fates.items() for _ in range(weight)]
    for fates in (BUY_FATES, SELL_FATES)
)
WORDS = ("close", "cancel", "retry", "hold", "mark", "close for nothing")


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says, and when."""

    at_ms: int
    what: str


@dataclass(slots=True)
class Script:
    """Fates in the order of use per venue and action, then all goes well. `crashes` are counted
    in points at which a process may die; `down_ms` is how long no process runs then. `dark` are
    times at which reads fail, `closed` those at which a venue refuses every order. `names` tell
    the story. `attended`: somebody comes to an alarm after a while. `rest_after`: steps after
    which a run leaves its history behind. `buy_opposite`: what cannot
    be sold may be neutralised; until `unsellable_ms` Polymarket takes no sale.
    """

    seed: int
    fates: dict[tuple[Venue, Action], list[Fate]]
    names: list[str]
    quotes: dict[Venue, Quote]
    crashes: tuple[int, ...] = ()
    down_ms: int = 100
    dark: dict[Venue, tuple[int, int]] = field(default_factory=dict)
    journal_ms: int = 0
    read_ms: int = 0
    kalshi_lag_ms: int = 0
    shows_killed: bool = True
    balance_lag_ms: int = 0
    halt_at_ms: int | None = None
    no_bids_until_ms: int = 0
    cheap_bids_until_ms: int = 0
    ask_moves_to: int | None = None
    words: tuple[Word, ...] = ()
    answer: str = "yes"
    closed: dict[Venue, tuple[int, int]] = field(default_factory=dict)
    attended: bool = True
    rest_after: int = REST_AFTER
    buy_opposite: bool = False
    unsellable_ms: int = 0

    @property
    def person(self) -> bool:
        """Whether somebody takes a part in it."""
        return bool(self.words)


def script(seed: int) -> Script:
    """The run of that seed."""
    rng = Random(seed)
    names: list[str] = []
    fates = {}
    for venue in Venue:
        for action, weights, most in ((Action.BUY, _BUYS, 2), (Action.SELL, _SELLS, 4)):
            drawn = rng.choices(weights, k=rng.randint(1, most))
            names += [f"{venue} {action}: {', '.join(drawn)}"]
            fates[venue, action] = [_fate(rng, name) for name in drawn]
    quotes = {
        Venue.POLYMARKET: Quote(ask=42 * CENT, bid=rng.choice([41, 40, 38]) * CENT),
        Venue.KALSHI: Quote(ask=50 * CENT, bid=rng.choice([49, 48, 45]) * CENT),
    }
    made = Script(seed, fates, names, quotes)
    _trouble(rng, made)
    made.answer = rng.choice(["yes", "no", "half"])
    if rng.random() < 0.08:
        start = rng.choice([0, 100, 2_000])
        made.closed[rng.choice(list(Venue))] = (start, start + rng.choice([4_000, 30_000, 100_000]))
    made.attended = rng.random() < 0.5
    if rng.random() < 0.3:
        made.rest_after = rng.choice([1, 2, 5, 10])
    if seed > LEAVE_AFTER and seed % 4 == 1:
        _leave_to_neutralise(Random(f"opposite {seed}"), made)
    return made


def _leave_to_neutralise(rng: Random, made: Script) -> None:
    """In every fourth run, by dice of its own: what else happens there stays what it was."""
    made.buy_opposite = True
    if rng.random() < 0.7:
        made.unsellable_ms = rng.choice([2_000, 30_000, NEVER_MS, NEVER_MS])
    if rng.random() < 0.3:
        made.fates[Venue.KALSHI, Action.BUY] = [replace(GOOD, outcome="kill")] * 2
    if rng.random() < 0.5:
        name = rng.choice(_BUYS)
        made.names += [f"polymarket buys the other outcome: {name}"]
        made.fates[Venue.POLYMARKET, Action.BUY] += [_fate(rng, name)]
    if rng.random() < 0.4:
        made.crashes = tuple(sorted({*made.crashes, *rng.sample(range(60, 400), 5)}))
    if rng.random() < 0.3:
        word = Word(rng.choice([90_000, 130_000, 200_000]), rng.choice(WORDS))
        made.words = (*made.words, word)


def _trouble(rng: Random, made: Script) -> None:
    if rng.random() < 0.45:
        made.crashes = tuple(sorted(rng.randrange(1, 90) for _ in range(rng.randint(1, 3))))
        made.down_ms = rng.choice([50, 300, 3_000, 9_000, 40_000])
    if rng.random() < 0.25:
        made.journal_ms = rng.randint(1, 40)
    if rng.random() < 0.25:
        start = rng.randrange(0, 8_000)
        made.dark[rng.choice(list(Venue))] = (start, start + rng.choice([500, 5_000, 60_000]))
    if rng.random() < 0.3:
        made.read_ms = rng.choice([5, 40, 400])
    made.kalshi_lag_ms = rng.choice([0, 0, 200, 4_000])
    made.shows_killed = rng.random() < 0.6
    made.balance_lag_ms = rng.choice([0, 0, 0, 3_000, 20_000])
    if rng.random() < 0.08:
        made.halt_at_ms = rng.randrange(0, 3_000)
    if rng.random() < 0.1:
        made.no_bids_until_ms = rng.choice([3_000, 60_000, NEVER_MS])
    if rng.random() < 0.1:
        made.cheap_bids_until_ms = rng.choice([3_000, 60_000, NEVER_MS])
        made.ask_moves_to = rng.choice([None, 97])
    elif rng.random() < 0.3:
        made.ask_moves_to = rng.choice([20, 55, 70, 97])
    if rng.random() < 0.2:
        made.words = tuple(
            Word(rng.choice([5, 60, 400, 2_500, 15_000, 70_000]), rng.choice(WORDS))
            for _ in range(rng.randint(1, 2))
        )


def _fate(rng: Random, name: str) -> Fate:
    fate = Fate(
        arrive_ms=rng.choice([5, 20, 80]),
        settle_ms=rng.choice([500, 2_000, 8_000]),
        split=rng.random() < 0.2,
    )
    quarter = QUARANTINE_MS // 4
    changes: dict[str, Any] = {}
    match name:
        case "kill" | "refuse" | "limited" | "closed":
            changes = {"outcome": name}
        case "partial":
            changes = {"outcome": "partial", "part": rng.choice([10, 33, 50, 90])}
        case "lost":
            changes = {"reach": False}
        case "late":
            changes = {"arrive_ms": rng.choice([3_100, quarter, 2 * quarter])}
        case "unanswered":
            changes = {"answered": "lost"}
        case "garbled":
            changes = {"answered": "garbled"}
        case "killed unanswered":
            changes = {"outcome": "kill", "answered": "lost"}
        case "ghost":
            changes = {"settles": "voided", "settle_ms": rng.choice([1, 50, 700, 9_000, 20_000])}
        case "half ghost":
            changes = {"settles": "voided", "split": True, "settle_ms": 3_000}
        case "stuck":
            changes = {"settle_ms": 25_000}
        case "hidden":
            changes = {"answered": "lost", "shown_ms": rng.choice([500, quarter])}
        case "better":
            changes = {"better": 3}
        case "fill":
            pass
        case unknown:
            raise ValueError(f"expected the name of a fate, found {unknown!r}")
    return replace(fate, **changes)
