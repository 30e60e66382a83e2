"""Taker fees: every worked example of both venues, and bounds that no fill breaks.

The charge is computed a second time here with fractions, fill by fill and with Kalshi's rebate
accumulator, from the venues' published rules.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fees import IMPROVEMENT_COVERED, KalshiFee, PolymarketFee
from domain.money import Price, price, size, usd
from tests.domain.tables import rows

OBSERVED = Path(__file__).parents[3] / "shared/data/matching/observed_taker_fees.csv"
DIRECT, BROKER = Decimal("0.0001"), Decimal("0.01")
Cut = list[tuple[int, Price]]


def raw_fee(rate: Decimal, contracts: Decimal | int, at: Decimal) -> Fraction:
    """rate * n * p * (1 - p), exactly."""
    return Fraction(rate) * Fraction(contracts) * Fraction(at) * (1 - Fraction(at))


@dataclass
class Member:
    """One Kalshi order as the venue charges it: autumn 2026 rounding, one grid step of rebate as
    soon as the accumulator holds it and the fill's fee covers it."""

    multiplier: Decimal
    grid: Decimal
    held_back: Fraction = Fraction(0)

    def charge(self, contracts: Decimal | int, at: Decimal, *, sells: bool = False) -> Fraction:
        """The fee of the next fill of the order."""
        grid = Fraction(self.grid)
        fee = Fraction(ceil(raw_fee(self.multiplier * Decimal("0.07"), contracts, at) * 10**6))
        trade_fee = fee / 10**6
        revenue = Fraction(contracts) * Fraction(at) * (1 if sells else -1)
        change = floor((revenue - trade_fee) / grid) * grid
        rounding = revenue - trade_fee - change
        self.held_back += rounding
        net = trade_fee + rounding
        if self.held_back >= grid and net >= grid:
            self.held_back -= grid
            net -= grid
        return net


class EarlierMember(Member):
    """The rounding until summer 2026: fees up to $0.0001, whole cents back above a cent."""

    def charge(self, contracts: Decimal | int, at: Decimal, *, sells: bool = False) -> Fraction:
        grid = Fraction(self.grid)
        fee = Fraction(ceil(raw_fee(self.multiplier * Decimal("0.07"), contracts, at) * 10**4))
        trade_fee = fee / 10**4
        revenue = Fraction(contracts) * Fraction(at) * (1 if sells else -1)
        rounding = revenue - trade_fee - floor((revenue - trade_fee) / grid) * grid
        self.held_back += rounding
        rebate = Fraction(1, 100) if self.held_back > Fraction(1, 100) else Fraction(0)
        self.held_back -= rebate
        return trade_fee + rounding - rebate


def kalshi_order(
    fee: KalshiFee, cut: Cut, *, sells: bool = False, rule: type[Member] = Member
) -> Fraction:
    """What the venue charges one order that these fills make."""
    member = rule(fee.multiplier, fee.grid)
    return sum((member.charge(n, at, sells=sells) for n, at in cut), start=Fraction(0))


KALSHI_BUYS = """
    contracts  price   multiplier  grid    trade fee  charged
    100        0.43    1           0.0001  1.715700   1.7157
    10         0.55    1           0.0001  0.173250   0.1733
    1          0.07    1           0.0001  0.004557   0.0046
    10         0.55    1           0.01    0.173250   0.18
    100        0.43    0.5         0.0001  0.857850   0.8579
    100        0.49    1           0.01    1.7493     1.75
    100        0.49    0.5         0.01    0.87465    0.88
    100        0.48    1           0.01    1.7472     1.75
    100        0.955   1           0.01    0.300825   0.31
    1000       0.80    1           0.01    11.20      11.20
    1          0.49    1           0.01    0.017493   0.02
    1          0.52    1           0.0001  0.017472   0.0175
    100        0.43    0           0.0001  0          0
"""


