"""A fair price of one venue leaves the other leg a bet, a plain answer only if they differ."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.answers import Answered, alone
from domain.leg import LegState
from domain.money import size, usd
from domain.venue import Venue
from tests.domain.build import a_leg

PM, K = Venue.POLYMARKET, Venue.KALSHI


def legs(polymarket: str = "100", kalshi: str = "100") -> tuple[LegState, LegState]:
    """A pair that cost $97.12."""
    return (
        a_leg(PM, held=polymarket, paid="47.12"),
        a_leg(K, held=kalshi, paid="50.00"),
    )


@pytest.mark.parametrize(
    ("venue", "pays", "sure", "low", "high", "parted"),
    [
        (K, "0.54", "54", "54", "154", True),  # a game put off: a fair price at once
        (PM, "0.5", "50", "50", "150", True),  # called off: Polymarket pays half first
        (K, "1", "100", "100", "200", False),
        (PM, "0", "0", "0", "100", False),
    ],
)
def test_what_the_other_leg_may_still_bring(
    venue: Venue, pays: str, sure: str, low: str, high: str, parted: bool
) -> None:
    found = alone(legs(), {venue: Answered(Decimal(pays), credited=False)})
    assert found is not None
    assert (found.leg.venue, found.still.venue) == (venue, venue.sibling)
    assert (found.sure, found.low, found.high) == (usd(sure), usd(low), usd(high))
    assert (found.outlay, found.parted) == (usd("97.12"), parted)


@pytest.mark.parametrize("known", [(), (PM, K)])
def test_no_answer_or_both_leave_no_bet(known: tuple[Venue, ...]) -> None:
    assert (
        alone(legs(), {venue: Answered(Decimal("0.5"), credited=True) for venue in known}) is None
    )


def test_a_leg_beside_which_nothing_is_held_is_no_pair() -> None:
    assert alone(legs(polymarket="0"), {K: Answered(Decimal("0.54"), credited=True)}) is None


def test_pairs_that_pay_whatever_the_answer_are_no_bet() -> None:
    neutral = replace(legs()[0], held=size(0), neutral=size(100))
    held = neutral, legs()[1]
    assert alone(held, {K: Answered(Decimal("0.54"), credited=True)}) is None
