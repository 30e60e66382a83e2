"""Ways to break what is seen of a run from outside: the wire, the readers, the replayed histories,
what a person is told. Each with the line that must speak up."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.oracle.build import Story
from tests.oracle.damages import Break
from tests.oracle.world import Answered, Sent, World


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
]
