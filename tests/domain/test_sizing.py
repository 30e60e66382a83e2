"""Sizing against a brute force of its own, in fractions, over small books."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from domain.fees import KalshiFee, PolymarketFee
from domain.money import Price, price, size, usd
from domain.opportunity import Opportunity, Refused
from domain.payout import Holding, payout_by_outcome
from domain.policy import ExecutorSettings, Refusal
from domain.sizing import Side, size_pair
from domain.venue import Outcome, Venue
from tests.domain.build import PAIR, a_book, a_side, an_instrument
from tests.domain.tables import rows

PM_YES = an_instrument(Venue.POLYMARKET, Outcome.YES, size_min="5", notional_min="1")
PM_FINE = an_instrument(Venue.POLYMARKET, Outcome.YES, tick="0.001", size_min="5", notional_min="1")
KX_NO = an_instrument(Venue.KALSHI, Outcome.NO, size_min="1")
SETTINGS = ExecutorSettings()
Levels = list[tuple[Price, int]]


@dataclass(frozen=True)
class Case:
    """One pair of ladders, the fees and the limits they are sized with."""

    polymarket: Levels
    kalshi: Levels
    rate: Decimal
    multiplier: Decimal
    max_bet: Decimal
    cash: tuple[Decimal, Decimal]

    def sides(self) -> tuple[Side, Side]:
        polymarket = replace(PM_FINE, fee=PolymarketFee(self.rate))
        kalshi = replace(KX_NO, fee=KalshiFee(self.multiplier))
        return (
            a_side(polymarket, self.polymarket, self.cash[0]),
            a_side(kalshi, self.kalshi, self.cash[1]),
        )


def up(value: Fraction, decimals: int) -> Fraction:
    """Rounded up to so many decimals."""
    return Fraction(ceil(value * 10**decimals), 10**decimals)


def outlays(case: Case, n: int, a: Fraction, b: Fraction) -> tuple[Fraction, Fraction]:
    """The most that can leave each account for n contracts at limits a and b."""
    best = min(Fraction(at) for at, _ in case.polymarket)
    improved = max(best - Fraction(1, 10), Fraction(0))
    polymarket = n * a + up(n * a * Fraction(case.rate) * (1 - improved), 5)
    model = Fraction(7, 100) * Fraction(case.multiplier) * n * b * (1 - b)
    kalshi = n * b + up(model, 4) + n * Fraction(1, 10_000) + Fraction(2, 100)
    return polymarket, kalshi


def fills(levels: Levels, dollars: Fraction, limit: Fraction) -> bool:
    """Whether Polymarket fills an order of these dollars: it spends all of them up to the limit,
    or it kills the order."""
    for at, offered in sorted(levels):
        if Fraction(at) <= limit:
            dollars -= min(dollars, Fraction(at) * offered)
    return dollars == 0


def plans(case: Case, settings: ExecutorSettings) -> list[tuple[Fraction, int, bool]]:
    """(profit, size, largest) of every whole size at every pair of limits that may be taken."""
    found = []
    for a, b in (
        (up(Fraction(p), 2), Fraction(k)) for p, _ in case.polymarket for k, _ in case.kalshi
    ):
        depth = sum(n for at, n in case.kalshi if at <= b)
        paid = {
            n: outlays(case, n, a, b)
            for n in range(1, depth + 1)
            if fills(case.polymarket, n * a, a)
        }
        payable = [
            n
            for n, (pm, kx) in paid.items()
            if pm + kx <= case.max_bet and pm <= case.cash[0] and kx <= case.cash[1]
        ]
        for n in payable:
            outlay = paid[n][0] + paid[n][1]
            profit = n - outlay
            roi = profit / outlay * 100
            if n * a < 1 or n < 5 or outlay < settings.min_bet:
                continue
            if profit > 0 and settings.min_roi <= roi <= settings.max_roi:
                found.append((profit, n, n == max(payable)))
    return found


def levels(low: int, high: int, places: int = 2) -> st.SearchStrategy[Levels]:
    """Up to four levels at prices of so many decimals."""
    prices = st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True)
    sizes = st.lists(st.integers(1, 30), min_size=4, max_size=4)
    return st.tuples(prices, sizes).map(
        lambda drawn: [(price(Decimal(p).scaleb(-places)), n) for p, n in zip(*drawn, strict=False)]
    )


CASES = st.builds(
    Case,
    polymarket=levels(20, 50) | levels(200, 500, places=3),
    kalshi=levels(30, 60),
    rate=st.sampled_from([Decimal("0"), Decimal("0.04"), Decimal("0.07")]),
    multiplier=st.sampled_from([Decimal("0"), Decimal("0.5"), Decimal("1")]),
    max_bet=st.integers(5, 60).map(Decimal),
    cash=st.tuples(st.integers(0, 40).map(Decimal), st.integers(0, 40).map(Decimal)),
)
LOOSE = ExecutorSettings(min_bet=usd("0.01"), min_roi=Decimal(0), max_roi=Decimal(1000))


@given(CASES, st.sampled_from([LOOSE, ExecutorSettings()]))
def test_the_plan_is_the_best_of_the_largest_sizes_at_every_pair_of_limits(
    case: Case, settings: ExecutorSettings
) -> None:
    settings = replace(settings, max_bet=usd(case.max_bet))
    found = size_pair(PAIR, *case.sides(), settings, seen_ns=0)
    expected = [profit for profit, _, largest in plans(case, settings) if largest]
    event("opportunity" if expected else "refused")
    if expected:
        assert isinstance(found, Opportunity)
        assert Fraction(found.profit) == max(expected)
    else:
        assert isinstance(found, Refused)


@given(CASES)
def test_no_smaller_size_gains_more_than_the_rounding_of_a_fee(case: Case) -> None:
    settings = replace(LOOSE, max_bet=usd(case.max_bet))
    found = size_pair(PAIR, *case.sides(), settings, seen_ns=0)
    best = max((profit for profit, _, _ in plans(case, settings)), default=None)
    if best is None:
        assert isinstance(found, Refused)
    else:
        assert isinstance(found, Opportunity)
        assert best - Fraction(found.profit) <= Fraction("0.00011")


@given(CASES)
def test_a_plan_adds_up_and_keeps_every_limit(case: Case) -> None:
    settings = replace(LOOSE, max_bet=usd(case.max_bet))
    sides = case.sides()
    found = size_pair(PAIR, *sides, settings, seen_ns=7)
    if isinstance(found, Refused):
        return
    assert found.size == int(found.size) == found.polymarket.size == found.kalshi.size
    assert found.outlay == found.polymarket.outlay + found.kalshi.outlay <= case.max_bet
    hedge = (
        Holding(found.polymarket.instrument.outcome, found.size),
        Holding(found.kalshi.instrument.outcome, found.size),
    )
    assert found.payout == min(payout_by_outcome(hedge).values()) == found.size
    assert found.profit == found.payout - found.outlay > 0
    for leg, side in ((found.polymarket, sides[0]), (found.kalshi, sides[1])):
        assert leg.outlay == leg.size * leg.limit + leg.fee_bound <= side.cash
        assert leg.expected <= leg.size * leg.limit
        assert leg.best == side.book.asks[0].price <= leg.limit
        assert side.instrument.allows_price(leg.limit)
    dollars = found.polymarket.size * found.polymarket.limit
    assert dollars == dollars.quantize(Decimal("0.01")), "a BUY spends whole cents"
    offered = sum(at * n for at, n in case.polymarket if at <= found.polymarket.limit)
    assert dollars <= offered, "a BUY whose dollars the book does not take is killed"


# What is bought of both where Kalshi offers plenty at 0.48 and money is plenty too.
SPENDABLE = """
    tick    asks                    most at limit
    0.01    0.40x100                100 at 0.40
    0.01    0.40x5                  5 at 0.40
    0.01    0.40x5 0.42x5           9 at 0.42
    0.01    0.40x100 0.42x100       195 at 0.42
    0.01    0.40x100 0.42x1         100 at 0.40
    0.001   0.403x10                9 at 0.41
    0.001   0.403x10 0.409x10       19 at 0.41
