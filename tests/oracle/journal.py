"""S9-S20: what may be said of settings, steps, evidence, amounts and the audit trail."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from tests.oracle.world import ENDS, FAILED, MS_NS, VENUES, Row, World, micro, show

WORKING = {"RESOLVING", "UNWINDING", "HOLDING", "CLOSING", "NEEDS_OPERATOR"}
LEGAL = {
    "PLACING": WORKING | {"FLAT"},
    "RESOLVING": WORKING | {"FLAT"},
    "UNWINDING": WORKING | {"FLAT"},
    "HOLDING": WORKING | {"SETTLING", "FLAT"},
    "CLOSING": {"RESOLVING", "HOLDING", "NEEDS_OPERATOR", "FLAT"},
    "SETTLING": {"RESOLVING", "NEEDS_OPERATOR", "SETTLED"},
    "NEEDS_OPERATOR": WORKING | {"FLAT", "SETTLING"},
}
BUYS = ("entry", "complete")
MISSES, SOURCES = 3, 2
LISTS_TRADES = {"polymarket": "trades", "kalshi": "kalshi fills"}
"""The read of each venue that would show a fill whatever became of the order's own record."""
DECIMALS_MAX = 12
GATE_MS = 2_000
"""How long the transaction of the gate may take: between its clock and the settings it saw."""


def s9_disable_fence(world: World) -> Iterator[str]:
    """No entry arrives after a disable or a halt was acknowledged and before the next enable."""
    changes = sorted(
        (row["at_ms"], bool(json.loads(row["settings"])["enabled"]))
        for row in world.rows("settings_history")
    )
    halts = sorted(
        (row["at_ms"], row["action"] != "halt")
        for row in world.rows("audit")
        if row["action"] in ("halt", "resume")
    )
    grace = world.rules.stopped_ms + world.rules.slack_ms
    for order in world.orders:
        intent = world.intent_of.get((order.venue, order.key))
        if intent is None or intent["purpose"] not in BUYS:
            continue
        at_ms = order.first_byte_ns // MS_NS
        for name, switches in (("disabled", changes), ("halted", halts)):
            last = [switch for switch in switches if switch[0] <= at_ms][-1:]
            if last and not last[0][1] and at_ms > last[0][0] + grace:
                since = at_ms - last[0][0]
                yield f"{intent['id']}: arrived {since} ms after entries were {name}"


def s10_settings(world: World) -> Iterator[str]:
    """Versions have no gaps and their times do not go back; an arbitrage carries the version that
    was in force when it was admitted."""
    history = sorted(world.rows("settings_history"), key=lambda row: row["version"])
    for number, row in enumerate(history, start=1):
        if row["version"] != number:
            yield f"settings: expected version {number}, found {row['version']}"
            return
    for earlier, later in itertools.pairwise(history):
        if later["at_ms"] < earlier["at_ms"]:
            yield f"settings: version {later['version']} is older than the one before"
    for row in world.admitted:
        version = row["settings_version"]
        if not 1 <= version <= len(history):
            yield f"{row['id']}: settings version {version} does not exist"
            continue
        too_new = history[version - 1]["at_ms"] > row["opened_ms"] + GATE_MS
        replaced = version < len(history) and history[version]["at_ms"] < row["opened_ms"]
        if too_new or replaced:
            yield f"{row['id']}: settings version {version} was not in force at its admission"


def s11_lifecycle(world: World) -> Iterator[str]:
    """Every recorded step is legal, and after the end there is none."""
    for row in world.admitted:
        phase = "PLACING"
        for revision, (event, detail) in enumerate(world.events(row["id"]), start=1):
            if event["revision"] != revision:
                yield f"{row['id']}: expected event {revision}, found {event['revision']}"
                break
            following = str(detail.get("phase", phase))
            if following != phase and following not in LEGAL.get(phase, set()):
                yield f"{row['id']}: went from {phase} to {following}"
            phase = following
        if phase != row["phase"]:
            yield f"{row['id']}: is {row['phase']}, its events end in {phase}"


