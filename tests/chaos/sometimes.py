"""What a campaign must have seen at least once to have tested anything, by name."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.oracle.world import FAILED, MS_NS, Row, World

SOMETIMES = (
    "trade_locked",
    "trade_settled",
    "trade_closed_by_operator",
    "leg_completed",
    "leg_unwound",
    "leg_neutralised",
    "neutral_leg_settled",
    "one_leg_partly_filled",
    "unwind_refused_three_times",
    "unknown_then_filled",
    "unknown_then_never_arrived",
    "ghost_before_lock",
    "ghost_after_lock",
    "entry_refused_by_limit",
    "entry_fenced_after_the_gate",
    "entry_past_its_deadline",
    "sale_refused_by_closed_venue",
    "refused_as_duplicate",
    "resolution_mismatch",
    "alarm_opened_and_closed",
    "executor_killed",
    "holder_stopped",
    "executor_restarted",
    "notifier_killed",
    "temporal_restarted",
    "temporal_lost",
    "executor_took_over",
    "arbitrage_adopted",
    "network_hold_answer",
    "network_reset_before",
    "network_reset_after",
    "network_black_hole",
    "network_half_open",
    "network_late",
    "network_slow",
)


def seen_in(world: World) -> Counter[str]:
    """How often each was seen, by the ledgers and the journal."""
    seen = Counter(_trades(world))
    seen.update(_orders(world))
    seen.update(_ghosts(world))
    for row in world.rows("alarms"):
        seen["alarm_opened_and_closed"] += row["closed_ms"] is not None
        seen["resolution_mismatch"] += row["code"] == "RESOLUTION_MISMATCH"
    return seen


def _trades(world: World) -> Iterator[str]:
    for row in world.rows("arbitrages"):
        kinds = {event["kind"] for event, _ in world.events(row["id"])}
        if "locked" in kinds:
            yield "trade_locked"
        if row["adopted"]:
            yield "arbitrage_adopted"
        if row["phase"] == "SETTLED":
            yield "trade_settled"
        if row["phase"] == "REFUSED" and row["reason"] == "daily_trades_reached":
            yield "entry_refused_by_limit"
        mine = world.rows_of("intents", "arb_id", row["id"])
        yield from _of_trade(mine)
        own, other = world.contracts(row["id"], "polymarket")
        if min(own, other) > world.rules.dust:
            yield "leg_neutralised"
            if row["phase"] == "SETTLED":
                yield "neutral_leg_settled"


def _of_trade(intents: Sequence[Row]) -> Iterator[str]:
    filled = {(one["purpose"], one["action"]) for one in intents if one["state"] == "filled"}
    yield from (
        name
        for step, name in (
            (("close", "sell"), "trade_closed_by_operator"),
            (("complete", "buy"), "leg_completed"),
            (("unwind", "sell"), "leg_unwound"),
        )
        if step in filled
    )
    sales = [one for one in intents if one["action"] == "sell" and one["state"] == "not_filled"]
    if len(sales) >= 3:
        yield "unwind_refused_three_times"
    if any(one["rejection"] == "venue_closed" for one in sales):
        yield "sale_refused_by_closed_venue"


def _orders(world: World) -> Iterator[str]:
    asked = {row["intent_id"] for row in world.rows("observations")}
    for row in world.rows("intents"):
        if row["state"] == "filled" and row["id"] in asked:
            yield "unknown_then_filled"
        if row["rejection"] == "never_arrived":
            yield "unknown_then_never_arrived"
        if row["rejection"] == "not_allowed_at_the_last_gate":
            yield "entry_fenced_after_the_gate"
        if row["rejection"] == "past_its_deadline":
            yield "entry_past_its_deadline"
    for order in world.orders:
        if 0 < order.filled < order.size and order.action == "buy":
            yield "one_leg_partly_filled"
    for account in world.accounts.values():
        for entry in account.faults:
            if entry == "duplicate":
                yield "refused_as_duplicate"


def _ghosts(world: World) -> Iterator[str]:
    for arb_id, orders in world.orders_by_arbitrage.items():
        locked = [e["at_ms"] for e, _ in world.events(arb_id) if e["kind"] == "locked"]
        for order, _ in orders:
            for trade in order.trades:
                if trade.state == FAILED and trade.void_ns is not None:
                    before = [at for at in locked if at * MS_NS < trade.void_ns]
                    yield "ghost_after_lock" if before else "ghost_before_lock"
