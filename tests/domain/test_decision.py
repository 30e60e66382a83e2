"""What an arbitrage does next: the table, and the laws that no row may break."""

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

import pytest

from domain.decision import (
    BuyOpposite,
    Complete,
    Decision,
    Escalate,
    Hold,
    Limits,
    PriceExits,
    Reconcile,
    StandDown,
    Unwind,
    decide,
)
from domain.exits import NOT_PRICED, Completion, Exits
from domain.leg import LegState
from domain.money import ZERO, Size, price, size, usd
from domain.venue import Venue
from tests.domain.tables import rows

DUST = size("0.05")
PM, KX = Venue.POLYMARKET, Venue.KALSHI

# A leg is what it holds of 3 planned contracts: `3`; `3~` while a fill is provisional; `3?` while
# an order of it is unknown; both marks together while both are so. `0=3` holds 3 neutral pairs
# beside, and of `3.2+0.2` the fraction is what a better price gave; where nothing follows, nobody
# has counted that. Attempts are those that are left; `0 buy` where the other outcome may then be
# bought.
TABLE = """
    polymarket  kalshi  attempts  asked    decision
    3           0       2         unpriced  price polymarket 3
    0           3       2         unpriced  price kalshi 3
    2           3       2         unpriced  price kalshi 1
    3           0       0         unpriced  escalate polymarket 3
    3~          0       2         unpriced  reconcile polymarket
    3           0?      2         unpriced  reconcile kalshi
    3           3       2         unpriced  hold
    3           0       2         cheaper   complete kalshi 3 0.60
    0           3       2         cheaper   complete polymarket 3 0.60
    3           0       0         cheaper   escalate polymarket 3
    3           3       2         cheaper   hold
    3           0       2         dearer    unwind polymarket 3
    3           0       2         too-dear  unwind polymarket 3
    3           0       2         no-sale   complete kalshi 3 0.60
    3           3       2         keep     hold
    0           0       2         keep     stand-down
    3           0       2         keep     unwind polymarket 3
    0           3       2         keep     unwind kalshi 3
    2           3       2         keep     unwind kalshi 1
    3           2       2         keep     unwind polymarket 1
    3           0       0         keep     escalate polymarket 3
    0           3       0         keep     escalate kalshi 3
    3           3       0         keep     hold
    0           0       0         keep     stand-down
    3?          3       2         keep     reconcile polymarket
    3           3?      2         keep     reconcile kalshi
    0?          0?      2         keep     reconcile polymarket kalshi
    3           0?      2         keep     reconcile kalshi
    3           0?      0         keep     reconcile kalshi
    3~?         0       2         keep     reconcile polymarket
    3~          3       2         keep     hold
    3~          0       2         keep     reconcile polymarket
    3~          0       0         keep     reconcile polymarket
    2~          3       2         keep     reconcile polymarket
    0~          0       2         keep     reconcile polymarket
    0~          3       2         keep     reconcile polymarket
    3.2         3       2         keep     hold
    3.2         0       2         keep     unwind polymarket 3.2
    3.2         2       2         keep     unwind polymarket 1.2
    3.2~        3       2         keep     hold
    2.96        3       2         keep     hold
    2.95        3       2         keep     hold
    2.94        3       2         keep     unwind kalshi 0.06
    0.05        0       2         keep     stand-down
    0.06        0       2         keep     unwind polymarket 0.06
    0.05~       0       2         keep     reconcile polymarket
    -1          0       2         keep     escalate polymarket -1
    0           -1      0         keep     escalate kalshi -1
    -1          0?      2         keep     reconcile kalshi
    3           3       2         flatten  unwind polymarket 3
    0           3       2         flatten  unwind kalshi 3
    0~          3       2         flatten  unwind kalshi 3
    3~          3       2         flatten  reconcile polymarket
    3~          0       2         flatten  reconcile polymarket
    3           3?      2         flatten  reconcile kalshi
    3.2         3       2         flatten  unwind polymarket 3.2
    3           3       0         flatten  escalate polymarket 3
    0           0       2         flatten  stand-down
    0~          0       2         flatten  reconcile polymarket
    0.05        0.05    2         flatten  stand-down
    3           0       0 buy     unpriced  buy-opposite polymarket 3
    3           0       1 buy     unpriced  price polymarket 3
    3           0       1 buy     keep     unwind polymarket 3
    3           1       0 buy     keep     buy-opposite polymarket 2
    3.2         0       0 buy     keep     buy-opposite polymarket 3.2
    0           3       0 buy     keep     escalate kalshi 3
    3           0       0 buy     flatten  escalate polymarket 3
    3~          0       0 buy     keep     reconcile polymarket
    3           0?      0 buy     keep     reconcile kalshi
    3?          0       0 buy     keep     reconcile polymarket
    -1          0       0 buy     keep     escalate polymarket -1
    3           3       0 buy     keep     hold
    0.05        0       0 buy     keep     stand-down
    0=3         0       2         keep     hold
    0~=3        0       2         keep     hold
    0?=3        0       2         keep     reconcile polymarket
    0=3         0       0         keep     hold
    0.04=3      0       0 buy     keep     hold
    0=0.05      0       2         keep     stand-down
    2=1         2       2         keep     hold
    0=3         3       2         unpriced  price kalshi 3
    1=2         0       0 buy     keep     buy-opposite polymarket 1
    0=3         0       2         flatten  hold
    0=3         0       0         flatten  hold
    2=1         2       2         flatten  unwind polymarket 2
    3.2+0.2     3+0     2         keep     hold
    3.2+0.2     2+0     2         keep     unwind polymarket 1.2
    6+0         3+0     2         unpriced  price polymarket 3
    6+0         3+0     2         keep     unwind polymarket 3
    6.2+0.2     3+0     2         keep     unwind polymarket 3.0
    6.2~+0.2    3+0     2         keep     reconcile polymarket
    6+0         3+0     0         keep     escalate polymarket 3
    3+0         6+0     2         keep     unwind kalshi 3
    3.2+0.2     6+0     2         keep     unwind kalshi 2.8
    6           3       2         keep     hold
    0=1         2       2         flatten  unwind kalshi 2
"""