@pytest.mark.parametrize(
    ("contracts", "at", "multiplier", "grid", "trade_fee", "charged"), rows(KALSHI_BUYS)
)
def test_a_kalshi_buy_is_charged_as_the_worked_example(
    contracts: str, at: str, multiplier: str, grid: str, trade_fee: str, charged: str
) -> None:
    fee = KalshiFee(Decimal(multiplier), Decimal(grid))
    assert fee.trade_fee(size(contracts), price(at)) == Decimal(trade_fee)
    assert fee.charge(size(contracts), price(at)) == Decimal(charged)
    assert fee.charge(size(contracts), price(at)) <= fee.bound_buy(size(contracts), price(at))
    assert kalshi_order(fee, [(int(contracts), price(at))]) == Fraction(charged)


def test_the_worked_sale_and_the_worked_two_fill_order_stay_within_their_bounds() -> None:
    fee = KalshiFee(Decimal(1), DIRECT)
    sale = kalshi_order(fee, [(10, price("0.52"))], sells=True)
    assert sale == Fraction("0.1748")
    assert sale <= Fraction(fee.bound_sell(size(10), price("0.52")))
    two = kalshi_order(fee, [(4, price("0.41")), (6, price("0.42"))])
    assert two == Fraction("0.1701")
    assert Fraction("4.16") + two == Fraction("4.3301")
    assert two <= Fraction(fee.bound_buy(size(10), price("0.42")))


POLYMARKET = """
    contracts  price  rate  charged
    5          0.47   0.07  0.08718
    100        0.50   0.07  1.75
    100        0.10   0.07  0.63
    100        0.50   0.05  1.25
    100        0.10   0.05  0.45
    100        0.50   0.04  1.00
    100        0.10   0.04  0.36
    100        0.50   0     0
    25         0.13   0.05  0.14137
    100        0.46   0.04  0.9936
    100        0.49   0.04  0.9996
    100        0.46   0.05  1.2420
    100        0.48   0.07  1.7472
    1000       0.174  0.04  5.74896
    1          0.46   0.04  0.00993
    1          0.001  0.005  0
"""


@pytest.mark.parametrize(("contracts", "at", "rate", "charged"), rows(POLYMARKET))
def test_a_polymarket_fill_is_charged_as_the_worked_example(
    contracts: str, at: str, rate: str, charged: str
) -> None:
    fee = PolymarketFee(Decimal(rate))
    dollars = usd(size(contracts) * price(at))
    assert fee.charge(size(contracts), price(at)) == Decimal(charged)
    assert fee.charge(size(contracts), price(at)) <= fee.bound_buy(dollars, price(at))


@pytest.mark.skipif(not OBSERVED.exists(), reason="the recorded fees are not on this machine")
def test_every_fee_charged_on_a_real_fill_is_reproduced() -> None:
    with OBSERVED.open() as file:
        observed = list(csv.DictReader(file))
    assert len(observed) >= 15
    for row in observed:
        rate = Decimal(row["multiplier_or_rate"])
        fee = PolymarketFee(rate) if row["venue"] == "polymarket" else KalshiFee(rate, DIRECT)
        charged = fee.charge(size(row["contracts"]), price(row["price"]))
        assert charged == Decimal(row["fee_charged_usd"]), row


PRICES = st.integers(1, 999).map(lambda mill: price(Decimal(mill).scaleb(-3)))
RATES = st.sampled_from([Decimal(r) for r in ("0", "0.03", "0.04", "0.05", "0.07")])
MULTIPLIERS = st.sampled_from([Decimal(m) for m in ("0", "0.5", "1", "2")])
GRIDS = st.sampled_from([DIRECT, BROKER])


def cuts(prices: st.SearchStrategy[Price]) -> st.SearchStrategy[Cut]:
    """An order cut into fills of one contract or more each."""
    return st.lists(st.tuples(st.integers(1, 40), prices), min_size=1, max_size=12)


def total(cut: Iterable[tuple[int, Price]]) -> tuple[int, Fraction]:
    """Contracts and notional of a cut order."""
    fills = list(cut)
    return sum(n for n, _ in fills), sum((n * Fraction(at) for n, at in fills), start=Fraction(0))


