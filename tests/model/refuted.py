"""Policies that are refuted: six that other executors use, and three bad ways to neutralise."""

from dataclasses import dataclass, replace

from tests.model.policies import NEUTRALISING, Policy
from tests.model.world import Rules


@dataclass(frozen=True, slots=True)
class Refuted:
    """A policy, the world that breaks it, how it breaks, and how many steps that takes at most."""

    policy: Policy
    rules: Rules
    rule: str
    turns: tuple[str, ...]
    steps: int = 6


OF_OTHERS = (
    Refuted(
        Policy("A", "not found means refused", "conclude"),
        Rules(),
        "was executed after it was concluded",
        ("not found, concluded refused", "fills"),
    ),
    Refuted(
        Policy("B", "post again under a new id", "repost"),
        Rules(forgets=True),  # an id that is new is one that the venue does not remember
        "was executed twice",
        ("not found, posted again", "fills", "fills"),
    ),
    Refuted(
        Policy("C", "post again under the same id, which the venue forgets once closed", "repost"),
        Rules(forgets=True),
        "was executed twice",
        ("not found, posted again", "fills", "fills"),
    ),
    Refuted(
        Policy("D", "post again under the same id, which the venue remembers", "repost"),
        Rules(),
        "was executed after it was concluded",
        ("not found, posted again", "fills", "the match ends voided", "fills"),
    ),
    Refuted(
        Policy("E", "act on a match, never look again", "quarantine", final=True, corrects=False),
        Rules(),
        "unhedged for ever and silent",
        ("fills", "the match ends voided", "fills"),
    ),
    Refuted(
        Policy("F", "act on a match, correct it later", "quarantine", final=True),
        Rules(),
        "is short: inverse exposure",
        ("fills", "the match ends voided", "sale 1: post", "sale 1: fills"),
    ),
)
"""How other executors recover."""
NEUTRALISING_BADLY = (
    Refuted(
        replace(NEUTRALISING, letter="I", title="do not wait for a sale's answer", hasty=True),
        Rules(),
        "the other outcome is held alone: inverse exposure",
        ("sale 1: post", "opposite 2: post", "sale 1: fills", "opposite 2: fills"),
        9,
    ),
    Refuted(
        replace(NEUTRALISING, letter="J", title="count a neutral pair for both", doubles=True),
        Rules(),
        "kalshi is short: inverse exposure",
        ("opposite 2: fills", "kalshi sale 1: post", "kalshi sale 1: fills"),
        13,
    ),
    Refuted(
        replace(NEUTRALISING, letter="K", title="take its match for good", trusts=True),
        Rules(),
        "unhedged for ever and silent",
        ("opposite 2: fills", "opposite 2: the match ends voided"),
        10,
    ),
)
"""Bad ways to buy the other outcome as the last step."""
REFUTED = OF_OTHERS + NEUTRALISING_BADLY
CRASHES_MAX = 2
