"""Ways to break the world in which an excess was neutralised, with the line that must speak up."""

import json

from tests.oracle import stories
from tests.oracle.build import Row, Story
from tests.oracle.damages import order


def purchase(story: Story) -> Row:
    """The order for the other outcome."""
    rows = story.tables["intents"]
    return next(row for row in rows if row["purpose"] == "unwind" and row["action"] == "buy")


def without_leave(story: Story) -> None:
    event = next(
        row
        for row in story.tables["events"]
        if row["arb_id"] == "arb-neutral" and row["kind"] == "reserved"
    )
    event["detail"] = json.dumps({"bounds": '{"buy_opposite": false}'})


def as_an_entry(story: Story) -> None:
    purchase(story)["purpose"] = "entry"


def more_than_naked(story: Story) -> None:
    intent = purchase(story)
    intent["size_micro"] = 21_000_000
    order(story, intent)["size"] = "21"


def called_a_gain(story: Story) -> None:
    trade = next(r for r in story.tables["executor_trades"] if r["arb_id"] == "arb-neutral")
    trade["pnl_micro"] = 100_000


def never_bought(story: Story) -> None:
    """Held as neutral, and the purchase failed on the chain."""
    intent = purchase(story)
    fill = next(row for row in story.tables["fills"] if row["intent_id"] == intent["id"])
    story.void(intent, order(story, intent), fill)


def flat_with_pairs(story: Story) -> None:
    arb_id = stories.neutralised(story, "kept")
    story.end(arb_id, "FLAT", "-20.8996")


def lower_the_limit(story: Story, dollars: str) -> None:
    """What a day may lose. By the end of the stories 2.8763 are lost, and 0.8996 more are held."""
    history = story.tables["settings_history"][1]
    history["settings"] = json.dumps(json.loads(history["settings"]) | {"max_daily_loss": dollars})


def held_loss_forgotten(story: Story) -> None:
    """Another one that may lose 2.50 is let in as if what is held at a loss cost nothing."""
    lower_the_limit(story, "5.50")
    stories.rolled_back(story, "after")


def matched_is_no_hedge(story: Story) -> None:
    """Another one that may lose 2.50 is let in while the first one's match may still fail."""
    stories.matched(story)
    lower_the_limit(story, "8.00")
    stories.rolled_back(story, "after")


OPPOSITE = [
    ("S7_daily_limit", matched_is_no_hedge),
    ("S7_daily_limit", held_loss_forgotten),
    ("S3_bounds", without_leave),
    ("S3_bounds", as_an_entry),
    ("S6_no_overshoot", more_than_naked),
    ("S14_honest_profit", called_a_gain),
    ("Q2_hedged", never_bought),
    ("Q2_hedged", flat_with_pairs),
]
