"""A venue that takes no orders: the page's tile says so, and the funnel where opportunities end."""

from api import cards, slices
from domain.policy import Refusal
from store.presence import Presence

FEED = {"state": "up", "age_ms": 20, "reason": ""}


def told(**report: object) -> dict[str, object]:
    feeds = {"feeds": {"polymarket": FEED, "kalshi": FEED}}
    venues = slices.venues([Presence("executor-1", 0, 1_000, {**feeds, **report})])
    return {name: one["shut"] for name, one in venues.items()}


def test_the_tile_says_why_a_venue_takes_no_orders() -> None:
    assert told(shut={"kalshi": "paused"}) == {"polymarket": None, "kalshi": "paused"}
    assert told(shut={}) == {"polymarket": None, "kalshi": None}


def test_an_executor_that_does_not_say_is_no_closed_venue() -> None:
    assert told() == {"polymarket": None, "kalshi": None}
    assert {one["shut"] for one in slices.venues([]).values()} == {None}


def test_every_reason_that_stops_all_pairs_ends_the_funnel_before_its_last_stage() -> None:
    for reason in Refusal:
        made = cards.funnel({str(reason): 3}, {}, 0, {})
        assert made["stages"][-2]["count"] == 0, reason
    found = cards.funnel({}, {Refusal.VENUE_CLOSED: 2}, 1, {})
    assert found["reasons"][0] == {"reason": "venue_closed", "count": 2, "examples": []}
    assert [s["count"] for s in found["stages"] if s["stage"] in ("limits", "executed")] == [1, 1]
