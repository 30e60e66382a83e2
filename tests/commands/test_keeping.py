"""`hold`, `take-over` and `mark-resolved`: a preview in numbers, a question, then the word."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.commands.test_acting import audited
from tests.support.stack import StackUnderTest

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]

SOLD = ("--evidence", "sold at the venue, order 4711")


@pytest.fixture
def uneven(stack: StackUnderTest) -> Iterator[dict[str, Any]]:
    """An arbitrage of which one leg is naked and cannot be sold; mended afterwards."""
    yield stack.stuck()
    stack.mend()


def held(stack: StackUnderTest, arb_id: str) -> bool:
    return bool(stack.told(arb_id)["phase"] == "HOLDING")


def test_a_preview_says_what_is_naked_and_changes_nothing(
    stack: StackUnderTest, uneven: dict[str, Any]
) -> None:
    size = next(
        order["size"]
        for order in stack.shown(uneven["id"])["orders"]
        if "/polymarket/entry/" in order["intent_id"]
    )
    for action in ("hold", "take-over"):
        told = stack.published(action, action, uneven["id"], "--dry-run")
        assert (told["action"], told["state"], told["why_not"]) == (action, "preview", "")
        assert (told["leg"]["venue"], told["leg"]["size"]) == ("Polymarket", size)
        assert Decimal(told["leg"]["worst"]) < 0 < Decimal(told["leg"]["best"])
        asked = stack.run(action, uneven["id"])
        assert (asked.code, asked.out) == (2, "")
        assert f"naked: {size} YES at Polymarket" in asked.err, "the preview comes first"
        assert "add --yes" in asked.err
        assert ("cli", uneven["id"]) not in audited(stack, action.replace("-", "_"))


def test_a_held_leg_is_sold_no_more_until_it_is_closed(
    stack: StackUnderTest, uneven: dict[str, Any]
) -> None:
    told = stack.published("hold", "hold", uneven["id"], "--yes")
    assert (told["state"], told["phase"]) == ("succeeded", "HOLDING")
    assert ("cli", uneven["id"]) in audited(stack, "hold")
    again = stack.run("hold", uneven["id"], "--yes")
    assert (again.code, again.out) == (5, "")
    assert "It is kept as it is already" in again.err
    orders = stack.orders(uneven["id"])
    stack.mend()
    stack.ok("close", uneven["id"], "--yes")
    assert len(stack.orders(uneven["id"])) == len(orders) + 1


def test_what_was_taken_over_ends_on_a_word_with_its_evidence_and_its_cash(
    stack: StackUnderTest, uneven: dict[str, Any]
) -> None:
    mine = uneven["id"]
    told = stack.published("take-over", "take-over", mine, "--yes")
    assert (told["state"], told["phase"]) == ("succeeded", "HOLDING")
    stack.until(lambda: held(stack, mine), "it to be held")
    paid = Decimal(stack.shown(mine)["position"]["paid"])
    seen = stack.published(
        "mark-resolved", "mark-resolved", mine, *SOLD, "--cash", "3.25", "--dry-run"
    )
    ends = Decimal("3.25") - paid
    assert f"with 3.25 it ends at {ends.normalize():f}" in seen["meaning"].replace("0 ", " ")
    asked = stack.run("mark-resolved", mine, *SOLD, "--cash", "3.25")
    assert (asked.code, "add `--word resolved`" in asked.err) == (2, True)
    wrong = stack.run("mark-resolved", mine, *SOLD, "--cash", "3.25", "--word", "yes")
    assert wrong.code == 5
    done = stack.published(
        "mark-resolved", "mark-resolved", mine, *SOLD, "--cash", "3.25", "--word", "resolved"
    )
    assert (done["state"], done["phase"]) == ("succeeded", "FLAT")
    assert Decimal(stack.shown(mine)["realised"]) == ends
    assert ("cli", mine) in audited(stack, "mark_resolved")
    over = stack.run("mark-resolved", mine, *SOLD, "--cash", "0", "--word", "resolved")
    assert (over.code, "FLAT: there is nothing to do" in over.err) == (5, True)


def test_a_locked_pair_has_nothing_to_keep_or_to_resolve(stack: StackUnderTest) -> None:
    mine = stack.open()["id"]
    for line in (
        ("hold", mine, "--yes"),
        ("take-over", mine, "--yes"),
        ("mark-resolved", mine, *SOLD, "--cash", "1", "--word", "resolved"),
    ):
        done = stack.run(*line)
        assert (done.code, done.out) == (5, ""), line
        assert "HOLDING: " in done.err
    seen = stack.published("hold", "hold", mine, "--dry-run")
    assert (seen["leg"], seen["why_not"]) == (None, "HOLDING: nothing is being sold")
    assert len(stack.orders(mine)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--evidence", " ", "--cash", "1"), "--evidence: expected what was done"),
        ((*SOLD, "--cash", "lots"), "--cash: expected a decimal number, found 'lots'"),
        (SOLD, "--cash"),
        (("--cash", "1"), "--evidence"),
    ],
)
def test_a_word_without_its_evidence_or_its_cash_is_refused_by_name(
    stack: StackUnderTest, arguments: tuple[str, ...], said: str
) -> None:
    done = stack.run("mark-resolved", "arb-x", *arguments, "--word", "resolved")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
