"""What a holding pays, outcome by outcome. Only the minimum may be called guaranteed."""

from dataclasses import dataclass
from decimal import Decimal

from domain.leg import LegState
from domain.money import NO_USD, ONE, ZERO, Size, Usd, proceeds_floor
from domain.venue import Outcome


@dataclass(frozen=True, slots=True)
class Holding:
    """Contracts that pay one dollar each on `outcome`."""

    outcome: Outcome
    size: Size


@dataclass(frozen=True, slots=True)
class Locked:
    """Both legs are equal and whatever happens pays more than was spent."""

    payout: Usd
    outlay: Usd
    profit: Usd
    surplus: Size


@dataclass(frozen=True, slots=True)
class NotLocked:
    """At least one outcome loses `loss` dollars (negative where even it gains)."""

    worst: Outcome
    payout: Usd
    outlay: Usd
    loss: Usd


def holdings(leg: LegState, outcome: Outcome) -> tuple[Holding, ...]:
    """Everything that a leg on `outcome` has, contracts of the other outcome too."""
    other = (Holding(outcome.complement, leg.opposite),) if leg.opposite > ZERO else ()
    return (Holding(outcome, leg.owned), *other)


def paid_out(leg: LegState, pays: Decimal) -> Usd:
    """Dollars that everything a leg has pays once a contract of its outcome pays `pays`; each
    outcome is paid for itself, rounded down."""
    other = proceeds_floor((ONE - pays) * leg.opposite)
    return Usd(proceeds_floor(pays * leg.owned) + other)


def payout_by_outcome(held: tuple[Holding, ...]) -> dict[Outcome, Usd]:
    """Dollars paid under each answer to the question."""
    return {
        outcome: Usd(sum((h.size for h in held if h.outcome is outcome), start=NO_USD))
        for outcome in Outcome
    }


def judge(
    polymarket: LegState, polymarket_outcome: Outcome, kalshi: LegState, dust: Size
) -> Locked | NotLocked:
    """Whether two legs are a locked arbitrage. Polymarket's surplus never counts as hedge.

    Nothing is locked while an order of either leg is unknown. A provisional fill counts until it
    is voided: whoever shows the result says so (`LegState.settled`).
    """
    by_outcome = payout_by_outcome(
        holdings(polymarket, polymarket_outcome) + holdings(kalshi, polymarket_outcome.complement)
    )
    worst = min(by_outcome, key=lambda outcome: by_outcome[outcome])
    payout = by_outcome[worst]
    outlay = Usd(polymarket.paid - polymarket.received + kalshi.paid - kalshi.received)
    gap = polymarket.held - kalshi.held
    better = gap if polymarket.surplus is None else polymarket.surplus
    surplus_only = kalshi.held >= kalshi.planned and ZERO < gap <= better + dust
    even = abs(gap) <= dust or surplus_only
    definite = not polymarket.unknown and not kalshi.unknown
    if definite and even and payout > ZERO and payout > outlay:
        return Locked(payout, outlay, Usd(payout - outlay), Size(max(gap, ZERO)))
    return NotLocked(worst, payout, outlay, Usd(outlay - payout))
