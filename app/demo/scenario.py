"""What the demo plays: one act per arbitrage, each with its own pair and its own trouble."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Ending(StrEnum):
    """How an act must end, in the words of the trade log."""

    SETTLED = "locked and settled"
    CLOSED = "locked, then closed by the operator"
    HELD = "locked and held"
    ROLLED_BACK = "sold back"
    NOTHING = "nothing filled"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the exchange does to the next `times` orders of one kind."""

    venue: str
    action: str
    do: str
    times: int = 1
    ms: int | None = None

    @property
    def params(self) -> dict[str, object]:
        """The fault's parameters for the control server."""
        return {} if self.ms is None else {"ms": self.ms}


@dataclass(frozen=True, slots=True)
class Act:
    """One arbitrage: its trouble and its ending. `crash` kills the executor while an order is at
    the exchange and its answer is not."""

    name: str
    ending: Ending
    troubles: tuple[Trouble, ...] = ()
    crash: bool = False


@dataclass(frozen=True, slots=True)
class Staged:
    """An act with what the seed chose for it: pair, prices in cents, the question's answer."""

    act: Act
    pair: str
    fair: int
    cents: int
    outcome: str


SLOW_MS = 3_000
"""How long a hanging exchange is silent: longer than the executor waits, which is ORDER_MS."""

ORDER_MS = 1_500

LOCKED = tuple(Act("both legs fill", Ending.SETTLED) for _ in range(8))
TROUBLED = (
    Act("Kalshi kills its leg twice", Ending.ROLLED_BACK, (Trouble("kalshi", "buy", "kill", 2),)),
    Act(
        "Polymarket kills its leg twice",
        Ending.ROLLED_BACK,
        (Trouble("polymarket", "buy", "kill", 2),),
    ),
    Act(
        "Kalshi kills its leg, completing is cheaper than selling",
        Ending.SETTLED,
        (Trouble("kalshi", "buy", "kill"),),
    ),
    Act(
        "both legs are killed",
        Ending.NOTHING,
        (Trouble("kalshi", "buy", "kill"), Trouble("polymarket", "buy", "kill")),
    ),
    Act(
        "Kalshi accepts and never answers",
        Ending.SETTLED,
        (Trouble("kalshi", "buy", "hang", ms=SLOW_MS),),
    ),
    Act(
        "Polymarket accepts and drops the line",
        Ending.SETTLED,
        (Trouble("polymarket", "buy", "drop_after"),),
    ),
    Act(
        "Kalshi accepts and answers 500",
        Ending.SETTLED,
        (Trouble("kalshi", "buy", "error_after"),),
    ),
    Act(
        "Kalshi drops the line before it reads",
        Ending.ROLLED_BACK,
        (Trouble("kalshi", "buy", "drop_before"), Trouble("kalshi", "buy", "kill")),
    ),
    Act(
        "Kalshi kills its leg, Polymarket refuses the sale twice",
        Ending.ROLLED_BACK,
        (
            Trouble("kalshi", "buy", "kill", 2),
            Trouble("polymarket", "sell", "sell_refused", times=2),
        ),
    ),
    Act(
        "Polymarket kills its leg, Kalshi kills the sale twice",
        Ending.ROLLED_BACK,
        (Trouble("polymarket", "buy", "kill", 2), Trouble("kalshi", "sell", "kill", times=2)),
    ),
    Act(
        "Polymarket matches and the chain voids it",
        Ending.ROLLED_BACK,
        (Trouble("polymarket", "buy", "ghost"), Trouble("polymarket", "buy", "kill")),
    ),
    Act("the operator closes a locked pair", Ending.CLOSED),
    Act(
        "the answer to a sale is lost",
        Ending.ROLLED_BACK,
        (Trouble("polymarket", "buy", "kill", 2), Trouble("kalshi", "sell", "drop_after")),
    ),
)
HELD = Act("both legs fill, the question stays open", Ending.HELD)
CRASH = Act(
    "the executor is killed between send and answer",
    Ending.SETTLED,
    (
        Trouble("kalshi", "buy", "hang", ms=SLOW_MS),
        Trouble("polymarket", "buy", "hang", ms=SLOW_MS),
    ),
    crash=True,
)


def stage(acts: tuple[Act, ...], pairs: tuple[str, ...], rng: Random) -> tuple[Staged, ...]:
    """Every act on a pair of its own, with seeded prices and answers."""
    if len(pairs) < len(acts):
        raise ValueError(f"expected a pair for each of {len(acts)} acts, found {len(pairs)}")
    return tuple(
        Staged(
            act=act,
            pair=pair,
            fair=rng.randint(35, 55),
            cents=rng.randint(7, 10),
            outcome=rng.choice(("yes", "no")),
        )
        for act, pair in zip(acts, pairs, strict=False)
    )
