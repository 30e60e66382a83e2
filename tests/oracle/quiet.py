"""Q1-Q9 once nothing moves any more, and the bounds B1-B6 on how long things took."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from tests.oracle.journal import ended
from tests.oracle.world import FAILED, MS_NS, VENUES, Row, World, micro, show

REST = ("HOLDING", "NEEDS_OPERATOR", "FLAT", "SETTLED")
RESTING = ("LIVE", "resting", "DELAYED")
TRADES_SHOWN = 50
"""What a page begins with."""


def q1_ended(world: World) -> Iterator[str]:
    """Every arbitrage is over with a reason, or held, or waits for a person."""
    for row in world.rows("arbitrages"):
        if ended(row) and not row["reason"]:
            yield f"{row['id']}: {row['phase']} without a reason"
        elif not ended(row) and row["phase"] not in REST:
            yield f"{row['id']}: still {row['phase']}"


def q2_hedged(world: World) -> Iterator[str]:
    """Nothing is naked, or an open alarm names exactly what is."""
    for row in world.admitted:
        if row["phase"] == "SETTLED":
            continue
        polymarket, kalshi = (world.held(row["id"], venue) for venue in VENUES)
        gap = _gap(world, row, polymarket, kalshi)
        all_held = [size for venue in VENUES for size in world.contracts(row["id"], venue)]
        if row["phase"] == "FLAT" and max(all_held) > world.rules.dust:
            yield f"{row['id']}: FLAT, and holds {' / '.join(map(show, all_held))}"
        elif gap > world.rules.dust and not _named(world, row["id"], polymarket, kalshi):
            yield f"{row['id']}: {show(polymarket)} against {show(kalshi)}, and no alarm says so"


def _gap(world: World, row: Row, polymarket: Fraction, kalshi: Fraction) -> Fraction:
    """Naked contracts. What an order at Polymarket returned beyond its own size is upside beside a
    whole hedge, not a gap; a second order for the same leg is."""
    if not (kalshi >= micro(row["size_micro"]) and polymarket >= kalshi):
        return abs(polymarket - kalshi)
    own = world.outcome(row["id"], "polymarket")
    upside = (
        max(order.filled - micro(intent["size_micro"]), Fraction(0))
        for order, intent in world.orders_by_arbitrage.get(row["id"], ())
        if (order.venue, order.action, order.outcome) == ("polymarket", "buy", own)
    )
    return max(polymarket - kalshi - sum(upside, start=Fraction(0)), Fraction(0))


def _named(world: World, arb_id: str, polymarket: Fraction, kalshi: Fraction) -> bool:
    for alarm in world.rows_of("alarms", "arb_id", arb_id):
        if alarm["closed_ms"] is not None:
            continue
        numbers = {Fraction(text) for text in re.findall(r"\d+(?:\.\d+)?", alarm["detail"])}
        if {polymarket, kalshi} <= numbers:
            return True
    return False


def q3_cash(world: World) -> Iterator[str]:
    """Each exchange's cash is what it was plus what it booked, and what the journal says; and the
    result of every arbitrage is the cash it moved."""
    for venue, account in world.accounts.items():
        booked = sum((Fraction(e["cash"]) for e in account.entries), start=Fraction(0))
        if account.start + booked != account.cash or not account.conserved:
            yield f"{venue}: its own ledger does not add up"
        moved = sum(
            (Fraction(e["cash"]) for e in account.entries if e["kind"] != "transfer"),
            start=Fraction(0),
        )
        ours = micro(journal_cash(world, venue))
        if moved != ours:
            yield f"{venue}: its cash moved {show(moved)}, the journal says {show(ours)}"
    for row in world.admitted:
        if row["realised_micro"] is not None:
            result = _moved(world, row["id"])
            if micro(row["realised_micro"]) != result:
                said = show(micro(row["realised_micro"]))
                yield f"{row['id']}: booked a result of {said}, it moved {show(result)}"


def journal_cash(world: World, venue: str) -> int:
    """Micro-dollars that the journal says an exchange's account gained or lost."""
    flow: int = 0
    for fill in world.rows("fills"):
        if fill["venue"] == venue and fill["state"] != "voided":
            sign = 1 if fill["action"] == "sell" else -1
            flow += sign * fill["notional_micro"] - fill["fee_micro"]
    paid = (int(r["amount_micro"]) for r in world.rows("payouts") if r["venue"] == venue)
    return flow + sum(paid)


def _moved(world: World, arb_id: str) -> Fraction:
    trades = (t for order, _ in world.orders_by_arbitrage.get(arb_id, ()) for t in order.trades)
    paid = [micro(row["amount_micro"]) for row in world.rows_of("payouts", "arb_id", arb_id)]
    return sum((trade.cash for trade in trades), start=sum(paid, start=Fraction(0)))


