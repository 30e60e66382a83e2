"""The state that pages show, from what executors report."""

from itertools import permutations

import pytest

from api import slices
from store.presence import Presence
from tests.domain.tables import rows

NOW_MS = 1_790_000_000_000

# Two executors: whether each sends, how long ago it reported, and how old its books
# are; then whose books the page shows.
EXECUTORS = """
    a_sends  a_seen  a_age  b_sends  b_seen  b_age  shown
    yes      900     40     no       10      9000   a
    no       10      9000   yes      900     40     b
    no       900     40     no       10      70     b
    no       10      40     no       900     70     a
    yes      900     40     yes      10      70     b
    yes      10      -      no       900     70     b
"""


def reported(name: str, sends: str, seen: str, age: str) -> Presence:
    feed = {"state": "live", "age_ms": None if age == "-" else int(age), "reason": name}
    report: dict[str, object] = {"sends": sends == "yes"}
    if age != "-":
        report["feeds"] = {"polymarket": feed, "kalshi": feed}
    return Presence(name, NOW_MS, NOW_MS - int(seen), report)


@pytest.mark.parametrize(
    ("a_sends", "a_seen", "a_age", "b_sends", "b_seen", "b_age", "shown"), rows(EXECUTORS)
)
def test_the_books_are_those_of_the_executor_that_sends_then_of_the_newest_report(
    a_sends: str, a_seen: str, a_age: str, b_sends: str, b_seen: str, b_age: str, shown: str
) -> None:
    both = reported("a", a_sends, a_seen, a_age), reported("b", b_sends, b_seen, b_age)
    for order in permutations(both):
        told = slices.venues(order)
        assert {one["detail"] for one in told.values()} == {shown}