@dataclass(frozen=True)
class Cell:
    """A leg as the table writes it."""

    venue: Venue
    text: str

    def leg(self) -> LegState:
        rest, counted, better = self.text.partition("+")
        alone, _, pairs = rest.partition("=")
        held, neutral = Size(Decimal(alone.rstrip("~?"))), Size(Decimal(pairs or 0))
        bought = Size(max(held, ZERO) + neutral)
        unknown = (f"arb-1/{self.venue}/entry/1",) if "?" in self.text else ()
        settled = "~" not in self.text
        surplus = Size(Decimal(better)) if counted else None
        return LegState(
            self.venue,
            size(3),
            held,
            bought,
            settled,
            unknown,
            neutral=neutral,
            surplus=surplus,
        )


COMPLETION = Completion(size(3), price("0.60"))
# What both ways out cost, by the word of the table: completing, selling (dollars).
EXITS = {
    "unpriced": None,
    "keep": NOT_PRICED,
    "flatten": None,
    "cheaper": Exits(COMPLETION, usd("0.10"), usd("0.20"), "said"),
    "dearer": Exits(COMPLETION, usd("0.30"), usd("0.20"), "said"),
    "too-dear": Exits(COMPLETION, usd("1.10"), usd("1.20"), "said"),
    "no-sale": Exits(COMPLETION, usd("0.90"), None, "said"),
}
BUDGET = usd(1)


def spoken(decision: Decision) -> str:
    """A decision in the words of the table."""
    match decision:
        case Reconcile(venues):
            return " ".join(("reconcile", *venues))
        case PriceExits(venue, excess):
            return f"price {venue} {excess}"
        case Complete(venue, bought, limit):
            return f"complete {venue} {bought} {limit}"
        case Unwind(venue, excess):
            return f"unwind {venue} {excess}"
        case BuyOpposite(venue, excess):
            return f"buy-opposite {venue} {excess}"
        case Escalate(venue, excess):
            return f"escalate {venue} {excess}"
        case Hold():
            return "hold"
        case StandDown():
            return "stand-down"


