"""What a process counts, as it travels in a report."""

import json

from store.tally import BOUNDS_US, Tally, told_by


def test_what_was_counted_survives_the_report() -> None:
    tally = Tally()
    tally.count("orders", venue="kalshi")
    tally.count("orders", 2, venue="kalshi")
    tally.count("orders", 0, venue="polymarket")
    tally.gauge("free", 5)
    tally.gauge("free", 3)
    tally.took("wait", BOUNDS_US[0])
    tally.took("wait", BOUNDS_US[0] + 1)
    tally.took("wait", BOUNDS_US[-1] + 1)
    tally.took("wait", -7)
    counts = [2, 1, *([0] * (len(BOUNDS_US) - 2)), 1]
    assert [tuple(one) for one in told_by(json.loads(json.dumps(tally.told())))] == [
        ("orders", "counter", [["venue", "kalshi"]], [3]),
        ("orders", "counter", [["venue", "polymarket"]], [0]),
        ("free", "gauge", [], [3]),
        ("wait", "histogram", [], [*counts, 2 * BOUNDS_US[0] + 2 + BOUNDS_US[-1]]),
    ]


def test_bounds_rise() -> None:
    assert list(BOUNDS_US) == sorted(set(BOUNDS_US))


def test_a_histogram_of_other_bounds_is_not_shown_and_no_report_is_none() -> None:
    assert list(told_by([["wait", "histogram", [], [1, 2, 3]]])) == []
    assert list(told_by(None)) == []
