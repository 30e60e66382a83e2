"""S1-S6: what may be said of every order that reached an exchange."""

import json
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from tests.oracle.world import MS_NS, OTHER, VENUES, Row, VenueOrder, World, micro, show

TIF = {
    "fill_or_kill": {"FOK", "fill_or_kill"},
    "immediate_or_cancel": {"FAK", "immediate_or_cancel"},
}
PRICE_STEP = Fraction(1, 1_000_000)
BUYS = ("entry", "complete")


def s1_once(world: World) -> Iterator[str]:
    """Each intent reached an exchange at most once and filled at most what it says; each leg was
    entered once."""
    sent = Counter((order.venue, order.key) for order in world.orders)
    for (venue, key), times in sent.items():
        if times > 1:
            yield f"{venue}: order {key} arrived {times} times"
    for venue, account in world.accounts.items():
        if account.duplicates:
            yield f"{venue}: refused {account.duplicates} repeats of an order"
    for order in world.orders:
        intent = world.intent_of.get((order.venue, order.key))
        if intent is not None:
            yield from _too_much(order, intent)
    entries = Counter(
        (row["arb_id"], row["venue"]) for row in world.rows("intents") if row["purpose"] == "entry"
    )
    for (arb_id, venue), times in entries.items():
        if times > 1:
            yield f"{arb_id}: {times} entry orders at {venue}"


def _too_much(order: VenueOrder, intent: Row) -> Iterator[str]:
    # A buy at Polymarket is bounded by its dollars: a better price returns more contracts.
    if order.venue == "polymarket" and order.action == "buy":
        spent = sum((t.size * t.price for t in order.trades), start=Fraction(0))
        bound = micro(intent["size_micro"]) * micro(intent["limit_micro"])
        if spent > bound + PRICE_STEP:
            yield f"{intent['id']}: spent {show(spent)}, intended {show(bound)}"
    elif order.filled > micro(intent["size_micro"]):
        wanted = show(micro(intent["size_micro"]))
        yield f"{intent['id']}: filled {show(order.filled)}, intended {wanted}"


def s2_write_ahead(world: World) -> Iterator[str]:
    """Every order was written down, and marked as sent, before its first byte arrived."""
    for order in world.orders:
        intent = world.intent_of.get((order.venue, order.key))
        if intent is None:
            yield f"{order.venue}: order {order.key} on {order.pair} is in no intent"
        elif intent["sent_ms"] is None:
            yield f"{intent['id']}: arrived and was never marked as sent"
        elif intent["sent_ms"] * MS_NS > order.first_byte_ns:
            late = intent["sent_ms"] - order.first_byte_ns // MS_NS
            yield f"{intent['id']}: marked as sent {late} ms after its first byte"


def s3_bounds(world: World) -> Iterator[str]:
    """Each order is what was written down, on an approved market, and its fills are within its
    limit and its planned fee."""
    for order in world.orders:
        intent = world.intent_of.get((order.venue, order.key))
        if intent is None:
            continue
        yield from _as_written(world, order, intent)
        buying = order.action == "buy"
        for trade in order.trades:
            worse = trade.price - order.limit if buying else order.limit - trade.price
            if worse > PRICE_STEP:
                bound = show(order.limit)
                yield f"{intent['id']}: {order.action} at {show(trade.price)}, limit {bound}"
        yield from _fee_above_plan(world, order, intent)


def _as_written(world: World, order: VenueOrder, intent: Row) -> Iterator[str]:
    arbitrage = world.arbitrage_of.get(intent["arb_id"])
    if arbitrage is None:
        yield f"{intent['id']}: belongs to no arbitrage"
        return
    other = _is_other(world, intent)
    if other and not _may_neutralise(world, intent):
        yield f"{intent['id']}: is for {intent['outcome']}, without leave to neutralise"
    pairs = {
        "market": (order.pair, arbitrage["pair_id"]),
        "outcome": (order.outcome, intent["outcome"]),
        "direction": (order.action, "buy" if intent["purpose"] in BUYS or other else "sell"),
        "direction written": (intent["action"], order.action),
        "size": (order.size, micro(intent["size_micro"])),
    }
    for name, (found, expected) in pairs.items():
        if found != expected:
            yield f"{intent['id']}: expected {name} {expected}, found {found}"
    if abs(order.limit - micro(intent["limit_micro"])) > PRICE_STEP and order.limit:
        wanted = show(micro(intent["limit_micro"]))
        yield f"{intent['id']}: expected limit {wanted}, found {show(order.limit)}"
    if order.tif not in TIF[intent["time_in_force"]]:
        yield f"{intent['id']}: expected {intent['time_in_force']}, found {order.tif}"


def _is_other(world: World, intent: Row) -> bool:
    """Whether it is for the other outcome than its leg."""
    return bool(intent["outcome"] != world.outcome(intent["arb_id"], intent["venue"]))


def _may_neutralise(world: World, intent: Row) -> bool:
    """Whether the bounds that the arbitrage was admitted under let its unwind at Polymarket buy
    the other outcome."""
    reserved = [d for event, d in world.events(intent["arb_id"]) if event["kind"] == "reserved"]
    bounds = json.loads(reserved[0].get("bounds", "{}")) if reserved else {}
    unwinds = (intent["venue"], intent["purpose"]) == ("polymarket", "unwind")
    return unwinds and bounds.get("buy_opposite") is True


