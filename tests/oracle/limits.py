"""S7 and S8: what a day may lose and trade, and what one market may take."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from tests.oracle.journal import WORKING, honest_gain
from tests.oracle.world import FAILED, MS_NS, Row, World, micro, show

AT_RISK = WORKING - {"HOLDING"}
NEVER = 1 << 62


def s7_daily_limit(world: World) -> Iterator[str]:
    """At every admission the day's losses, those of pairs that are held at a loss too, and what all
    admitted ones may still lose, are within the limit of the settings then in force; and so is the
    number of trades."""
    held = {row["arb_id"]: row for row in world.rows("reservations")}
    spans = {arb_id: _risk_spans(world, arb_id, row) for arb_id, row in held.items()}
    losses = {arb_id: list(_losses(world, arb_id)) for arb_id in held}
    for arb_id, row in held.items():
        policy = world.settings(world.arbitrage_of[arb_id]["settings_version"])
        if policy is None:
            continue
        at_ms = row["held_ms"]
        day = [other for other in held.values() if other["day"] == row["day"]]
        before = [o for o in day if (o["held_ms"], o["arb_id"]) <= (at_ms, arb_id)]
        if len(before) > policy["max_daily_trades"]:
            yield f"{arb_id}: trade {len(before)} of {row['day']}, {policy['max_daily_trades']} may"
        risk = sum(
            o["worst_loss_micro"]
            for o in before
            if any(start <= at_ms < end for start, end in spans[o["arb_id"]])
        )
        lost = sum((_before(losses[o["arb_id"]], at_ms) for o in day), start=Fraction(0))
        cap = Fraction(str(policy["max_daily_loss"]))
        if micro(risk) + lost > cap:
            yield f"{arb_id}: {show(micro(risk) + lost)} lost or at risk, {show(cap)} may"


def _risk_spans(world: World, arb_id: str, reservation: Row) -> list[tuple[int, int]]:
    """When its worst loss was charged to the day: until it is over, or held for good."""
    spans: list[tuple[int, int]] = []
    start: int | None = reservation["held_ms"]
    for event, detail in world.events(arb_id):
        if event["kind"] in ("locked", "concluded") and start is not None:
            over = event["kind"] == "concluded"
            spans.append((start, event["at_ms"] if over else hedged_ms(world, arb_id, event)))
            start = None
        elif event["kind"] == "phase" and detail["phase"] in AT_RISK and start is None:
            start = event["at_ms"]
    return spans if start is None else [*spans, (start, NEVER)]


def hedged_ms(world: World, arb_id: str, locked: Row) -> int:
    """When the pair that was locked was one that the chain cannot undo any more: the last of its
    trades up to then was final. Before that its loss is still at risk."""
    since_ms: int = locked["at_ms"]
    for fill in world.fills_of(arb_id):
        if fill["at_ms"] <= locked["at_ms"]:
            final = fill["state"] != "provisional"
            since_ms = max(since_ms, fill["state_ms"] if final else NEVER)
    return since_ms


def _losses(world: World, arb_id: str) -> Iterator[tuple[int, Fraction]]:
    """What it had lost from when on (ms), oldest first: while it is held what no answer to the
    question can bring back, and its result once it is over."""
    for event, detail in world.events(arb_id):
        if event["kind"] == "locked":
            since_ms = hedged_ms(world, arb_id, event)
            at_ns = (since_ms + 1) * MS_NS
            gain = honest_gain(world, arb_id, at_ns)
            yield since_ms, max(-gain, Fraction(0))
        elif event["kind"] in ("concluded", "reopened") or detail.get("phase") in AT_RISK:
            yield event["at_ms"], Fraction(0)
    row = world.arbitrage_of[arb_id]
    if row["closed_ms"] is not None:
        yield row["closed_ms"], max(-micro(row["realised_micro"]), Fraction(0))


def _before(losses: Sequence[tuple[int, Fraction]], at_ms: int) -> Fraction:
    """What was lost before then."""
    return next((lost for since, lost in reversed(losses) if since < at_ms), Fraction(0))


def s8_caps(world: World) -> Iterator[str]:
    """One open arbitrage per market, and no more money in one than its settings allow."""
    by_pair: dict[str, list[Row]] = {}
    for row in world.admitted:
        by_pair.setdefault(row["pair_id"], []).append(row)
    for pair, rows in by_pair.items():
        rows.sort(key=lambda row: row["opened_ms"])
        for first, second in itertools.pairwise(rows):
            if first["closed_ms"] is None or first["closed_ms"] > second["opened_ms"]:
                yield f"{pair}: {second['id']} opened while {first['id']} was open"
    for row in world.admitted:
        policy = world.settings(row["settings_version"])
        if policy is None:
            continue
        bet = Fraction(str(policy["max_bet"]))
        spent = -sum(
            (
                trade.cash
                for order, intent in world.orders_by_arbitrage.get(row["id"], ())
                for trade in order.trades
                if intent["purpose"] == "entry" and trade.state != FAILED
            ),
            start=Fraction(0),
        )
        if spent > bet:
            yield f"{row['id']}: spent {show(spent)} on a bet of at most {show(bet)}"
