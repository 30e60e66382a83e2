"""What may be traded, and why not: the executor's settings, fixed bounds, refusal reasons."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.evidence import Quarantine
from domain.money import NO_USD, ZERO, Size, Usd, plain

DUST = Size(Decimal("0.05"))
"""An excess of this many contracts is kept: no venue buys it back for sure."""


class Refusal(StrEnum):
    """Why an opportunity is not taken. The same word appears in logs, metrics, API and CLI."""

    BOOK_STALE = "book_stale"
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
    DISABLED = "disabled"
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
        rules = (
            (self.min_bet > ZERO, "min_bet", f"must be above 0, found {plain(self.min_bet)}"),
            (
                self.max_bet >= self.min_bet,
                "max_bet",
                f"must be at least min_bet {plain(self.min_bet)}, found {plain(self.max_bet)}",
            ),
            (self.min_roi >= ZERO, "min_roi", f"must be 0 or more, found {plain(self.min_roi)}"),
            (
                self.max_roi >= self.min_roi,
                "max_roi",
                f"must be at least min_roi {plain(self.min_roi)}, found {plain(self.max_roi)}",
            ),
            (
                self.max_daily_trades >= 0,
                "max_daily_trades",
                f"must be 0 or more, found {self.max_daily_trades}",
            ),
            (
                self.max_daily_loss >= NO_USD,
                "max_daily_loss",
                f"must be 0 or more, found {plain(self.max_daily_loss)}",
            ),
        )
        return tuple(Problem(field, message) for holds, field, message in rules if not holds)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Fixed bounds of a trade, pinned when it starts.

    `unwind_loss_share` is the part of the dearer leg's outlay that selling it back may lose
    before a person is asked; the gate charges it to the day as the worst case. `dust` is the
    excess that is kept rather than sold (contracts). `buy_opposite`: an excess that Polymarket
    does not let us sell is neutralised within the same budget before a person is asked.
    """

    unwind_loss_share: Decimal = Decimal("0.25")
    unwind_attempts: int = 8
    dust: Size = DUST
    book_age_ms_max: int = 500
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
