"""The price grid of an instrument."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.venue import Outcome, TickBand, Venue
from tests.domain.build import an_instrument
from tests.domain.tables import rows

MILL, CENT = Decimal("0.001"), Decimal("0.01")
TAPERED = replace(
    an_instrument(Venue.KALSHI),
    ticks=(
        TickBand(Decimal("0"), Decimal("0.1"), MILL),
        TickBand(Decimal("0.1"), Decimal("0.9"), CENT),
        TickBand(Decimal("0.9"), Decimal("1"), MILL),
    ),
)

# Tenths of a cent below ten and above ninety cents, whole cents between.
TABLE = """
    value    allowed  at most  at least
    0.001    yes      0.001    0.001
    0.0015   no       0.001    0.002
    0.0995   no       0.099    0.100
    0.1      yes      0.100    0.100
    0.1005   no       0.10     0.11
    0.105    no       0.10     0.11
    0.11     yes      0.11     0.11
    0.895    no       0.89     0.90
    0.9      yes      0.900    0.900
    0.9995   no       0.999    1.000
    0.999    yes      0.999    0.999
"""


@pytest.mark.parametrize(("value", "allowed", "at_most", "at_least"), rows(TABLE))
def test_prices_are_put_on_the_band_that_holds_them(
    value: str, allowed: str, at_most: str, at_least: str
) -> None:
    assert TAPERED.allows_price(Decimal(value)) is (allowed == "yes")
    assert TAPERED.price_at_most(Decimal(value)) == Decimal(at_most)
    assert TAPERED.price_at_least(Decimal(value)) == Decimal(at_least)


@given(st.integers(1, 99_999).map(lambda n: Decimal(n).scaleb(-5)))
def test_a_floor_and_a_cap_are_on_the_grid_and_enclose_the_price(value: Decimal) -> None:
    low, high = TAPERED.price_at_most(value), TAPERED.price_at_least(value)
    assert low <= value <= high
    for bound in (low, high):
        assert TAPERED.allows_price(bound) or bound in (0, 1)
    assert (low == high) == TAPERED.allows_price(value)


@pytest.mark.parametrize("value", ["0", "1", "-0.01", "1.01"])
def test_no_order_may_name_a_price_of_nothing_or_a_dollar(value: str) -> None:
    assert not TAPERED.allows_price(Decimal(value))


def test_venues_and_outcomes_come_in_twos() -> None:
    assert {venue.sibling for venue in Venue} == set(Venue)
    assert all(venue.sibling is not venue for venue in Venue)
    assert all(outcome.complement is not outcome for outcome in Outcome)