"""


@pytest.mark.parametrize(("tick", "asks", "expected"), rows(SPENDABLE))
def test_a_polymarket_leg_is_never_larger_than_its_dollars_can_buy(
    tick: str, asks: str, expected: str
) -> None:
    levels_ = [level.split("x") for level in asks.split(" ")]
    polymarket = a_side(
        an_instrument(Venue.POLYMARKET, tick=tick), [(at, offered) for at, offered in levels_]
    )
    settings = replace(LOOSE, max_bet=usd(1000))
    found = size_pair(PAIR, polymarket, a_side(KX_NO, [("0.48", 1000)]), settings, seen_ns=0)
    assert isinstance(found, Opportunity)
    assert f"{found.size} at {found.polymarket.limit}" == expected


def test_the_same_books_give_the_same_opportunity_and_newer_ones_another_key() -> None:
    case = (a_side(PM_YES, [("0.40", 50)]), a_side(KX_NO, [("0.50", 50)]))
    first = size_pair(PAIR, *case, SETTINGS, seen_ns=1)
    assert isinstance(first, Opportunity)
    assert size_pair(PAIR, *case, SETTINGS, seen_ns=1) == first
    newer = a_side(KX_NO, [("0.50", 50)])
    newer = replace(newer, book=replace(newer.book, version=2))
    second = size_pair(PAIR, case[0], newer, SETTINGS, seen_ns=1)
    assert isinstance(second, Opportunity)
    assert second.key != first.key


def test_a_polymarket_limit_on_a_finer_tick_is_raised_to_a_whole_cent() -> None:
    fine = an_instrument(Venue.POLYMARKET, tick="0.001")
    found = size_pair(
        PAIR, a_side(fine, [("0.401", 50)]), a_side(KX_NO, [("0.50", 50)]), SETTINGS, seen_ns=0
    )
    assert isinstance(found, Opportunity)
    assert found.polymarket.limit == price("0.41")
    assert found.polymarket.best == price("0.401")


def test_what_is_spent_counts_and_not_what_a_lucky_book_would_have_asked() -> None:
    polymarket = a_side(PM_YES, [("0.30", 1), ("0.44", 50)])
    found = size_pair(PAIR, polymarket, a_side(KX_NO, [("0.50", 50)]), SETTINGS, seen_ns=0)
    assert isinstance(found, Opportunity)
    assert found.polymarket.expected < found.size * found.polymarket.limit
    assert found.polymarket.outlay > found.size * price("0.44")


REASONS = {
    Refusal.EDGE_BELOW_POLICY: {"polymarket": "0.49"},
    Refusal.ROI_ABOVE_POLICY: {"polymarket": "0.10", "kalshi": "0.10"},
    Refusal.SIZE_BELOW_VENUE_MINIMUM: {"depth": "4"},
    Refusal.BET_ABOVE_MAXIMUM: {"max_bet": "0.50", "min_bet": "0.10"},
    Refusal.BET_BELOW_MINIMUM: {"depth": "5"},
    Refusal.POLYMARKET_CASH_TOO_LOW: {"cash": "1"},
    Refusal.KALSHI_CASH_TOO_LOW: {"cash_kalshi": "0.4099"},
}
WORDS = {
    Refusal.EDGE_BELOW_POLICY: "its gain is -2.42 %, and the settings ask for 1 %",
    Refusal.ROI_ABOVE_POLICY: "its gain is 372.09 %, and above 50 % the two are hardly the same "
    "question",
    Refusal.SIZE_BELOW_VENUE_MINIMUM: "polymarket takes 5 contracts and $1 or more, and it would "
    "be 4 at $0.40",
    Refusal.BET_ABOVE_MAXIMUM: "1 of each cost $0.96, and the settings allow $0.50",
    Refusal.BET_BELOW_MINIMUM: "5 of each cost $4.67, and the settings ask for $5.00 or more",
    Refusal.POLYMARKET_CASH_TOO_LOW: "3 at polymarket cost $1.25, and $1.00 is free there",
    Refusal.KALSHI_CASH_TOO_LOW: "1 at kalshi cost $0.54, and $0.40 is free there",
}
"""What a person reads: costs rounded up, what is free and what is gained rounded down."""


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_names_the_one_rule_that_is_broken(reason: Refusal) -> None:
    given_ = {"polymarket": "0.40", "kalshi": "0.50", "depth": "50", "cash": "100",
              "cash_kalshi": "100", "min_bet": "5", "max_bet": "10"} | REASONS[reason]  # fmt: skip
    settings = ExecutorSettings(min_bet=usd(given_["min_bet"]), max_bet=usd(given_["max_bet"]))
    found = size_pair(
        PAIR,
        a_side(PM_YES, [(given_["polymarket"], given_["depth"])], given_["cash"]),
        a_side(KX_NO, [(given_["kalshi"], given_["depth"])], given_["cash_kalshi"]),
        settings,
        seen_ns=0,
    )
    assert isinstance(found, Refused)
    assert found.reason is reason, found.detail
    assert found.detail == WORDS[reason]


def test_books_that_offer_nothing_less_than_a_contract_or_cross_are_refused() -> None:
    good = a_side(KX_NO, [("0.50", 50)])
    crossed = Side(PM_YES, a_book(PM_YES, [("0.40", 9)], [("0.41", 9)]), usd(100))
    for side, reason in (
        (a_side(PM_YES, []), Refusal.BOOK_EMPTY),
        (a_side(PM_YES, [("0.40", "0.99")]), Refusal.BOOK_EMPTY),
        (crossed, Refusal.BOOK_CROSSED),
    ):
        found = size_pair(PAIR, side, good, SETTINGS, seen_ns=0)
        assert isinstance(found, Refused)
        assert found.reason is reason


def test_cash_that_buys_less_than_the_depth_makes_the_plan_smaller() -> None:
    plenty = a_side(PM_YES, [("0.40", 50)]), a_side(KX_NO, [("0.50", 50)])
    tight = plenty[0], replace(plenty[1], cash=usd("4"))
    settings = ExecutorSettings(max_bet=usd(40))
    large = size_pair(PAIR, *plenty, settings, seen_ns=0)
    small = size_pair(PAIR, *tight, settings, seen_ns=0)
    assert isinstance(large, Opportunity)
    assert isinstance(small, Opportunity)
    assert (large.size, small.size) == (size(42), size(7))
