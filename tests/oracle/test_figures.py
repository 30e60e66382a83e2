"""What the figures of a run count, and what they leave out."""

from dataclasses import replace

from tests.oracle import stories
from tests.oracle.build import Story
from tests.oracle.figures import times_to_alarm, times_to_even
from tests.oracle.world import Rules


def a_sale_that_lost_its_answer(story: Story) -> None:
    """Rolled back, by a sale whose answer took half a second to find."""
    arb_id = stories.rolled_back(story)
    sale = next(row for row in story.tables["intents"] if row["purpose"] == "unwind")
    story.tables["observations"].append({"intent_id": sale["id"]})
    assert sale["arb_id"] == arb_id


def test_the_time_to_an_even_pair_begins_with_knowing_both_legs() -> None:
    story = Story()
    stories.rolled_back(story)
    ((venue, took),) = times_to_even(story.world())
    known = max(r["answered_ms"] for r in story.tables["intents"] if r["purpose"] == "entry")
    sold = max(row["at_ms"] for row in story.tables["fills"])
    assert (venue, took) == ("polymarket", sold - known)


def test_what_is_unknown_and_what_is_dead_is_not_counted_twice() -> None:
    story = Story()
    a_sale_that_lost_its_answer(story)
    ((_, plain),) = times_to_even(story.world())
    sale = next(row for row in story.tables["intents"] if row["purpose"] == "unwind")
    outage = (sale["sent_ms"] - 2, sale["sent_ms"] + 1)
    world = replace(story.world(), rules=Rules(outages=(outage,)))
    ((_, both),) = times_to_even(world)
    assert both == plain - 2, "the last millisecond of the outage lies within what is unknown"


def test_an_alarm_is_timed_from_the_moment_that_a_pair_is_naked() -> None:
    story = Story()
    stories.rolled_back(story)
    (alarm,) = story.tables["alarms"]
    bought = min(row["at_ms"] for row in story.tables["fills"])
    assert list(times_to_alarm(story.world())) == [alarm["opened_ms"] - bought]
