"""Only the least that any answer pays may be called guaranteed."""

from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import size, usd
from domain.payout import (
    Holding,
    Locked,
    NotLocked,
    judge,
    payout_by_outcome,
)
from domain.venue import Outcome, Venue
from tests.domain.build import a_leg
from tests.domain.tables import rows

DUST = size("0.05")
YES, NO = Outcome.YES, Outcome.NO

# Polymarket holds YES, Kalshi NO, 3 contracts planned; paid is dollars with fees.
TABLE = """
    polymarket  kalshi  paid pm  paid kx  verdict
    3           3       1.23     1.59     locked 3 for 2.82 gains 0.18
    3.2         3       1.23     1.59     locked 3 for 2.82 gains 0.18 surplus 0.2
    2.97        3       1.23     1.59     locked 2.97 for 2.82 gains 0.15
    3           3       1.40     1.60     not locked: yes pays 3 for 3.00 loses 0.00
    3           3       1.50     1.60     not locked: yes pays 3 for 3.10 loses 0.10
    2           3       0.82     1.59     not locked: yes pays 2 for 2.41 loses 0.41
    3           2       1.23     1.06     not locked: no pays 2 for 2.29 loses 0.29
    3           0       1.23     0        not locked: no pays 0 for 1.23 loses 1.23
    0           0       0        0        not locked: yes pays 0 for 0 loses 0
    5           2       0.10     0.10     not locked: no pays 2 for 0.20 loses -1.80
"""


def spoken(verdict: Locked | NotLocked) -> str:
    """A verdict in the words of the table."""
    if isinstance(verdict, Locked):
        surplus = f" surplus {verdict.surplus}" if verdict.surplus else ""
        return f"locked {verdict.payout} for {verdict.outlay} gains {verdict.profit}{surplus}"
    return (
        f"not locked: {verdict.worst} pays {verdict.payout} for {verdict.outlay} "
        f"loses {verdict.loss}"
    )


@pytest.mark.parametrize(("polymarket", "kalshi", "paid_pm", "paid_kx", "expected"), rows(TABLE))
def test_two_legs_are_judged_as_the_table_says(
    polymarket: str, kalshi: str, paid_pm: str, paid_kx: str, expected: str
) -> None:
    pm = a_leg(Venue.POLYMARKET, polymarket, paid=paid_pm)
    kx = a_leg(Venue.KALSHI, kalshi, paid=paid_kx)
    assert spoken(judge(pm, YES, kx, DUST)) == expected


def test_the_seed_s_sample_of_207_shares_against_3_contracts_loses_52_cents() -> None:
    """2.07 x $0.41 = $0.85 and 3 x $0.58 = $1.74 were announced as "Guaranteed payout: $3.00"."""
    polymarket = a_leg(Venue.POLYMARKET, "2.07", paid="0.85")
    kalshi = a_leg(Venue.KALSHI, "3", paid="1.74")
    verdict = judge(polymarket, YES, kalshi, DUST)
    assert verdict == NotLocked(worst=YES, payout=usd("2.07"), outlay=usd("2.59"), loss=usd("0.52"))
    paid = payout_by_outcome((Holding(YES, polymarket.held), Holding(NO, kalshi.held)))
    assert paid == {YES: usd("2.07"), NO: usd("3")}
    assert not hasattr(verdict, "profit"), "a reader who wants a profit to show must find Locked"


def test_the_worked_example_of_unequal_counts_guarantees_the_smaller_count() -> None:
    holdings = Holding(YES, size("2.07")), Holding(NO, size(3))
    assert min(payout_by_outcome(holdings).values()) == usd("2.07")
    assert min(payout_by_outcome(()).values()) == 0
    assert payout_by_outcome((Holding(YES, size(3)), Holding(YES, size(2)))) == {YES: 5, NO: 0}


@pytest.mark.parametrize("venue", Venue)
def test_nothing_is_locked_while_an_order_is_unknown(venue: Venue) -> None:
    unknown = {venue: ("arb-1/close/1",)}
    pm = a_leg(Venue.POLYMARKET, "3", paid="1", unknown=unknown.get(Venue.POLYMARKET, ()))
    kx = a_leg(Venue.KALSHI, "3", paid="1", unknown=unknown.get(Venue.KALSHI, ()))
    assert isinstance(judge(pm, YES, kx, DUST), NotLocked)


class Cash(NamedTuple):
    """What both legs hold, and what was paid for them."""

    polymarket: Decimal
    kalshi: Decimal
    paid: Decimal


CASES = st.builds(
    Cash,
    st.decimals(0, 20, places=2),
    st.decimals(0, 20, places=2),
    st.decimals(0, 20, places=4),
)


@given(CASES, st.sampled_from(Outcome))
def test_a_locked_pair_gains_its_profit_or_more_whatever_the_answer(
    case: Cash, outcome: Outcome
) -> None:
    pm = a_leg(Venue.POLYMARKET, str(case.polymarket), "10", paid=str(case.paid))
    kx = a_leg(Venue.KALSHI, str(case.kalshi), "10")
    verdict = judge(pm, outcome, kx, DUST)
    gains = {outcome: case.polymarket - case.paid, outcome.complement: case.kalshi - case.paid}
    if isinstance(verdict, Locked):
        assert 0 < verdict.profit == min(gains.values())
        assert verdict.payout - verdict.outlay == verdict.profit
        assert case.kalshi >= 10 or abs(case.polymarket - case.kalshi) <= DUST
    else:
        assert -verdict.loss == min(gains.values()) == gains[verdict.worst]