def q4_positions(world: World) -> Iterator[str]:
    """Each exchange holds for us what the journal says, contract by contract."""
    resolved = {(row["arb_id"], row["venue"]) for row in world.rows("payouts")}
    intents = {row["id"]: row for row in world.rows("intents")}
    for venue, account in world.accounts.items():
        ours: Counter[tuple[str, str]] = Counter()
        for fill in world.rows("fills"):
            intent = intents.get(fill["intent_id"])
            if intent is None or fill["venue"] != venue or fill["state"] == "voided":
                continue
            if (intent["arb_id"], venue) in resolved:
                continue
            sign = 1 if fill["action"] == "buy" else -1
            pair = world.arbitrage_of[intent["arb_id"]]["pair_id"]
            ours[pair, intent["outcome"]] += sign * fill["size_micro"]
        for key in sorted(set(ours) | set(account.positions)):
            theirs = account.positions.get(key, Fraction(0))
            if micro(ours[key]) != theirs:
                said = show(micro(ours[key]))
                yield f"{venue}: holds {show(theirs)} of {key}, the journal says {said}"


def q5_reservations(world: World) -> Iterator[str]:
    """What is over, or locked with every trade final, risks nothing, and the day's sum is that of
    what still does."""
    held: Counter[tuple[str, str]] = Counter()
    for row in world.rows("reservations"):
        if row["state"] != "held":
            continue
        held[row["mode"], row["day"]] += row["worst_loss_micro"]
        phase = world.arbitrage_of[row["arb_id"]]["phase"]
        final = not any(fill["state"] == "provisional" for fill in world.fills_of(row["arb_id"]))
        if phase in ("FLAT", "SETTLED") or (phase == "HOLDING" and final):
            yield f"{row['arb_id']}: {phase}, and its reservation is still held"
    for day in world.rows("risk_days"):
        expected = held[day["mode"], day["day"]]
        if day["reserved_loss_micro"] != expected:
            found = show(micro(day["reserved_loss_micro"]))
            yield f"{day['day']}: {found} at risk, expected {show(micro(expected))}"


def q6_workflows(world: World) -> Iterator[str]:
    """A workflow runs for each open arbitrage, and for no other."""
    if world.workflows is None:
        return
    ids = {workflow.partition(":")[0] for workflow in world.workflows}
    opened = {row["id"] for row in world.admitted if not ended(row)}
    for arb_id in sorted(opened - ids):
        yield f"{arb_id}: open, and no workflow runs"
    for arb_id in sorted(ids - opened):
        yield f"{arb_id}: over, and its workflow runs"


def q7_nothing_rests(world: World) -> Iterator[str]:
    """No order of ours rests in a book."""
    for order in world.orders:
        if order.state in RESTING:
            yield f"{order.venue}: order {order.key} rests in the book"


def q9_unknown_is_loud(world: World) -> Iterator[str]:
    """No order without an answer, unless an open alarm says so."""
    loud = {row["arb_id"] for row in world.rows("alarms") if row["closed_ms"] is None}
    for row in world.rows("intents"):
        if row["state"] not in ("filled", "not_filled") and row["arb_id"] not in loud:
            yield f"{row['id']}: {row['state']}, and no alarm is open"


def q10_one_answer(world: World) -> Iterator[str]:
    """Every reader shows what the journal holds: what is open, the log, the settings."""
    opened = {row["id"]: row["phase"] for row in world.admitted if not ended(row)}
    logged = {row["arb_id"]: row for row in world.rows("executor_trades")}
    newest = max(world.rows("settings_history"), key=lambda row: row["version"])
    enabled = bool(json.loads(newest["settings"])["enabled"])
    for name, shown in world.shown.items():
        if dict(shown.positions) != opened:
            yield f"{name}: shows {dict(shown.positions)}, open are {opened}"
        if (shown.enabled, shown.version) != (enabled, newest["version"]):
            yield f"{name}: shows settings {shown.version}, the newest are {newest['version']}"
        if len(shown.trades) < min(len(logged), TRADES_SHOWN):
            yield f"{name}: shows {len(shown.trades)} trades of {len(logged)}"
        for arb_id, (status, profit) in shown.trades.items():
            row = logged.get(arb_id)
            if row is None or (status, profit) != (row["status"], micro(row["pnl_micro"])):
                yield f"{name}: shows {arb_id} {status} {show(profit)}, the log says {row}"


def b1_alarm_in_time(world: World) -> Iterator[str]:
    """A gap that the journal knows of for long has its alarm in time."""
    for row in world.admitted:
        known = known_naked(world, row)
        if known is None:
            continue
        start, end, _ = known
        limit = start + world.rules.alarm_ms + world.rules.down(start, end)
        opened = [a["opened_ms"] for a in world.rows_of("alarms", "arb_id", row["id"])]
        if end > limit and not any(at <= limit for at in opened):
            yield f"{row['id']}: naked and known to be for {end - start} ms before an alarm"


