"""Where an arbitrage stands: what is written down at every phase, in one value.

The journal turns it into the trade log, the position, the reservation and the notices; a repeat
changes nothing, nor does one that was said earlier in the same run and arrives late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from domain.decision import excess_of
from domain.leg import LegState
from domain.money import NO_SIZE, NO_USD, Price, Size, Usd
from domain.opportunity import Opportunity
from domain.policy import DUST
from domain.trade import LegResult, Phase, TradeStatus
from domain.venue import Mode, Venue

HOLDS = "Polymarket holds"
"""How a reason begins that says no more than both legs do."""


@dataclass(frozen=True, slots=True)
class LegReport:
    """One leg: its exact state and how a reader should see it."""

    state: LegState
    result: LegResult


def nothing_held(venue: Venue, planned: Size, error: str | None = None) -> LegReport:
    """A leg of which no order is known."""
    result = LegResult(
        platform=venue.value,
        success=False,
        order_id=None,
        filled_shares=NO_SIZE,
        filled_price=None,
        filled_cost=NO_USD,
        error=error,
    )
    return LegReport(LegState(venue, planned), result)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one venue paid for a resolved leg: dollars per contract of its outcome, and the cash in
    total, for contracts of the other outcome too."""

    venue: Venue
    pays: Decimal
    cash: Usd


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an arbitrage's story. `at_ms` is the workflow's wall clock."""

    at_ms: int
    phase: Phase
    said: str


@dataclass(frozen=True, slots=True)
class Word:
    """What a person asked for last: all is to go (`sells`), at a loss of at most `loss_max`
    dollars (None: any) and at no price below `limits`; or what is held is kept as it is."""

    sells: bool
    loss_max: Usd | None = None
    limits: Mapping[Venue, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """`locked`: both legs equal and a gain guaranteed. `settled`: no counted fill may still be
    voided. `profit`: realised once the phase is an end, guaranteed while locked, else None.
    `moved_by_hand`: dollars that a person says he moved outside of our orders to end it;
    `refused`: the last try to sell or complete came to nothing. `run_id` and `history` (events)
    say when it was said: a worker that stood still may bring it after another one's later word.
    `word` outlives the workflow: whoever adopts the arbitrage obeys it too.
    """

    arb_id: str
    revision: int
    opportunity: Opportunity
    mode: Mode
    phase: Phase
    status: TradeStatus
    polymarket: LegReport
    kalshi: LegReport
    locked: bool
    settled: bool
    profit: Usd | None
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    moved_by_hand: Usd | None = None
    refused: bool = False
    run_id: str = ""
    history: int = 0
    word: Word | None = None

    @property
    def naked(self) -> bool:
        """Whether one leg holds what the other does not hedge."""
        pair = self.polymarket.state, self.kalshi.state
        return any(excess_of(leg, other) > DUST for leg, other in (pair, pair[::-1]))

    @property
    def legs(self) -> tuple[LegReport, LegReport]:
        """Polymarket's and Kalshi's leg."""
        return self.polymarket, self.kalshi
