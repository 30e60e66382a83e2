"""Ways to break what is seen of a run from outside: the wire, the readers, the replayed histories,
what a person is told, what he holds twice. Each with the line that must speak up."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.oracle.build import FEES, SIZE, Story
from tests.oracle.damages import Break
from tests.oracle.world import Answered, Received, Sent, World


def sent_after_a_takeover(story: Story) -> None:
    story.tick(1_000)
    story.process = 22
    story.take_lease("kalshi", 2)
    story.sent.append(Sent("kalshi", story.tick(100), 11))


def sent_without_a_lease(story: Story) -> None:
    story.sent.append(Sent("kalshi", story.tick(100), 22))


def lease_taken_under_an_old_epoch(story: Story) -> None:
    story.process = 22
    story.tick()
    story.take_lease("polymarket", 1)


def history_of_another_code(story: Story) -> World:
    return replace(story.world(), replays={"arb-locked": "[TMPRL1100] expected a timer"})


def _other_surface(story: Story, **changes: Any) -> World:
    world = story.world()
    return replace(world, shown=dict(world.shown, api=replace(world.shown["api"], **changes)))


def shows_nothing_open(story: Story) -> World:
    return _other_surface(story, positions={})


def shows_another_profit(story: Story) -> World:
    return _other_surface(story, trades={"arb-locked": ("SUCCESS", Fraction(2))})


def shows_no_trades(story: Story) -> World:
    return _other_surface(story, trades={})


def shows_old_settings(story: Story) -> World:
    return _other_surface(story, version=1)


def told_late(story: Story) -> World:
    stop = Answered("disable", story.clock, story.clock + 1_001)
    return replace(story.world(), stops=(stop,))


def _plan(story: Story, **changes: Any) -> None:
    row = story.row("arbitrages", "arb-locked")
    plan = json.loads(row["opportunity"])
    plan["polymarket"] |= changes
    row["opportunity"] = json.dumps(plan)


def older_book_too_old(story: Story) -> None:
    """The deadline counts from the newer book: the older one is stale when its order leaves."""
    _plan(story, book_lag_ms=1_990)
    for event in story.tables["events"]:
        if (event["arb_id"], event["kind"]) == ("arb-locked", "reserved"):
            bounds = {"deadline_ms": 2_000, "book_skew_ms_max": 60_000}
            event["detail"] = json.dumps({"bounds": json.dumps(bounds)})


def books_far_apart(story: Story) -> None:
    _plan(story, book_lag_ms=501)


def read_before_it_was_made(story: Story) -> None:
    _plan(story, book_at_ms=story.clock + 1_000)


def _chat_without(story: Story, words: str) -> None:
    story.chat = [one for one in story.chat if words not in one.texts[-1]]


def end_lost_on_the_way(story: Story) -> None:
    _chat_without(story, "arb-rolled")


def alarm_lost_on_the_way(story: Story) -> None:
    story.chat = [one for one in story.chat if "Alarm 1" not in one.texts[-1]]


def alarm_over_and_not_said(story: Story) -> None:
    _chat_without(story, "OVER")


def waits_for_ever(story: Story) -> None:
    story.tables["outbox"][-1]["sent_ms"] = None


def told_too_often(story: Story) -> None:
    card = next(one for one in story.chat if "arb-settled" in one.texts[-1])
    story.chat += [Received(90 + copy, card.texts) for copy in range(3)]


def told_an_older_end(story: Story) -> None:
    story.chat = [
        Received(one.number, (one.texts[-1].replace("Rolled back", "Selling back"),))
        for one in story.chat
    ]


def told_another_result(story: Story) -> None:
    story.chat = [Received(one.number, (one.texts[-1].replace("$", "$1"),)) for one in story.chat]


def bought_twice(story: Story) -> None:
    """A whole leg beside a whole sibling, bought again: no better price gave it."""
    again = story.intend("arb-locked", "polymarket", "complete", SIZE, "0.5")
    again["action"] = "buy"
    story.fill(again, story.send(again), FEES["polymarket"])
    story.tick(10_000)


SEEN: list[tuple[str, Break]] = [
    ("S16_single_sender", sent_after_a_takeover),
    ("S16_single_sender", sent_without_a_lease),
    ("S16_single_sender", lease_taken_under_an_old_epoch),
    ("S21_replay", history_of_another_code),
    ("Q10_one_answer", shows_nothing_open),
    ("Q10_one_answer", shows_another_profit),
    ("Q10_one_answer", shows_no_trades),
    ("Q10_one_answer", shows_old_settings),
    ("B2_stopped_in_time", told_late),
    ("S19_freshness", older_book_too_old),
    ("S19_freshness", books_far_apart),
    ("S19_freshness", read_before_it_was_made),
    ("Q8_told", end_lost_on_the_way),
    ("Q8_told", alarm_lost_on_the_way),
    ("Q8_told", alarm_over_and_not_said),
    ("Q8_told", waits_for_ever),
    ("Q8_told", told_too_often),
    ("Q8_told", told_an_older_end),
    ("Q8_told", told_another_result),
    ("Q2_hedged", bought_twice),
    ("B5_no_silent_exposure", bought_twice),
]