def s12_evidence(world: World) -> Iterator[str]:
    """An order that was concluded never to have arrived was missed often, long and widely enough
    since it was sent, or last shown; reads that failed do not count. No trade of it was shown, and
    it has not arrived."""
    arrived = {(o.venue, o.key) for o in world.orders if o.reached_matching and o.trades}
    for row in world.rows("intents"):
        if row["rejection"] != "never_arrived":
            continue
        if (row["venue"], row["key"]) in arrived:
            yield f"{row['id']}: concluded never to have arrived, and its venue filled it"
        looks = [
            seen
            for seen in world.rows_of("observations", "intent_id", row["id"])
            if seen["at_ms"] <= row["answered_ms"]
        ]
        shown = [seen for seen in looks if seen["found"] == 1]
        start = max([row["sent_ms"], *(seen["at_ms"] for seen in shown)])
        horizon = start + world.rules.quarantine_ms
        misses = [seen for seen in looks if seen["found"] == 0 and start <= seen["at_ms"]]
        listed = [seen for seen in misses if seen["source"] == LISTS_TRADES[row["venue"]]]
        as_of = [seen["as_of_ms"] or 0 for seen in listed]
        wanting = {
            "the quarantine": row["answered_ms"] < horizon,
            f"{MISSES} misses": len(misses) < MISSES,
            f"{SOURCES} sources": len({seen["source"] for seen in misses}) < SOURCES,
            "a look that showed none of its trades": any(
                seen["source"] == LISTS_TRADES[row["venue"]] for seen in shown
            ),
            "a list of trades after the quarantine": not any(
                seen["at_ms"] >= horizon for seen in listed
            ),
            "the venue's own time past the quarantine": row["venue"] == "kalshi"
            and not any(at >= horizon for at in as_of),
        }
        for name, missing in wanting.items():
            if missing:
                yield f"{row['id']}: concluded never to have arrived without {name}"


def s13_integers(world: World) -> Iterator[str]:
    """No stored amount went through a binary float, and a plan is rounded against us."""
    for table in world.tables:
        for row in world.rows(table):
            for name, value in row.items():
                if name.endswith("_micro") and value is not None and type(value) is not int:
                    yield f"{table}.{name}: expected a whole number, found {value!r}"
    for row in world.rows("arbitrages"):
        plan = json.loads(row["opportunity"])
        for path, value in _leaves(plan):
            if path != "plan.roi" and (isinstance(value, float) or _is_long(value)):
                yield f"{row['id']}: {path} is {value!r}, no exact amount"
        if micro(row["outlay_micro"]) < Fraction(plan["outlay"]):
            yield f"{row['id']}: its outlay is rounded down"
        if micro(row["profit_micro"]) > Fraction(plan["profit"]):
            yield f"{row['id']}: its profit is rounded up"
        for venue in VENUES:
            leg = plan[venue]
            least = Fraction(leg["size"]) * Fraction(leg["limit"]) + Fraction(leg["fee_bound"])
            if Fraction(leg["outlay"]) < least:
                yield f"{row['id']}: {venue} may cost {show(least)}, planned {leg['outlay']}"


def _leaves(value: Any, path: str = "plan") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, path)
    else:
        yield path, value


def _is_long(value: Any) -> bool:
    """Whether a text is a number with more decimals than any amount has."""
    if not isinstance(value, str) or "." not in value:
        return False
    try:
        exponent = Decimal(value).normalize().as_tuple().exponent
    except InvalidOperation:
        return False
    return isinstance(exponent, int) and -exponent > DECIMALS_MAX


def s14_honest_profit(world: World) -> Iterator[str]:
    """What was called guaranteed is at most the least that any answer pays, less all that was
    paid, by the exchanges' own books."""
    for row in world.admitted:
        for event, detail in world.events(row["id"]):
            if event["kind"] == "locked":
                at_ns = (event["at_ms"] + 1) * MS_NS
                honest = honest_gain(world, row["id"], at_ns)
                if Fraction(detail["guaranteed"]) > honest:
                    yield f"{row['id']}: said {detail['guaranteed']}, at least {show(honest)}"
        if row["phase"] == "HOLDING":
            honest = least_gain(world, row["id"], None)
            for trade in world.rows_of("executor_trades", "arb_id", row["id"]):
                if micro(trade["pnl_micro"]) > honest:
                    said = show(micro(trade["pnl_micro"]))
                    yield f"{row['id']}: logged a profit of {said}, at least {show(honest)}"


