"""How a trade is bounded and paced, and what the settings of a new journal are."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from app.config_base import Milliseconds, Section
from domain.evidence import Quarantine
from domain.policy import Bounds, ExecutorSettings, Timing
from store.errors import InvalidSettings
from store.settings_values import parse

_DEFAULTS = ExecutorSettings()


class TradeSection(Section):
    """Fixed bounds and pauses of a trade; `domain.policy` says what each one means."""

    deadline_ms: Milliseconds = 2_000
    book_age_ms: Milliseconds = 500
    book_skew_ms: Milliseconds = 500
    balance_age_ms: Milliseconds = 60_000
    cooldown_ms: Annotated[int, Field(ge=0, le=86_400_000)] = 60_000
    unwind_loss_percent: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(25)
    unwind_attempts: Annotated[int, Field(ge=1, le=100)] = 8
    buy_opposite: bool = False
    unwind_pause_ms: Milliseconds = 500
    unwind_pause_ms_max: Milliseconds = 30_000
    quarantine_ms: Annotated[int, Field(ge=500, le=600_000)] = 90_000
    resolve_pause_ms: Milliseconds = 200
    provisional_pause_ms: Milliseconds = 1_000
    settle_pause_ms: Milliseconds = 60_000
    disk_mb_min: Annotated[int, Field(ge=100)] = 1_000

    def bounds(self) -> Bounds:
        """The bounds that a trade is admitted under."""
        return Bounds(
            unwind_loss_share=self.unwind_loss_percent / 100,
            unwind_attempts=self.unwind_attempts,
            buy_opposite=self.buy_opposite,
            book_age_ms_max=self.book_age_ms,
            book_skew_ms_max=self.book_skew_ms,
            deadline_ms=self.deadline_ms,
            cooldown_ms=self.cooldown_ms,
            balance_age_ms_max=self.balance_age_ms,
        )

    def timing(self) -> Timing:
        """The pauses that a trade keeps to."""
        return Timing(
            polymarket_quarantine=Quarantine(wait_ms=self.quarantine_ms),
            kalshi_quarantine=Quarantine(wait_ms=self.quarantine_ms, needs_as_of=True),
            resolve_pause_ms=self.resolve_pause_ms,
            unwind_pause_ms=self.unwind_pause_ms,
            unwind_pause_ms_max=self.unwind_pause_ms_max,
            settle_pause_ms=self.settle_pause_ms,
            provisional_pause_ms=self.provisional_pause_ms,
        )


class SettingsSection(Section):
    """What the settings of a new journal begin with, in the units of `ExecutorSettings`. From then
    on only what was saved counts. `enabled` is not among them: a person lets entries leave."""

    min_bet: Decimal = _DEFAULTS.min_bet
    max_bet: Decimal = _DEFAULTS.max_bet
    min_roi: Decimal = _DEFAULTS.min_roi
    max_roi: Decimal = _DEFAULTS.max_roi
    max_daily_trades: int = _DEFAULTS.max_daily_trades
    max_daily_loss: Decimal = _DEFAULTS.max_daily_loss

    @model_validator(mode="after")
    def _sound(self) -> "SettingsSection":
        try:
            problems = self.first().problems()
        except InvalidSettings as wrong:
            raise ValueError(str(wrong)) from None
        if problems:
            raise ValueError(" and ".join(f"{one.field} {one.message}" for one in problems))
        return self

    def first(self) -> ExecutorSettings:
        """The settings that a new journal begins with."""
        return replace(_DEFAULTS, **parse(self.model_dump()))
