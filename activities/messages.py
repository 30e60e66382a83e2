"""What workflows and activities say to each other: one dataclass in, one out, ids but no secrets.

Imported by workflow code, so it may import nothing but domain/.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.exits import Exits
from domain.leg import LegState
from domain.money import Price, Size, Usd
from domain.opportunity import Opportunity
from domain.order import Identity, Order, Purpose
from domain.policy import Bounds, Refusal, Timing
from domain.standing import Happening, LegReport, Verdict, Word
from domain.trade import Phase
from domain.venue import Mode, Venue


class Activity(StrEnum):
    """The names activities are registered and called by."""

    RESERVE = "reserve"
    PLACE_ORDER = "place_order"
    RESOLVE_ORDER = "resolve_order"
    PRICE_EXITS = "price_exits"
    COMPLETE = "complete"
    UNWIND = "unwind"
    BUY_OPPOSITE = "buy_opposite"
    WATCH = "watch_settlement"
    RECORD = "record"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Carried:
    """All that a run of an arbitrage knows, for the run that continues it with a new history: the
    attributes of workflows.state.TradeState by their names."""

    legs: dict[Venue, LegReport]
    story: list[Happening]
    revision: int
    number: int
    attempts: int
    allowed: int
    closed_tries: int
    loss_max: Usd | None
    was_locked: bool
    reason: str
    phase: Phase
    escalations: int
    exits: Exits | None
    tried_completing: bool
    keeps_uneven: bool
    moved_by_hand: Usd | None
    flattening: bool
    verdicts: tuple[Verdict, ...]
    tried_opposite: bool = False
    limits: dict[Venue, Price] = field(default_factory=dict)
    asked: bool = False

    @property
    def word(self) -> Word | None:
        """What a person asked for last, as far as it still holds."""
        if self.flattening:
            return Word(True, self.loss_max, self.limits)
        return Word(False) if self.keeps_uneven else None


@dataclass(frozen=True, slots=True)
class ArbitrageInput:
    """All that an arbitrage runs on, pinned when it starts. `arb_id` names its rows and orders.

    `adopted` is 0 for a new one; a workflow that takes over from one that was lost is the n-th to
    do so, and goes on from what the journal and the venues say, and by a person's last `word`.
    `carried` is what an earlier run of the same workflow knew when its history had grown long:
    after `rest_after` steps, or, where that is 0 as in what older executors started, once Temporal
    calls it long.
    """

    arb_id: str
    opportunity: Opportunity
    mode: Mode
    bounds: Bounds
    timing: Timing
    adopted: int = 0
    carried: Carried | None = None
    word: Word | None = None
    rest_after: int = 0


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """Ask the gate for both legs or none."""

    arb_id: str
    opportunity: Opportunity
    mode: Mode
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order written down in the journal, with the key its venue will know it by."""

    order: Order
    identity: Identity


@dataclass(frozen=True, slots=True)
class Reserved:
    """The gate's answer: the two tickets, or why there are none."""

    tickets: tuple[Ticket, ...]
    refusal: Refusal | None
    detail: str


@dataclass(frozen=True, slots=True)
class LegRequest:
    """Ask what a leg holds. `settled` also waits until none of its fills is provisional."""

    arb_id: str
    venue: Venue
    planned: Size
    timing: Timing
    settled: bool


@dataclass(frozen=True, slots=True)
class UnwindRequest:
    """Sell or neutralise up to `excess` of a leg as order number `sequence` of this purpose.

    `budget` is what this may lose (dollars), None where any price will do; `attempt` counts
    tries since the last progress; `least` is the lowest price of a sale, None for any.
    `person_called`: a person may have sold by hand since.
    """

    arb_id: str
    opportunity: Opportunity
    venue: Venue
    excess: Size
    purpose: Purpose
    sequence: int
    attempt: int
    budget: Usd | None
    deadline_ms: int
    least: Price | None = None
    person_called: bool = False


@dataclass(frozen=True, slots=True)
class ExitsRequest:
    """Ask what both ways out of holding `excess` contracts on `venue` alone cost now."""

    arb_id: str
    opportunity: Opportunity
    venue: Venue
    excess: Size
    budget: Usd | None


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """Buy `size` of the missing leg at `limit` or better, as order number `sequence`.
    `person_called`: a person may have sold the other leg by hand since."""

    arb_id: str
    opportunity: Opportunity
    venue: Venue
    size: Size
    limit: Price
    sequence: int
    deadline_ms: int
    person_called: bool = False


@dataclass(frozen=True, slots=True)
class StepReport:
    """The leg after one step towards an even pair, and what the step did in words. `closed`: the
    venue takes no orders now or cannot be read, so nothing was tried. `sibling`: the other leg as
    it is by then; None only in what older executors wrote."""

    leg: LegReport
    said: str
    closed: bool = False
    sibling: LegReport | None = None


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """Wait until what is held is no longer what `legs` say is known of it, or has been paid."""

    arb_id: str
    opportunity: Opportunity
    legs: tuple[LegState, LegState]


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What changed: both legs as they are now, and the verdicts once every leg that holds
    something has been paid for."""

    legs: tuple[LegReport, LegReport]
    verdicts: tuple[Verdict, ...]