def _fee_above_plan(world: World, order: VenueOrder, intent: Row) -> Iterator[str]:
    arbitrage = world.arbitrage_of.get(intent["arb_id"])
    if arbitrage is None or intent["purpose"] != "entry":
        return
    planned = Fraction(json.loads(arbitrage["opportunity"])[order.venue]["fee_bound"])
    paid = sum((trade.fee for trade in order.trades), start=Fraction(0))
    if paid > planned:
        yield f"{intent['id']}: paid a fee of {show(paid)}, planned at most {show(planned)}"


def s4_pair(world: World) -> Iterator[str]:
    """Both legs were authorised in one commit, or neither."""
    legs: dict[str, list[Row]] = {}
    for row in world.rows("intents"):
        if row["purpose"] == "entry":
            legs.setdefault(row["arb_id"], []).append(row)
    for arbitrage in world.rows("arbitrages"):
        mine = legs.get(arbitrage["id"], [])
        if arbitrage["phase"] == "REFUSED":
            if mine:
                yield f"{arbitrage['id']}: refused, yet {len(mine)} entry orders are written down"
            continue
        venues = sorted(row["venue"] for row in mine)
        if set(venues) != set(VENUES):
            yield f"{arbitrage['id']}: expected an entry order at both venues, found {venues}"
        for name in ("settings_version", "epoch", "size_micro"):
            if len({row[name] for row in mine}) > 1:
                yield f"{arbitrage['id']}: its legs differ in {name}"
        if {row["size_micro"] for row in mine} - {arbitrage["size_micro"]}:
            yield f"{arbitrage['id']}: a leg is not of the size that was admitted"


def s5_no_blind_unwind(world: World) -> Iterator[str]:
    """When a step towards an even pair leaves, every earlier order of both legs is known; and
    when an excess is sold or completed, every counted fill is final."""
    for arb_id, sent in world.orders_by_arbitrage.items():
        for _, intent in sent:
            if intent["purpose"] == "entry" or intent["sent_ms"] is None:
                continue
            for row in world.rows_of("intents", "arb_id", arb_id):
                if row["id"] != intent["id"]:
                    yield from _was_known(intent, row)
            if intent["purpose"] != "close":
                yield from _was_final(world, arb_id, intent)


def _was_known(step: Row, other: Row) -> Iterator[str]:
    if other["sent_ms"] is None or other["sent_ms"] > step["sent_ms"]:
        return
    if other["answered_ms"] is None or other["answered_ms"] > step["sent_ms"]:
        yield f"{step['id']}: left while {other['id']} was unknown"


def _was_final(world: World, arb_id: str, sale: Row) -> Iterator[str]:
    """No trade is older than its order: a list of trades may give whole seconds only."""
    for order in world.rows_of("intents", "arb_id", arb_id):
        if order["id"] == sale["id"]:
            continue
        for fill in world.rows_of("fills", "intent_id", order["id"]):
            began = max(fill["at_ms"], order["sent_ms"] or 0) <= sale["sent_ms"]
            if began and (fill["state"] == "provisional" or fill["state_ms"] > sale["sent_ms"]):
                yield f"{sale['id']}: left while trade {fill['trade_id']} was not final"


def s6_no_overshoot(world: World) -> Iterator[str]:
    """A sale is no larger than the excess, a completion no larger than what is missing, the other
    outcome less than a contract beyond the excess; nothing is ever held short."""
    for arb_id, sent in world.orders_by_arbitrage.items():
        for order, intent in sent:
            if intent["purpose"] == "entry":
                continue
            before = order.first_byte_ns - 1
            own = world.held(arb_id, order.venue, before)
            sibling = world.held(arb_id, OTHER[order.venue], before)
            gap = sibling - own if intent["purpose"] == "complete" else own - sibling
            room = own if intent["purpose"] == "close" else max(gap, Fraction(0))
            room = Fraction(ceil(room)) if _is_other(world, intent) else room
            if order.size > room:
                verb = "buys" if order.action == "buy" else "sells"
                yield f"{intent['id']}: {verb} {show(order.size)}, the gap is {show(room)}"
        for venue in VENUES:
            moments = [t.at_ns for order, _ in sent for t in order.trades]
            if any(world.held(arb_id, venue, moment) < 0 for moment in moments):
                yield f"{arb_id}: short at {venue}"


def s16_single_sender(world: World) -> Iterator[str]:
    """The epochs of the lease under which orders reach an exchange never fall: nothing comes from
    a process once another one has taken its account."""
    for venue in VENUES:
        taken = [
            (row["at_ms"], json.loads(row["detail"])["epoch"], int(row["actor"].split("-")[-1]))
            for row in world.rows("audit")
            if row["action"] == "take_lease" and row["subject"].startswith(f"{venue}/")
        ]
        epochs = [epoch for _, epoch, _ in sorted(taken)]
        if epochs != sorted(set(epochs)):
            yield f"{venue}: its lease was taken under the epochs {epochs}"
        seen = 0
        for sent in sorted(world.sent, key=lambda one: one.at_ms):
            if sent.venue != venue:
                continue
            own = [e for at_ms, e, who in taken if who == sent.process and at_ms <= sent.at_ms]
            epoch = max(own, default=0)
            known_ms = sent.at_ms - world.rules.slack_ms
            newer = [e for at_ms, e, _ in taken if at_ms < known_ms and e > epoch]
            if epoch < seen or newer or not epoch:
                now = max([seen, *newer], default=0)
                yield f"{venue}: process {sent.process} sent under epoch {epoch}, it was {now}"
            seen = max(seen, epoch)
