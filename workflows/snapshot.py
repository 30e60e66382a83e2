"""The whole state of an arbitrage that a reader needs, in one value."""

from dataclasses import dataclass, field

from domain.money import Price, Size, Usd
from domain.standing import Happening, LegReport, Verdict
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the query `snapshot` answers. `revision` grows with every change.

    `locked_profit` is the guaranteed profit while both legs are equal, None otherwise;
    `realised_profit` what was really gained once all is over; `provisional` says that a counted
    fill may still be voided; `next_try_ms` when a paused attempt goes on (wall-clock ms);
    `budget_left` what further sales may lose, None once a person accepted any price.
    """

    arb_id: str
    pair_id: str
    title: str
    mode: Mode
    revision: int
    phase: Phase
    status: TradeStatus
    size: Size
    polymarket: LegReport
    kalshi: LegReport
    payout: Usd
    outlay: Usd
    locked_profit: Usd | None
    realised_profit: Usd | None
    provisional: bool
    closing: bool
    reason: str
    verdicts: tuple[Verdict, ...]
    story: tuple[Happening, ...]
    next_try_ms: int | None = None
    budget_left: Usd | None = None


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """An operator's word to sell both legs. `loss_max` bounds what the sales may lose (dollars);
    None accepts any. `limits` are the lowest prices of a sale, by venue; a venue that is not in it
    sells at any. `by` names the person, for the record."""

    by: str
    loss_max: Usd | None = None
    limits: dict[Venue, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """An operator's word to try the unwind again now, with a fresh set of attempts."""

    by: str


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """An operator's word to keep an uneven pair as it is."""

    by: str


@dataclass(frozen=True, slots=True)
class MarkResolved:
    """An operator's word that what is left was dealt with outside of our orders: `evidence` says
    what was done and where it can be seen, `cash` what it brought (dollars, negative if it
    cost)."""

    by: str
    evidence: str
    cash: Usd
