"""Exact money: what is accepted, and which way each rounding goes."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import (
    MICRO,
    NotMoney,
    ceil_to,
    cost_ceil,
    exact,
    floor_to,
    from_micro,
    on_grid,
    price,
    proceeds_floor,
    show_cost,
    show_usd,
    size,
    size_floor,
    tidy,
    to_micro,
    usd,
)
from tests.domain.tables import rows

AMOUNTS = st.decimals(-10_000_000, 10_000_000, places=12)
STEPS = st.sampled_from([Decimal(s) for s in ("1", "0.1", "0.01", "0.0025", "0.001", "0.000001")])


@pytest.mark.parametrize("found", [0.5, 1.0, float("nan"), True, None, b"1", [1], (0, (1,), 0)])
@pytest.mark.parametrize("accept", [exact, price, size, usd])
def test_nothing_but_text_whole_numbers_and_decimals_is_money(
    accept: object, found: object
) -> None:
    assert callable(accept)
    with pytest.raises(NotMoney, match="expected a decimal string or an integer, found"):
        accept(found)


@pytest.mark.parametrize(
    "found",
    ["", "x", "1,5", "0x1", "NaN", "sNaN", "Infinity", "-inf", "1_000", "1e400", "1e12", "-1e12"],
)
def test_text_that_is_no_exact_amount_is_refused_by_name(found: str) -> None:
    with pytest.raises(NotMoney, match=r"expected .*, found "):
        exact(found)


@pytest.mark.parametrize("found", ["0", "1", "-0.1", "1.0001", "2"])
def test_a_price_lies_strictly_between_nothing_and_a_dollar(found: str) -> None:
    with pytest.raises(NotMoney, match="between 0 and 1"):
        price(found)


def test_a_size_is_never_negative_and_dollars_may_be() -> None:
    with pytest.raises(NotMoney, match="zero or more"):
        size("-0.01")
    assert size("0") == 0
    assert usd("-0.01") == Decimal("-0.01")


@given(AMOUNTS, STEPS)
def test_rounding_goes_the_way_its_name_says_and_less_than_a_step(
    value: Decimal, step: Decimal
) -> None:
    low, high = floor_to(value, step), ceil_to(value, step)
    assert Fraction(low) <= Fraction(value) <= Fraction(high)
    assert Fraction(value) - Fraction(low) < Fraction(step)
    assert Fraction(high) - Fraction(value) < Fraction(step)
    assert on_grid(low, step)
    assert on_grid(high, step)
    assert (low == high) == on_grid(value, step)


@given(AMOUNTS)
def test_costs_round_up_and_proceeds_and_sizes_down(value: Decimal) -> None:
    assert cost_ceil(value) == ceil_to(value, MICRO) >= value
    assert proceeds_floor(value) == floor_to(value, MICRO) <= value
    assert size_floor(value, Decimal("0.01")) <= value


@given(st.integers(-(10**17), 10**17))
def test_micro_units_come_back_as_they_went(micro: int) -> None:
    assert to_micro(from_micro(micro)) == micro


def test_an_amount_finer_than_a_millionth_cannot_be_stored() -> None:
    with pytest.raises(NotMoney, match="at most six decimals"):
        to_micro(Decimal("0.0000001"))


SHOWN = """
    dollars      places  shown
    1            2       $1.00
    0.419        2       $0.41
    0            2       $0.00
    -0           2       $0.00
    -0.52        2       -$0.52
    -0.001       2       -$0.01
    0.123456     4       $0.1234
    1234567.891  2       $1234567.89
"""


@pytest.mark.parametrize(("dollars", "places", "shown"), rows(SHOWN))
def test_a_gain_is_shown_rounded_down_and_a_loss_rounded_up(
    dollars: str, places: str, shown: str
) -> None:
    assert show_usd(Decimal(dollars), int(places)) == shown


@given(st.decimals(0, 10_000_000, places=6))
def test_what_is_shown_of_a_cost_is_never_less_than_it(dollars: Decimal) -> None:
    shown = Decimal(show_cost(dollars).removeprefix("$"))
    assert dollars <= shown < dollars + Decimal("0.01")
    assert Decimal(show_usd(dollars).removeprefix("$")) <= dollars


@pytest.mark.parametrize(
    ("said", "tidied"),
    [
        ("holds 20.000000, sold 3.500000", "holds 20, sold 3.5"),
        ("v1.20.0 at 127.0.0.1 and 100", "v1.20.0 at 127.0.0.1 and 100"),
    ],
)
def test_words_are_tidied_of_needless_zeros_and_of_nothing_else(said: str, tidied: str) -> None:
    assert tidy(said) == tidied
