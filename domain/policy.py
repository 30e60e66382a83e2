"""What may be traded, and why not: the executor's settings, fixed bounds, refusal reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from domain.evidence import Quarantine
from domain.money import ZERO, Size, Usd, plain

DUST = Size(Decimal("0.05"))
"""An excess of this many contracts is kept: no venue buys it back for sure."""


class Refusal(StrEnum):
    """Why an opportunity is not taken. The same word appears in logs, metrics, API and CLI."""

    BOOK_STALE = "book_stale"
    BOOKS_APART = "books_apart"
    BOOK_CROSSED = "book_crossed"
    BOOK_EMPTY = "book_empty"
    BOOKS_CONTRADICT = "books_contradict"
    EDGE_BELOW_POLICY = "edge_below_policy"
    ROI_ABOVE_POLICY = "roi_above_policy"
    BET_BELOW_MINIMUM = "bet_below_minimum"
    BET_ABOVE_MAXIMUM = "bet_above_maximum"
    SIZE_BELOW_VENUE_MINIMUM = "size_below_venue_minimum"
    HALTED = "halted"
    STANDBY = "another_executor_sends"
    UNRECONCILED = "not_reconciled_yet"
    MACHINE_UNFIT = "machine_unfit"
    DISABLED = "disabled"
    VENUE_CLOSED = "venue_closed"
    DAILY_TRADES_REACHED = "daily_trades_reached"
    DAILY_LOSS_REACHED = "daily_loss_reached"
    PAIR_REJECTED = "pair_rejected"
    PAIR_NOT_REVIEWED = "pair_not_reviewed"
    PAIR_ALREADY_OPEN = "pair_already_open"
    PAIR_COOLING_DOWN = "pair_cooling_down"
    POLYMARKET_CASH_TOO_LOW = "polymarket_cash_too_low"
    KALSHI_CASH_TOO_LOW = "kalshi_cash_too_low"
    BALANCE_UNKNOWN = "balance_unknown"
    TOO_LATE = "past_its_deadline"


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot be, and how to repair it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Range:
    """How low one setting may be: `least` is an amount, or the name of the setting it may not be
    below; with `above` it must be more than that."""

    least: Decimal | str
    above: bool = False


RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "min_bet": Range(ZERO, above=True),
        "max_bet": Range("min_bet"),
        "min_roi": Range(ZERO),
        "max_roi": Range("min_roi"),
        "max_daily_trades": Range(ZERO),
        "max_daily_loss": Range(ZERO),
    }
)
"""What a person may set, for whoever checks it and whoever shows it."""


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """What a person may change while trading. Bets are total outlay of both legs in dollars,
    ROIs percent of that outlay, losses dollars."""

    enabled: bool = False
    min_bet: Usd = Usd(Decimal(5))
    max_bet: Usd = Usd(Decimal(10))
    min_roi: Decimal = Decimal(1)
    max_roi: Decimal = Decimal(50)
    max_daily_trades: int = 50
    max_daily_loss: Usd = Usd(Decimal(5))

    def problems(self) -> tuple[Problem, ...]:
        """Every rule these values break, with the field that has to change."""
        return tuple(
            Problem(name, f"must be {said}, found {plain(Decimal(getattr(self, name)))}")
            for name, allowed in RANGES.items()
            if (said := self._broken(name, allowed))
        )

    def _broken(self, name: str, allowed: Range) -> str:
        """What the value should have been; "" where it is."""
        value = getattr(self, name)
        if isinstance(allowed.least, str):
            least = getattr(self, allowed.least)
            return "" if value >= least else f"at least {allowed.least} {plain(least)}"
        if allowed.above:
            return "" if value > allowed.least else f"above {allowed.least}"
        return "" if value >= allowed.least else f"{allowed.least} or more"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Fixed bounds of a trade, pinned when it starts.

    `unwind_loss_share` is the part of the dearer leg's outlay that selling it back may lose
    before a person is asked; the gate charges it to the day as the worst case. `dust` is the
    excess that is kept rather than sold (contracts). `buy_opposite`: an excess that Polymarket
    does not let us sell is neutralised within the same budget before a person is asked. Books
    older than `book_age_ms_max` start nothing, nor do two that were read further apart than
    `book_skew_ms_max`; no entry leaves later than `deadline_ms` after the older one was read.
    """

    unwind_loss_share: Decimal = Decimal("0.25")
    unwind_attempts: int = 8
    dust: Size = DUST
    book_age_ms_max: int = 500
    book_skew_ms_max: int = 500
    deadline_ms: int = 2_000
    cooldown_ms: int = 60_000
    balance_age_ms_max: int = 60_000
    buy_opposite: bool = False

    def loss_budget(self, dearer_outlay: Usd) -> Usd:
        """Dollars that unwinding one trade may lose without a person's word."""
        return Usd(dearer_outlay * self.unwind_loss_share)


@dataclass(frozen=True, slots=True)
class Timing:
    """Every pause of a trade, in milliseconds, so that a test can shorten them all."""

    polymarket_quarantine: Quarantine = Quarantine(wait_ms=90_000)
    kalshi_quarantine: Quarantine = Quarantine(wait_ms=90_000, needs_as_of=True)
    resolve_pause_ms: int = 200
    resolve_pause_ms_max: int = 5_000
    unwind_pause_ms: int = 500
    unwind_pause_ms_max: int = 30_000
    closed_pause_ms: int = 1_000
    settle_pause_ms: int = 60_000
    provisional_pause_ms: int = 1_000
    task_timeout_ms: int = 5_000