def known_naked(world: World, row: Row) -> tuple[int, int, str] | None:
    """From when the journal knew both entries and a gap between them, until its first step (ms),
    and the venue that holds more; None where there was no gap."""
    mine = world.rows_of("intents", "arb_id", row["id"])
    entries = [i for i in mine if i["purpose"] == "entry"]
    if any(i["answered_ms"] is None for i in entries) or not entries:
        return None
    start = max(i["answered_ms"] for i in entries)
    sizes = dict.fromkeys(VENUES, Fraction(0))
    for entry in entries:
        for fill in world.rows_of("fills", "intent_id", entry["id"]):
            counted = fill["state"] != "voided"
            sizes[entry["venue"]] += micro(fill["size_micro"]) if counted else 0
            start = max(start, fill["state_ms"])
    if _gap(world, row, sizes["polymarket"], sizes["kalshi"]) <= world.rules.dust:
        return None
    sales = [i["answered_ms"] for i in mine if i["purpose"] != "entry" and i["answered_ms"]]
    more = max(sizes, key=lambda venue: sizes[venue])
    return start, min(sales, default=row["closed_ms"] or world.at_ms), more


def b2_stopped_in_time(world: World) -> Iterator[str]:
    """Whoever stops entries is told in time that they are stopped."""
    for stop in world.stops:
        took = stop.told_ms - stop.asked_ms - world.rules.down(stop.asked_ms, stop.told_ms)
        if took > world.rules.acknowledged_ms:
            yield f"{stop.what}: acknowledged after {took} ms"


def b3_resolving_after_restart(world: World) -> Iterator[str]:
    """After every outage, orders in flight are asked for in time."""
    for start, end in world.rules.outages:
        for row in world.rows("intents"):
            sent, answered = row["sent_ms"], row["answered_ms"]
            if sent is None or sent > end or (answered is not None and answered <= start):
                continue
            looks = world.rows_of("observations", "intent_id", row["id"])
            asked = [look["at_ms"] for look in looks]
            asked = [at for at in [*asked, answered] if at is not None and at >= start]
            limit = end + world.rules.resolve_after_restart_ms
            limit += world.rules.down(end, limit)
            if not any(at <= limit for at in asked) and world.at_ms > limit:
                yield f"{row['id']}: in flight at an outage and not asked for in time"


def b4_rest_after_heal(world: World) -> Iterator[str]:
    """Once all faults are gone, everything comes to rest in time."""
    healed = world.rules.healed_ms
    if healed is None:
        return
    limit = healed + world.rules.rest_after_heal_ms
    for row in world.admitted:
        if row["phase"] not in REST and world.at_ms > limit:
            yield f"{row['id']}: {row['phase']} {world.at_ms - healed} ms after the faults"
        elif row["phase"] == "FLAT" and row["opened_ms"] < healed and row["closed_ms"] > limit:
            yield f"{row['id']}: ended {row['closed_ms'] - healed} ms after the faults"


def b5_no_silent_exposure(world: World) -> Iterator[str]:
    """By the exchanges' own clocks: nothing is naked for long without an open alarm."""
    for row in world.admitted:
        alarms = world.rows_of("alarms", "arb_id", row["id"])
        for start, end in naked_spans(world, row):
            loud_from = start + world.rules.alarm_ms + world.rules.down(start, end)
            if end <= loud_from:
                continue
            covering = [
                alarm
                for alarm in alarms
                if alarm["opened_ms"] <= loud_from
                and (alarm["closed_ms"] is None or alarm["closed_ms"] + 1_000 >= end)
            ]
            if not covering:
                yield f"{row['id']}: naked for {end - start} ms without an alarm"


def b6_asked_in_time(world: World) -> Iterator[str]:
    """An order without an answer is asked for, or its alarm is open, before it is old; whoever was
    stopped, killed or started again meanwhile."""
    for row in world.rows("intents"):
        sent = row["sent_ms"]
        if sent is None:
            continue
        looks = world.rows_of("observations", "intent_id", row["id"])
        alarms = world.rows_of("alarms", "arb_id", row["arb_id"])
        mine = [one for one in alarms if one["detail"].startswith(f"{row['id']}: no answer")]
        times = [row["answered_ms"], *(look["at_ms"] for look in looks)]
        times += [one["opened_ms"] for one in mine]
        first = min((at for at in times if at is not None), default=world.at_ms)
        age = first - sent - world.rules.down(sent, first)
        if age > world.rules.unknown_ms:
            yield f"{row['id']}: {age} ms without an answer, a question or an alarm"


def naked_spans(world: World, row: Row) -> list[tuple[int, int]]:
    """When exactly one leg was held, or one beyond the other (ms), by the exchanges' clocks."""
    moments: set[int] = set()
    for order, _ in world.orders_by_arbitrage.get(row["id"], ()):
        for trade in order.trades:
            moments.add(trade.at_ns)
            if trade.state == FAILED and trade.void_ns is not None:
                moments.add(trade.void_ns)
    end_ms = row["closed_ms"] or world.at_ms
    times = [*sorted(moments), end_ms * MS_NS]
    spans: list[tuple[int, int]] = []
    for start, end in itertools.pairwise(times):
        polymarket, kalshi = (world.held(row["id"], venue, start) for venue in VENUES)
        if _gap(world, row, polymarket, kalshi) <= world.rules.dust or end <= start:
            continue
        if spans and spans[-1][1] == start // MS_NS:
            spans[-1] = (spans[-1][0], end // MS_NS)
        else:
            spans.append((start // MS_NS, end // MS_NS))
    return spans
