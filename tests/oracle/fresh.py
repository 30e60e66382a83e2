"""S19: how old the books were that an arbitrage was started on, and how far apart."""

import json
from collections.abc import Iterator
from typing import Any

from tests.oracle.world import MS_NS, VENUES, Row, World


def s19_freshness(world: World) -> Iterator[str]:
    """At the gate and at the first byte of an entry neither book is older than its deadline; they
    were not read further apart than allowed, and none before its exchange had made it. No entry
    arrives after the deadline that is written on it."""
    read: dict[str, int] = {}
    for row in world.admitted:
        found = _admitted(world, row)
        if isinstance(found, str):
            yield f"{row['id']}: {found}"
            continue
        times, bounds, at_ms = found
        read[row["id"]] = limit = min(times.values()) + bounds["deadline_ms"]
        if at_ms > limit:
            yield f"{row['id']}: admitted {at_ms - limit} ms after its older book was too old"
        skew = max(times.values()) - min(times.values())
        if skew > bounds["book_skew_ms_max"]:
            yield f"{row['id']}: its books were read {skew} ms apart"
        plan = json.loads(row["opportunity"])
        for venue, read_ms in times.items():
            early = plan[venue]["book_at_ms"] - read_ms
            if early > world.rules.asked_ms:
                yield f"{row['id']}: {venue}'s book was read {early} ms before it was made"
    yield from _late(world, read)


def _admitted(world: World, row: Row) -> tuple[dict[str, int], dict[str, Any], int] | str:
    """When each book was read (wall clock, ms), the bounds, and when the gate let it in (ms); or
    what is missing to say so."""
    reserved = [(event, d) for event, d in world.events(row["id"]) if event["kind"] == "reserved"]
    if not reserved:
        return "let in by no gate"
    event, detail = reserved[0]
    bounds, plan = json.loads(detail["bounds"]), json.loads(row["opportunity"])
    if not {"deadline_ms", "book_skew_ms_max"} <= set(bounds):
        return "its bounds do not say how old a book may be"
    seen_ms = plan["seen_ns"] // MS_NS
    times = {venue: seen_ms - plan[venue]["book_lag_ms"] for venue in VENUES}
    return times, bounds, event["at_ms"]


def _late(world: World, limits: dict[str, int]) -> Iterator[str]:
    for order in world.orders:
        intent = world.intent_of.get((order.venue, order.key))
        if intent is None or intent["purpose"] != "entry":
            continue
        limit = min(intent["not_after_ms"], limits.get(intent["arb_id"], intent["not_after_ms"]))
        late = order.first_byte_ns // MS_NS - limit - world.rules.slack_ms
        if late > 0:
            yield f"{intent['id']}: arrived {late} ms past its deadline"