@given(MULTIPLIERS, GRIDS, PRICES.flatmap(lambda cap: st.tuples(st.just(cap), cuts(PRICES))))
def test_a_kalshi_buy_never_takes_more_than_its_limit_and_its_bound(
    multiplier: Decimal, grid: Decimal, order: tuple[Price, Cut]
) -> None:
    cap, offered = order
    cut = [(n, min(at, cap)) for n, at in offered]
    contracts, notional = total(cut)
    fee = KalshiFee(multiplier, grid)
    bound = fee.bound_buy(size(contracts), cap)
    for rule in (Member, EarlierMember):
        outlay = notional + kalshi_order(fee, cut, rule=rule)
        assert outlay <= contracts * Fraction(cap) + Fraction(bound)


@given(MULTIPLIERS, GRIDS, PRICES, cuts(PRICES))
def test_a_kalshi_sale_never_brings_less_than_its_floor_without_its_bound(
    multiplier: Decimal, grid: Decimal, floor_price: Price, offered: Cut
) -> None:
    cut = [(n, max(at, floor_price)) for n, at in offered]
    contracts, notional = total(cut)
    fee = KalshiFee(multiplier, grid)
    bound = fee.bound_sell(size(contracts), floor_price)
    for rule in (Member, EarlierMember):
        proceeds = notional - kalshi_order(fee, cut, sells=True, rule=rule)
        assert proceeds >= contracts * Fraction(floor_price) - Fraction(bound)


@given(RATES, PRICES, cuts(PRICES))
def test_a_polymarket_buy_of_dollars_is_never_charged_more_than_its_bound(
    rate: Decimal, best: Price, offered: Cut
) -> None:
    """Each fill spends n dollars, at up to ten cents below the best price that was shown."""
    lowest = max(best - IMPROVEMENT_COVERED, Decimal("0.001"))
    fee = PolymarketFee(rate)
    spent = [(Decimal(n), max(at, lowest)) for n, at in offered]
    charged = sum(
        (floor(raw_fee(rate, 1, at) * Fraction(n) / Fraction(at) * 10**5) for n, at in spent),
        start=0,
    )
    dollars = usd(sum((n for n, _ in spent), start=Decimal(0)))
    assert Fraction(charged, 10**5) <= Fraction(fee.bound_buy(dollars, best))


@given(RATES, PRICES, cuts(PRICES))
def test_a_polymarket_sale_at_its_floor_or_better_is_never_charged_more_than_its_bound(
    rate: Decimal, floor_price: Price, offered: Cut
) -> None:
    cut = [(n, max(at, floor_price)) for n, at in offered]
    fee = PolymarketFee(rate)
    charged = sum((fee.charge(size(n), at) for n, at in cut), start=Decimal(0))
    assert charged <= fee.bound_sell(size(total(cut)[0]), floor_price)


@given(RATES, st.integers(1, 10_000), PRICES)
def test_polymarket_charges_the_raw_fee_floored_to_five_decimals(
    rate: Decimal, hundredths: int, at: Price
) -> None:
    contracts = Decimal(hundredths).scaleb(-2)
    charged = Fraction(PolymarketFee(rate).charge(size(contracts), at))
    assert charged == Fraction(floor(raw_fee(rate, contracts, at) * 10**5), 10**5)


@given(MULTIPLIERS, GRIDS, st.integers(1, 100_000), PRICES)
def test_kalshi_charges_one_fill_as_the_published_rounding(
    multiplier: Decimal, grid: Decimal, hundredths: int, at: Price
) -> None:
    contracts = Decimal(hundredths).scaleb(-2)
    single = Member(multiplier, grid)
    single.held_back = Fraction(-1)  # no rebate on a first fill
    expected = single.charge(contracts, at)
    assert Fraction(KalshiFee(multiplier, grid).charge(size(contracts), at)) == expected
