"""Fees against the published examples, and the laws of the rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kalshi.fees import BROKER_GRID, DIRECT_GRID, RoundingAccumulator, trade_fee
from sim.units import decimal_text, micros

# fills are size@price; a minus before the size sells
TABLE = """
    fills            multiplier  grid    model               net              change
    100@0.43         1           direct  1.715700            1.715700         -44.715700
    10@0.55          1           direct  0.173250            0.173300         -5.673300
    1@0.07           1           direct  0.004557            0.004600         -0.074600
    -10@0.52         1           direct  0.174720            0.174800         5.025200
    4@0.41,6@0.42    1           direct  0.067732,0.102312   0.067800,0.102300  -4.330100
    10@0.55          1           broker  0.173250            0.180000         -5.680000
    100@0.43         0.5         direct  0.857850            0.857900         -43.857900
    5@0.40           0           direct  0.000000            0.000000         -2.000000
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:], ids=str.strip)
def test_the_published_examples_come_out(row: str) -> None:
    fills, multiplier, grid, models, nets, change = row.split()
    order = RoundingAccumulator(DIRECT_GRID if grid == "direct" else BROKER_GRID)
    total, found = 0, []
    for fill in fills.split(","):
        size, price = (micros(part) for part in fill.split("@"))
        model = trade_fee("quadratic", multiplier, price, abs(size), is_taker=True)
        revenue = -size * price // 1_000_000
        charged = order.charge(revenue, model)
        total += revenue - charged
        found.append((decimal_text(model), decimal_text(charged)))
    assert found == list(zip(models.split(","), nets.split(","), strict=True))
    assert decimal_text(total) == change


MAKERS = """
    fee_type                         fee of 100@0.50
    quadratic                        0.000000
    quadratic_with_maker_fees        0.437500
    quadratic_with_combo_maker_fees  0.875000
"""


@pytest.mark.parametrize("row", MAKERS.strip().splitlines()[1:], ids=str.strip)
def test_makers_pay_by_fee_type(row: str) -> None:
    fee_type, fee = row.split()
    found = trade_fee(fee_type, "1", 500_000, 100_000_000, is_taker=False)
    assert decimal_text(found) == fee


def test_an_unknown_fee_type_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        trade_fee("flat", "1", 500_000, 1_000_000, is_taker=False)


@given(
    st.lists(
        st.tuples(st.integers(1, 9_999), st.integers(1, 10**6), st.booleans()),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([DIRECT_GRID, BROKER_GRID]),
)
def test_balances_stay_on_the_grid_and_roundings_are_given_back(
    fills: list[tuple[int, int, bool]], grid: int
) -> None:
    order = RoundingAccumulator(grid)
    charged = model = 0
    for tenth_milli, lots, sells in fills:
        price, size = tenth_milli * 100, lots * 10_000
        fee = trade_fee("quadratic", "1", price, size, is_taker=True)
        exact = Fraction(7, 100) * Fraction(size * price * (10**6 - price), 10**12)
        assert exact <= fee < exact + 1
        revenue = (size if sells else -size) * price // 10**6
        net = order.charge(revenue, fee)
        assert net >= 0
        assert (revenue - net) % grid == 0
        charged, model = charged + net, model + fee
    # all that was paid beyond the model fees is what the order still has to get back
    assert charged - model == order.held
    assert order.held >= 0
