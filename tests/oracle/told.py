"""Q8: what is written down for a person, and what he really got."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.oracle.journal import ended
from tests.oracle.world import Received, Row, World

COPIES_MAX = 3
ENDS = {
    "FLAT": ("Rolled back", "Nothing filled", "Sold both legs", "On a person's word"),
    "SETTLED": ("Paid out", "The venues disagree", "On a person's word"),
}
"""The words of a card whose trade is over, one of which its last version says."""


def q8_told(world: World) -> Iterator[str]:
    """Each end and each edge of an alarm is in the outbox, at least once and under one key; and in
    the chat of whoever is written to, in words that are still true."""
    keys = Counter(row["dedupe_key"] for row in world.rows("outbox"))
    for key, copies in keys.items():
        if copies > COPIES_MAX:
            yield f"outbox: {copies} copies of {key}"
    for row in world.rows("alarms"):
        edges = ["0"] + (["closed"] if row["closed_ms"] is not None else [])
        for edge in edges:
            if f"alarm/{row['id']}/{edge}" not in keys:
                yield f"alarm {row['id']} ({row['code']}): nobody is told of its edge {edge}"
    told = {key.split("/")[1] for key in keys if key.startswith("trade/")}
    for row in world.admitted:
        if ended(row) and row["id"] not in told:
            yield f"{row['id']}: nobody is told of its end"
    if world.received is not None:
        yield from _arrived(world, world.received)


def _arrived(world: World, chat: tuple[Received, ...]) -> Iterator[str]:
    for row in world.rows("outbox"):
        if row["sent_ms"] is None:
            yield f"outbox: {row['dedupe_key']} never left"
    for row in world.admitted:
        if ended(row):
            yield from _card(row, [one for one in chat if row["id"] in one.texts[-1]])
    for row in world.rows("alarms"):
        name = re.compile(rf"Alarm {row['id']}\b")
        about = [one for one in chat if any(name.search(text) for text in one.texts)]
        if not about:
            yield f"alarm {row['id']} ({row['code']}): no message of it arrived"
        elif row["closed_ms"] is not None and "OVER" not in about[-1].texts[-1]:
            yield f"alarm {row['id']} ({row['code']}): over, and no message says so"


def _card(row: Row, about: list[Received]) -> Iterator[str]:
    cards = [one for one in about if "Alarm " not in one.texts[-1]]
    if not cards:
        yield f"{row['id']}: no message of it arrived"
    elif len(cards) > COPIES_MAX:
        yield f"{row['id']}: {len(cards)} messages of it arrived"
    elif not any(word in cards[-1].texts[-1] for word in ENDS[row["phase"]]):
        yield f"{row['id']}: {row['phase']}, and its newest message says otherwise"
    elif row["realised_micro"] and amount(row["realised_micro"]) not in cards[-1].texts[-1]:
        yield f"{row['id']}: its newest message does not say {amount(row['realised_micro'])}"


def amount(micro_dollars: int) -> str:
    """A result as a person is told it: rounded down to a hundredth of a cent."""
    ticks = micro_dollars // 100
    dollars, rest = divmod(abs(ticks), 10_000)
    cents = f"{rest:04d}"
    shown = cents.rstrip("0").ljust(2, "0")
    return f"{'-' if ticks < 0 else '+'}${dollars}.{shown}"
