"""`lockstep replay` on the order books that an executor of a running system wrote down."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.stack import CAPTURES, StackUnderTest

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]


@pytest.fixture
def capture(stack: StackUnderTest, held: dict[str, Any]) -> Path:
    """What the executor has written, with the books of a pair that it has traded among them."""
    (found,) = (stack.folder / CAPTURES).glob("books-*.jsonl")
    # Books are written in blocks: those of the trade are there once others follow them.
    stack.until(lambda: held["event_key"] in told(stack, found), "the books of the trade")
    return found


def told(stack: StackUnderTest, capture: Path) -> dict[str, dict[str, Any]]:
    """The pairs of the capture that something was found of."""
    done = stack.published("replay", "replay", str(capture))
    return {one["pair_id"]: one for one in done["pairs"] if one["found"]}


def test_what_was_traded_is_found_at_the_books_that_were_read(
    stack: StackUnderTest, held: dict[str, Any], capture: Path
) -> None:
    mine = told(stack, capture)[held["event_key"]]
    assert mine["taken"] == 1
    assert float(mine["expected_net"]) >= float(mine["at_least"]) > 0
    shown = stack.ok("replay", str(capture))
    assert "not what would have been filled" in shown.out


def test_every_opportunity_is_written_for_a_notebook(stack: StackUnderTest, capture: Path) -> None:
    file = stack.folder / "found.parquet"
    done = stack.ok("replay", str(capture), "--parquet", str(file), "--json")
    assert "opportunities to" in done.err
    rows = duckdb.read_parquet(str(file)).filter("taken").fetchall()
    assert len(rows) == done.json["taken"]
    adds_up = duckdb.read_parquet(str(file)).filter("edge - fees = expected_net").fetchall()
    assert len(adds_up) == done.json["found"]


def test_other_settings_find_less(stack: StackUnderTest, capture: Path) -> None:
    strict = ("--set", "min_roi=98", "--set", "max_roi=99")
    done = stack.ok("replay", str(capture), *strict, "--json").json
    assert (done["found"], done["settings"]["min_roi"]) == (0, "98")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--cash", "much"), "--cash: expected a decimal number, found 'much'"),
        (("--set", "min_rio=2"), "is no setting"),
        (("--set", "min_roi"), "expected such as max_bet=50"),
        (("--set", "min_roi=60"), "--set max_roi: must be at least min_roi 60"),
        (("--parquet", "/nowhere/found.parquet"), "--parquet: /nowhere/found.parquet cannot be"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    stack: StackUnderTest, capture: Path, wrong: tuple[str, str], said: str
) -> None:
    done = stack.run("replay", str(capture), *wrong)
    assert (done.code, said in done.err) == (2, True), done
