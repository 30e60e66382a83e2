"""A saga that is made worse on purpose is caught, so that a clean campaign says something."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

import activities.resolve
import activities.step
import activities.unwind
import workflows.state
from domain.decision import Decision, decide
from domain.leg import LegState
from domain.money import usd
from domain.order import NotFilled, Rejection
from domain.unwind import NoSale, Sale, plan_sale
from tests.virtual.campaign import campaign

SEEDS = range(1, 301)


def believing(**changes: Any) -> Callable[..., Decision]:
    """The decision over legs that are taken for better than they are."""

    def worse(polymarket: LegState, kalshi: LegState, *args: Any, **kwargs: Any) -> Decision:
        polymarket, kalshi = replace(polymarket, **changes), replace(kalshi, **changes)
        return decide(polymarket, kalshi, *args, **kwargs)

    return worse


def any_price(*args: Any, **kwargs: Any) -> Sale | NoSale:
    """A sale that forgets its loss budget."""
    instrument, book, leg, excess, _, *more = args
    return plan_sale(instrument, book, leg, excess, usd(1000), *more, **kwargs)


def refused(*_: object) -> NotFilled:
    """What was not found was never there."""
    return NotFilled(Rejection.NEVER_ARRIVED, "not found once")


_numbers = count(1)


def new_number(_: object) -> int:
    """A number that a replay does not get again."""
    return next(_numbers)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param(
            [(workflows.state, "decide", believing(settled=True))],
            "leaves while fills are provisional",
            id="acts on a match",
        ),
        pytest.param(
            [
                (workflows.state, "decide", believing(unknown=())),
                (activities.step, "overtaken", lambda *_: None),
            ],
            "is unknown",
            id="acts while an order is unknown",
        ),
        pytest.param(
            [(activities.resolve, "conclude_absent", refused)],
            "was executed after it was concluded",
            id="takes one miss for a refusal",
        ),
        pytest.param(
            [(activities.unwind, "plan_sale", any_price)],
            "were allowed",
            id="forgets its loss budget",
        ),
        pytest.param(
            [(workflows.state.TradeState, "next_number", new_number)],
            "replay differs",
            id="numbers its steps at random",
        ),
    ],
)
def test_a_worse_saga_is_caught(
    monkeypatch: pytest.MonkeyPatch, changes: list[tuple[Any, str, Any]], found: str
) -> None:
    for owner, name, worse in changes:
        monkeypatch.setattr(owner, name, worse)
    violations = campaign(1, SEEDS, lambda _: None).violations
    assert any(found in violation for violation in violations), violations[:5]
