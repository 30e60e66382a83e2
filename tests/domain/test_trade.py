"""The phases of an arbitrage and the words of the trade log."""

from decimal import Decimal
from itertools import product

import pytest

from domain.decision import (
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
from domain.money import price, size, usd
from domain.trade import (
    ENDS,
    TRANSITIONS,
    IllegalStep,
    Phase,
    TradeStatus,
    phase_for,
    roi_percent,
    status_of,
    step,
)
from domain.venue import Venue
from tests.domain.build import a_leg
from tests.domain.tables import rows
from tests.domain.test_decision import BUDGET, DUST, EXITS, GRID

TABLE = """
    after           may follow
    RESERVING       PLACING REFUSED
    PLACING         RESOLVING UNWINDING HOLDING CLOSING NEEDS_OPERATOR FLAT
    RESOLVING       UNWINDING HOLDING CLOSING NEEDS_OPERATOR FLAT
    UNWINDING       RESOLVING HOLDING CLOSING NEEDS_OPERATOR FLAT
    HOLDING         RESOLVING UNWINDING CLOSING NEEDS_OPERATOR SETTLING FLAT
    CLOSING         RESOLVING HOLDING NEEDS_OPERATOR FLAT
    SETTLING        RESOLVING NEEDS_OPERATOR SETTLED
    NEEDS_OPERATOR  RESOLVING UNWINDING HOLDING CLOSING SETTLING FLAT
    REFUSED         -
    FLAT            -
    SETTLED         -
"""
LEGAL = {Phase(after): set(may.split()) - {"-"} for after, may in rows(TABLE)}


@pytest.mark.parametrize(("current", "following"), list(product(Phase, Phase)))
def test_a_step_is_taken_if_the_table_has_it_and_raises_otherwise(
    current: Phase, following: Phase
) -> None:
    if following is current or following in LEGAL[current]:
        assert step(current, following) is following
    else:
        with pytest.raises(IllegalStep, match=f"after {current} expected .*, found {following}"):
            step(current, following)


def test_every_phase_has_a_row_and_only_ends_have_an_empty_one() -> None:
    assert set(TRANSITIONS) == set(Phase)
    assert {phase for phase, following in TRANSITIONS.items() if not following} == ENDS
    assert {phase for phase in Phase if phase.ended} == ENDS


def test_every_phase_can_reach_an_end() -> None:
    for start in Phase:
        seen: set[Phase] = set()
        found = {start}
        while found - seen:
            seen, found = found, found | {to for phase in found for to in TRANSITIONS[phase]}
        assert seen & ENDS


LOOPING = (
    Phase.PLACING,
    Phase.RESOLVING,
    Phase.UNWINDING,
    Phase.HOLDING,
    Phase.NEEDS_OPERATOR,
)


def test_the_loop_can_take_every_decision_in_every_phase_it_loops_in() -> None:
    for (polymarket, kalshi, attempts, flatten), exits in product(GRID, EXITS.values()):
        limits = Limits(attempts, DUST, BUDGET)
        decision = decide(polymarket, kalshi, limits, flatten=flatten, exits=exits)
        following = phase_for(decision, flatten=flatten)
        for current in (*LOOPING, Phase.CLOSING) if flatten else LOOPING:
            assert step(current, following) is following


@pytest.mark.parametrize(
    ("decision", "flatten", "phase"),
    [
        (Reconcile((Venue.KALSHI,)), False, Phase.RESOLVING),
        (Reconcile((Venue.KALSHI,)), True, Phase.RESOLVING),
        (PriceExits(Venue.KALSHI, size(1)), False, Phase.UNWINDING),
        (Complete(Venue.KALSHI, size(1), price("0.5")), False, Phase.UNWINDING),
        (Unwind(Venue.KALSHI, size(1)), False, Phase.UNWINDING),
        (Unwind(Venue.KALSHI, size(1)), True, Phase.CLOSING),
        (Hold(), False, Phase.HOLDING),
        (Escalate(Venue.KALSHI, size(1)), False, Phase.NEEDS_OPERATOR),
        (Escalate(Venue.KALSHI, size(1)), True, Phase.NEEDS_OPERATOR),
        (StandDown(), False, Phase.FLAT),
    ],
)
def test_a_decision_names_the_phase_it_is_carried_out_in(
    decision: Decision, flatten: bool, phase: Phase
) -> None:
    assert phase_for(decision, flatten=flatten) is phase


STATUS = """
    phase           bought  locked  status
    PLACING         0       no      PARTIAL
    RESOLVING       3       no      PARTIAL
    UNWINDING       3       no      PARTIAL
    HOLDING         3       yes     SUCCESS
    SETTLING        3       yes     SUCCESS
    SETTLED         3       yes     SUCCESS
    SETTLED         3       no      PARTIAL
    FLAT            3       no      ROLLED_BACK
    FLAT            0       no      FAILED
    REFUSED         0       no      FAILED
    NEEDS_OPERATOR  3       no      ROLLBACK_FAILED
    NEEDS_OPERATOR  3       yes     ROLLBACK_FAILED
"""


@pytest.mark.parametrize(("phase", "bought", "locked", "status"), rows(STATUS))
def test_the_trade_log_says_the_word_of_the_table(
    phase: str, bought: str, locked: str, status: str
) -> None:
    legs = a_leg(Venue.POLYMARKET, bought), a_leg(Venue.KALSHI, "0")
    assert status_of(Phase(phase), *legs, locked=locked == "yes") is TradeStatus(status)


def test_roi_is_percent_of_the_outlay_and_zero_where_nothing_was_spent() -> None:
    assert roi_percent(usd("0.5"), usd("9.5")) == Decimal("0.5") / Decimal("9.5") * 100
    assert roi_percent(usd("-1"), usd("4")) == -25
    assert roi_percent(usd("1"), usd("0")) == 0
