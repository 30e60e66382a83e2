"""The other outcome is bought once, whichever point around it the process dies at."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import activities.settle
import activities.step
import activities.unwind
import domain.opposite
from domain.book import Book
from domain.leg import LegState
from domain.money import Size, Usd
from domain.opposite import plan_opposite, whole
from domain.trade import Phase, TradeStatus
from domain.venue import Action, Instrument, Venue
from tests.virtual.exchange import GOOD, Fate, Quote
from tests.virtual.script import NEVER_MS, Script
from tests.virtual.world import Outcome, World

KILLED = replace(GOOD, outcome="kill")
LOST = replace(GOOD, answered="lost")
VOIDED = replace(GOOD, settles="voided", settle_ms=700)


def unsellable(purchase: Fate = GOOD, answer: str = "yes", **changes: object) -> Script:
    """Polymarket fills and takes no sale; Kalshi kills whatever it is sent."""
    made = Script(
        seed=1,
        fates={
            (Venue.POLYMARKET, Action.BUY): [GOOD, purchase],
            (Venue.POLYMARKET, Action.SELL): [],
            (Venue.KALSHI, Action.BUY): [KILLED, KILLED],
            (Venue.KALSHI, Action.SELL): [],
        },
        names=[],
        quotes={
            Venue.POLYMARKET: Quote(ask=420_000, bid=410_000),
            Venue.KALSHI: Quote(ask=500_000, bid=490_000),
        },
        answer=answer,
        buy_opposite=True,
        unsellable_ms=NEVER_MS,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def purchases(outcome: Outcome) -> list[str]:
    """Lines of the trace about first bytes of orders for the other outcome."""
    return [line for line in outcome.trace if line.endswith(" of the other outcome")]


@pytest.mark.parametrize("answer", ["yes", "no", "half"])
def test_the_pairs_pay_the_same_under_every_answer(answer: str) -> None:
    outcome = World(unsellable(answer=answer)).run()
    assert outcome.violation is None
    assert outcome.final is not None
    assert (outcome.final.phase, outcome.final.status) == (Phase.SETTLED, TradeStatus.PARTIAL)
    assert outcome.final.polymarket.state.held == 0
    assert outcome.final.polymarket.state.neutral == 10
    # Bought for 4.20 and 0.1218, neutralised for 5.90 and 0.12095, paid ten dollars.
    assert str(outcome.final.realised_profit) == "-0.342750"


@pytest.mark.parametrize("purchase", [GOOD, LOST, VOIDED], ids=["good", "lost", "voided"])
def test_it_is_bought_once_wherever_the_process_dies(purchase: Fate) -> None:
    """A voided purchase is made a second time, for the leg is naked again. Where the process dies
    before Polymarket's entry left there is nothing to neutralise."""
    whole = World(unsellable(purchase))
    whole.run()
    expected, seen = 2 if purchase is VOIDED else 1, 0
    for point in range(1, whole.points + 1, 2 if purchase is GOOD else 7):
        script = unsellable(purchase, crashes=(point,))
        outcome = World(script).run()
        assert outcome.violation is None, f"point {point}: {outcome.violation}"
        assert outcome.crashes == 1
        assert outcome.final is not None
        if not outcome.final.polymarket.state.bought:
            continue
        seen += 1
        assert outcome.final.phase is Phase.SETTLED, f"point {point}: {outcome.final.phase}"
        filled = [line for line in outcome.trace if "/unwind/" in line and " filled 1" in line]
        assert len(filled) == expected, f"point {point}: {filled}"
    assert seen > 10


def test_without_leave_nothing_is_bought() -> None:
    outcome = World(unsellable(buy_opposite=False)).run()
    assert outcome.violation is None
    assert purchases(outcome) == []
    assert any("recorded NEEDS_OPERATOR" in line for line in outcome.trace)


def test_a_price_beyond_the_loss_budget_buys_nothing() -> None:
    dear = {
        Venue.POLYMARKET: Quote(ask=420_000, bid=200_000),
        Venue.KALSHI: Quote(ask=500_000, bid=490_000),
    }
    outcome = World(unsellable(quotes=dear, attended=False)).run()
    assert outcome.violation is None
    assert purchases(outcome) == []


def any_price(other: Instrument, book: Book, leg: LegState, excess: Size, _: object) -> object:
    """A purchase that forgets the loss budget."""
    return plan_opposite(other, book, leg, excess, None)


def one_more(excess: Size) -> Size:
    """A contract more than is naked."""
    return Size(whole(excess) + 1)


def forgotten(leg: LegState, pays: Decimal) -> Usd:
    """What the other outcome pays is left out."""
    return Usd(pays * leg.owned)


@pytest.mark.parametrize(
    ("owner", "name", "worse", "bid", "found"),
    [
        pytest.param(activities.unwind, "plan_opposite", any_price, 200_000, "were allowed",
                     id="forgets its loss budget"),
        pytest.param(domain.opposite, "whole", one_more, 410_000, "naked are",
                     id="buys more than is naked"),
        pytest.param(activities.settle, "paid_out", forgotten, 410_000, "booked were",
                     id="forgets what the other outcome pays"),
    ],
)  # fmt: skip
def test_a_worse_purchase_is_caught(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, worse: object, bid: int, found: str
) -> None:
    monkeypatch.setattr(owner, name, worse)
    if owner is domain.opposite:
        monkeypatch.setattr(activities.step, name, worse)
    quotes = {
        Venue.POLYMARKET: Quote(ask=420_000, bid=bid),
        Venue.KALSHI: Quote(ask=500_000, bid=490_000),
    }
    outcome = World(unsellable(quotes=quotes, answer="no")).run()
    assert found in (outcome.violation or ""), outcome.violation