@pytest.mark.parametrize(("polymarket", "kalshi", "attempts", "asked", "expected"), rows(TABLE))
def test_the_next_step_is_the_row_of_the_table(
    polymarket: str, kalshi: str, attempts: str, asked: str, expected: str
) -> None:
    legs = Cell(PM, polymarket).leg(), Cell(KX, kalshi).leg()
    left, _, may_buy = attempts.partition(" ")
    limits = Limits(int(left), DUST, BUDGET, buy_opposite=may_buy == "buy")
    decision = decide(*legs, limits, flatten=asked == "flatten", exits=EXITS[asked])
    assert spoken(decision) == expected


GRID = [
    (Cell(PM, f"{a}{mark_a}").leg(), Cell(KX, f"{b}{mark_b}").leg(), attempts, flatten)
    for a, b in product(("0", "0.04", "1", "2", "3", "3.2", "-1"), repeat=2)
    for mark_a, mark_b in product(("", "~", "?", "~?"), repeat=2)
    for attempts, flatten in product((0, 1), (False, True))
]


def test_no_leg_is_sold_or_given_up_while_its_sibling_is_unknown() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        if polymarket.unknown or kalshi.unknown:
            decision = decide(
                polymarket,
                kalshi,
                Limits(attempts, DUST, BUDGET),
                flatten=flatten,
                exits=NOT_PRICED,
            )
            expected = tuple(leg.venue for leg in (polymarket, kalshi) if leg.unknown)
            assert decision == Reconcile(expected)


def test_an_excess_is_sold_only_when_the_fills_that_make_it_are_final() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        legs = {PM: polymarket, KX: kalshi}
        decision = decide(
            polymarket, kalshi, Limits(attempts, DUST, BUDGET), flatten=flatten, exits=NOT_PRICED
        )
        if isinstance(decision, Unwind):
            assert legs[decision.venue].settled
            assert flatten or legs[decision.venue.sibling].settled


def test_a_sale_never_exceeds_what_is_held_beyond_the_sibling() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        legs = {PM: polymarket, KX: kalshi}
        decision = decide(
            polymarket, kalshi, Limits(attempts, DUST, BUDGET), flatten=flatten, exits=NOT_PRICED
        )
        if isinstance(decision, Unwind):
            own, sibling = legs[decision.venue], legs[decision.venue.sibling]
            assert DUST < decision.excess <= own.held
            assert attempts > 0
            assert flatten or decision.excess == own.held - sibling.held


def test_a_held_pair_asked_to_flatten_never_holds_on() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        if flatten:
            assert (
                decide(polymarket, kalshi, Limits(attempts, DUST, BUDGET), flatten=True) != Hold()
            )


def test_it_stands_down_only_with_nothing_held_and_nothing_to_come() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        decision = decide(
            polymarket, kalshi, Limits(attempts, DUST, BUDGET), flatten=flatten, exits=NOT_PRICED
        )
        if decision == StandDown():
            for leg in (polymarket, kalshi):
                assert ZERO <= leg.held <= DUST
                assert leg.settled
                assert not leg.unknown


def test_a_sale_that_fills_leads_to_rest_and_not_to_another_sale() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        decision = decide(
            polymarket, kalshi, Limits(attempts, DUST, BUDGET), flatten=flatten, exits=NOT_PRICED
        )
        if isinstance(decision, Unwind) and not flatten:
            legs = [
                LegState(leg.venue, leg.planned, Size(leg.held - decision.excess), leg.bought)
                if leg.venue is decision.venue
                else leg
                for leg in (polymarket, kalshi)
            ]
            assert decide(legs[0], legs[1], Limits(attempts - 1, DUST, BUDGET)) in (
                Hold(),
                StandDown(),
            )


def test_the_other_outcome_is_bought_only_where_a_person_would_be_asked() -> None:
    for polymarket, kalshi, attempts, flatten in GRID:
        limits = Limits(attempts, DUST, BUDGET)
        without = decide(polymarket, kalshi, limits, flatten=flatten, exits=NOT_PRICED)
        may_buy = replace(limits, buy_opposite=True)
        allowed = decide(polymarket, kalshi, may_buy, flatten=flatten, exits=NOT_PRICED)
        if isinstance(allowed, BuyOpposite):
            assert without == Escalate(PM, allowed.excess)
            assert polymarket.settled
            assert kalshi.settled
            assert allowed.excess == polymarket.held - kalshi.held
            assert not flatten
        else:
            assert allowed == without
