"""Mutants that go wrong where an excess is neutralised with the other outcome."""

from dataclasses import replace
from typing import Any

from activities import settle, step
from domain import opposite
from domain.decision import Hold, StandDown
from domain.money import Size, Usd
from tests.oracle.mutants.registry import mutant, replaced
from workflows import state


@mutant("refused_at_polymarket", "S3_bounds")
def neutralise_without_leave() -> None:
    """The other outcome is bought though the bounds of the trade do not allow it."""

    def limits(*arguments: Any, **_: Any) -> Any:
        return replace(original(*arguments), buy_opposite=True)

    original = replaced(state, "Limits", limits)


@mutant("neutralised", "S6_no_overshoot")
def neutralise_too_much() -> None:
    """Two contracts more of the other outcome are bought than are naked."""

    def more(excess: Size) -> Size:
        return Size(original(excess) + 2)

    original = replaced(opposite, "whole", more)
    replaced(step, "whole", more)


@mutant("neutralised", "Q2_hedged")
def neutral_is_flat() -> None:
    """What is neutral in itself is taken for nothing held: the trade ends, the pairs are left."""

    def decide(*legs: Any, **arguments: Any) -> Any:
        decision = original(*legs, **arguments)
        alone = all(leg.settled and leg.held == 0 for leg in legs[:2])
        return StandDown() if isinstance(decision, Hold) and alone else decision

    original = replaced(state, "decide", decide)


@mutant("neutralised_and_paid", "Q3_cash")
def pairs_paid_nothing() -> None:
    """Only contracts that depend on the answer are booked as paid."""
    replaced(settle, "paid_out", lambda leg, pays: Usd(pays * leg.held))


@mutant("neutralised_and_paid", "Q3_cash")
def pairs_paid_by_the_answer() -> None:
    """The leg's own contracts are booked as paid, those of the other outcome are forgotten."""
    replaced(settle, "paid_out", lambda leg, pays: Usd(pays * leg.owned))
