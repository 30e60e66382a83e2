"""Alarms that open while a leg is not what it should be, and close when it is known to be well.

Thresholds are those of the alert table: an unknown order worries after 2 s and alarms after 10 s,
a fill that does not settle after 15 s and 60 s, a voided fill at once.
"""

from collections.abc import Iterable

from activities.desk import Desk
from domain.evidence import Observation, asked
from domain.order import Fill, FillState
from store.alarms import Alarm
from store.intents import StoredIntent
from store.states import Severity

UNKNOWN_AMBER_MS, UNKNOWN_RED_MS = 2_000, 10_000
STUCK_AMBER_MS, STUCK_RED_MS = 15_000, 60_000


async def about_unknown(
    desk: Desk, intent: StoredIntent, seen: tuple[Observation, ...], evidence: str
) -> None:
    """The order is still unknown: `seen` is every look at it so far, `evidence` what its answer
    still needs."""
    assert intent.sent_at_ms is not None, "only a sent order is unknown"
    age_ms = desk.wall_ms() - intent.sent_at_ms
    if age_ms > UNKNOWN_AMBER_MS:
        red = age_ms > UNKNOWN_RED_MS
        now = await desk.journal.arbitrage(intent.order.arb_id)
        known = f"polymarket holds {now.polymarket.held}, kalshi holds {now.kalshi.held}"
        waited = f"{intent.order.intent_id}: no answer for {age_ms // 1000} s"
        detail = f"{waited}; without it {known}; {asked(seen)}; {evidence}"
        await _raise(desk, _unknown(intent), "UNKNOWN_LEG", red, detail, intent.order.arb_id)


async def no_longer_unknown(desk: Desk, intent: StoredIntent, answer: object) -> None:
    """The order has a definite answer."""
    await desk.journal.close_alarm(_unknown(intent), str(answer), desk.wall_ms())


async def about_fills(desk: Desk, intent: StoredIntent, fresh: Iterable[Fill]) -> None:
    """The fills of an order as its venue reports them now."""
    order, now_ms = intent.order, desk.wall_ms()
    stuck = f"provisional:{order.intent_id}"
    waiting = [fill for fill in fresh if not fill.state.final]
    voided = [fill.trade_id for fill in fresh if fill.state is FillState.VOIDED]
    if voided:
        detail = f"{order.intent_id}: the venue voided {', '.join(voided)}"
        await _raise(desk, f"ghost:{order.arb_id}", "GHOST_FILL", True, detail, order.arb_id)
    if not waiting:
        await desk.journal.close_alarm(stuck, "every fill is final", now_ms)
        return
    age_ms = now_ms - min(fill.at_ms for fill in waiting)
    if age_ms > STUCK_AMBER_MS:
        fills = "1 fill" if len(waiting) == 1 else f"{len(waiting)} fills"
        detail = f"{order.intent_id}: {fills} not settled for {age_ms // 1000} s"
        red = age_ms > STUCK_RED_MS
        await _raise(desk, stuck, "PROVISIONAL_STUCK", red, detail, order.arb_id)


async def _raise(desk: Desk, key: str, code: str, red: bool, detail: str, arb_id: str) -> None:
    severity = Severity.RED if red else Severity.AMBER
    await desk.journal.raise_alarm(Alarm(key, code, severity, detail, arb_id), desk.wall_ms())


def _unknown(intent: StoredIntent) -> str:
    return f"unknown:{intent.order.intent_id}"
