"""The phases of an arbitrage, the legal steps between them, and the words the trade log uses."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.decision import (
    BuyOpposite,
    Complete,
    Decision,
    Escalate,
    Hold,
    PriceExits,
    Reconcile,
    StandDown,
    Unwind,
)
from domain.leg import LegState
from domain.money import Price, Size, Usd


class Phase(StrEnum):
    """Where an arbitrage stands."""

    RESERVING = "RESERVING"
    PLACING = "PLACING"
    RESOLVING = "RESOLVING"
    UNWINDING = "UNWINDING"
    HOLDING = "HOLDING"
    CLOSING = "CLOSING"
    SETTLING = "SETTLING"
    NEEDS_OPERATOR = "NEEDS_OPERATOR"
    REFUSED = "REFUSED"
    FLAT = "FLAT"
    SETTLED = "SETTLED"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self in ENDS


ENDS = frozenset({Phase.REFUSED, Phase.FLAT, Phase.SETTLED})
_WORKING = frozenset(
    {Phase.RESOLVING, Phase.UNWINDING, Phase.HOLDING, Phase.CLOSING, Phase.NEEDS_OPERATOR}
)

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.RESERVING: frozenset({Phase.PLACING, Phase.REFUSED}),
    Phase.PLACING: _WORKING | {Phase.FLAT},
    Phase.RESOLVING: (_WORKING | {Phase.FLAT}) - {Phase.RESOLVING},
    Phase.UNWINDING: (_WORKING | {Phase.FLAT}) - {Phase.UNWINDING},
    Phase.HOLDING: (_WORKING | {Phase.SETTLING, Phase.FLAT}) - {Phase.HOLDING},
    Phase.CLOSING: frozenset({Phase.RESOLVING, Phase.HOLDING, Phase.NEEDS_OPERATOR, Phase.FLAT}),
    Phase.SETTLING: frozenset({Phase.RESOLVING, Phase.NEEDS_OPERATOR, Phase.SETTLED}),
    Phase.NEEDS_OPERATOR: (_WORKING | {Phase.FLAT, Phase.SETTLING}) - {Phase.NEEDS_OPERATOR},
    Phase.REFUSED: frozenset(),
    Phase.FLAT: frozenset(),
    Phase.SETTLED: frozenset(),
}


class IllegalStep(Exception):
    """A phase was to follow another that TRANSITIONS does not allow."""


def step(current: Phase, following: Phase) -> Phase:
    """The following phase, or the same one again; anything else raises IllegalStep."""
    if following is current or following in TRANSITIONS[current]:
        return following
    legal = ", ".join(sorted(TRANSITIONS[current])) or "nothing"
    raise IllegalStep(f"after {current} expected {legal}, found {following}")


def phase_for(decision: Decision, *, flatten: bool) -> Phase:
    """The phase an arbitrage is in while it carries a decision out."""
    match decision:
        case Reconcile():
            return Phase.RESOLVING
        case PriceExits() | Complete() | BuyOpposite():
            return Phase.UNWINDING
        case Unwind():
            return Phase.CLOSING if flatten else Phase.UNWINDING
        case Hold():
            return Phase.HOLDING
        case Escalate():
            return Phase.NEEDS_OPERATOR
        case StandDown():
            return Phase.FLAT


class TradeStatus(StrEnum):
    """How the trade log names an arbitrage (the seed's words)."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"
    PARTIAL = "PARTIAL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


def status_of(phase: Phase, polymarket: LegState, kalshi: LegState, *, locked: bool) -> TradeStatus:
    """The word for a trade: `locked` says that both legs were equal, at a guaranteed profit, when
    it was last decided. Equal legs that cost more than they pay are a PARTIAL."""
    if phase is Phase.NEEDS_OPERATOR:
        return TradeStatus.ROLLBACK_FAILED
    if locked:
        return TradeStatus.SUCCESS
    if phase in {Phase.FLAT, Phase.REFUSED}:
        bought = polymarket.bought + kalshi.bought > 0
        return TradeStatus.ROLLED_BACK if bought else TradeStatus.FAILED
    return TradeStatus.PARTIAL


@dataclass(frozen=True, slots=True)
class LegResult:
    """One leg for a reader, derived from its fills (the seed's model, exact numbers).

    `filled_shares` contracts bought, `filled_price` dollars per contract without fees,
    `filled_cost` dollars without fees; `error` the venue's reason where nothing filled.
    """

    platform: str
    success: bool
    order_id: str | None
    filled_shares: Size
    filled_price: Price | None
    filled_cost: Usd
    error: str | None = None


def roi_percent(profit: Usd, outlay: Usd) -> Decimal:
    """Profit as percent of what was spent; 0 where nothing was."""
    return Decimal(profit) / outlay * 100 if outlay > 0 else Decimal(0)
