"""A question that one venue has answered and the other has not: what is left there is a bet."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.leg import LegState
from domain.money import NO_USD, ONE, ZERO, Usd
from domain.payout import paid_out
from domain.policy import DUST
from domain.venue import Venue

ALONE, UNREDEEMED = "answered:", "redeem:"
"""Keys, with an arbitrage's id after them, of the alarms about its answers."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a contract of a leg's outcome pays, and whether the venue's own record shows the cash
    for all that the leg has, contracts of the other outcome too."""

    pays: Decimal
    credited: bool


@dataclass(frozen=True, slots=True)
class Alone:
    """`leg` is answered and pays `sure` dollars, `pays` per contract; `still` is not. Both
    together bring `low` or `high` dollars for `outlay` spent."""

    leg: LegState
    still: LegState
    pays: Decimal
    sure: Usd
    low: Usd
    high: Usd
    outlay: Usd

    @property
    def parted(self) -> bool:
        """Whether the answer is neither yes nor no: the other leg hedges it no longer, whatever
        becomes of it."""
        return self.pays not in (ZERO, ONE)


def holding(legs: tuple[LegState, LegState]) -> tuple[LegState, ...]:
    """The legs of which anything is held, contracts of the other outcome too."""
    return tuple(leg for leg in legs if max(leg.owned, leg.opposite) > ZERO)


def alone(legs: tuple[LegState, LegState], answers: Mapping[Venue, Answered]) -> Alone | None:
    """The answer that stands alone, None where none does or nothing depends on the other one."""
    held = holding(legs)
    known = [leg for leg in held if leg.venue in answers]
    still = [leg for leg in held if leg.venue not in answers]
    if not known or not still:
        return None
    (leg,), (other,) = known, still
    pays = answers[leg.venue].pays
    sure = paid_out(leg, pays)
    low, high = sorted(Usd(sure + paid_out(other, pays)) for pays in (ZERO, ONE))
    if high - low <= DUST:
        return None
    outlay = Usd(sum((one.paid - one.received for one in legs), start=NO_USD))
    return Alone(leg, other, pays, sure, low, high, outlay)
