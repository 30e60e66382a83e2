"""Nine ways to recover are refuted, each by its shortest story; ours is closed exhaustively, with
the other outcome as the last step and without."""

import pytest

from tests.model.policies import NEUTRALISING, OURS, Policy, model
from tests.model.refuted import CRASHES_MAX, REFUTED, Refuted
from tests.model.search import Closed, Violation, search
from tests.model.world import QUARANTINE, Rules

STATES_AT_LEAST = {"G": 110_000, "H": 220_000}
"""A world that shrinks by half was not searched: its steps went missing."""


@pytest.mark.parametrize("case", REFUTED, ids=lambda case: case.policy.letter)
def test_a_bad_policy_is_refuted_by_its_shortest_story(case: Refuted) -> None:
    found = search(model(case.policy, case.rules))
    print(case.policy.letter, found)  # noqa: T201 - the trace is what a reader wants of a failure
    assert isinstance(found, Violation)
    assert case.rule in found.rule
    turns = iter(found.trace)
    assert all(any(turn in step for step in turns) for turn in case.turns), found
    assert len(found.trace) <= case.steps, found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("ours", [OURS, NEUTRALISING], ids=lambda policy: policy.letter)
def test_ours_is_closed_without_a_violation_or_a_livelock_under_two_crashes(ours: Policy) -> None:
    """Fewer crashes are part of it: a state with both left is one that saw none. With the other
    outcome as the last step a purchase may be voided, and sold and bought again after it."""
    found = search(model(ours, Rules(crashes=CRASHES_MAX)))
    print(found)  # noqa: T201 - the size of what was searched
    assert isinstance(found, Closed), found
    assert found.trapped == 0
    assert found.states >= STATES_AT_LEAST[ours.letter]
    assert found.resting > 100


def test_a_packet_that_outlives_the_quarantine_would_refute_ours_too() -> None:
    """The one thing that ours takes for granted, so that the quarantine is never shortened."""
    found = search(model(OURS, Rules(window=QUARANTINE + 1)))
    assert isinstance(found, Violation)
    assert "executed after it was concluded" in found.rule