def honest_gain(world: World, arb_id: str, at_ns: int) -> Fraction:
    """The most that may be called guaranteed then, in dollars."""
    return max(least_gain(world, arb_id, at_ns, known=known) for known in (False, True))


def least_gain(world: World, arb_id: str, at_ns: int | None, *, known: bool = False) -> Fraction:
    """What an arbitrage gains at least, whatever the answer is, by what it had then or in the end;
    by the exchanges' own books, in dollars. `known`: as far as we had to know of it."""
    here, there = (world.contracts(arb_id, venue, at_ns, known=known) for venue in VENUES)
    payout = min(here[0] + there[1], here[1] + there[0])
    paid = Fraction(0)
    for order, _ in world.orders_by_arbitrage.get(arb_id, ()):
        sign = 1 if order.action == "buy" else -1
        for trade in order.trades:
            if world.counts(trade, at_ns, known=known):
                paid += sign * trade.size * trade.price + trade.fee
    # Polymarket books dollars per level to the micro-dollar: the product may be a hair above.
    return payout - paid + Fraction(2, 1_000_000)


def s15_void(world: World) -> Iterator[str]:
    """A trade that failed on the chain counts nothing anywhere, and soon."""
    rows = {(row["venue"], row["trade_id"]): row for row in world.rows("fills")}
    for order in world.orders:
        for trade in order.trades:
            row = rows.get((order.venue, trade.trade_id))
            if trade.state == FAILED and row is not None:
                assert trade.void_ns is not None, "the ledger books a failure"
                failed_ms = trade.void_ns // MS_NS
                late = row["state_ms"] - failed_ms
                late -= world.rules.down(failed_ms, row["state_ms"])
                if row["state"] != "voided":
                    yield f"trade {trade.trade_id} failed, the journal says {row['state']}"
                elif late > world.rules.void_ms:
                    yield f"trade {trade.trade_id} failed {late} ms before it was voided"
            elif row is not None and row["state"] == "voided":
                yield f"trade {trade.trade_id} is {trade.state}, the journal voided it"


def s17_authority(world: World) -> Iterator[str]:
    """Each change of settings has exactly one audit row, by a named actor from a named place."""
    for row in world.rows("settings_history"):
        if row["version"] == 1:
            continue
        subject = f"settings/{row['version']}"
        seals = world.rows_of("audit", "subject", subject)
        if len(seals) != 1:
            yield f"{subject}: expected one audit row, found {len(seals)}"
        elif not seals[0]["actor"] or not seals[0]["origin"] or seals[0]["actor"] != row["actor"]:
            yield f"{subject}: its audit row names {seals[0]['actor']!r}, not {row['actor']!r}"


def s18_secrets(world: World) -> Iterator[str]:
    """No key and no signature lies in a database, a log or a message."""
    for sink in world.sinks:
        content = sink.read_bytes()
        for number, secret in enumerate(world.secrets, start=1):
            if secret in content:
                yield f"{sink.name}: holds secret {number}"


def s20_audit_chain(world: World) -> Iterator[str]:
    """Every audit row is sealed with the hash of the one before."""
    previous = "0" * 64
    for row in sorted(world.rows("audit"), key=lambda row: row["id"]):
        names = ("at_ms", "actor", "origin", "action", "subject", "detail")
        content = {**{name: row[name] for name in names}, "previous": row["previous_hash"]}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        seal = hashlib.sha256(text.encode()).hexdigest()
        if row["previous_hash"] != previous or row["hash"] != seal:
            yield f"audit row {row['id']}: its seal does not hold"
            return
        previous = row["hash"]


def s21_replay(world: World) -> Iterator[str]:
    """Every history replays on the code that runs."""
    for workflow, problem in world.replays.items():
        if problem is not None:
            yield f"{workflow}: its history does not replay: {problem}"


def ended(row: Row) -> bool:
    """Whether nothing more happens to this arbitrage."""
    return row["phase"] in ENDS
