"""Alarms that open while a leg is not what it should be, and close when it is known to be well.

Thresholds are those of the alert table: an unknown order worries after 2 s and alarms after 10 s,
a fill that does not settle after 15 s and 60 s, a voided fill at once.
"""

from collections.abc import Iterable

from activities.desk import Desk
from domain.evidence import Observation, asked
from domain.order import Fill, FillState
from store import alarms
from store.alarms import Alarm
from store.arbitrages import ArbitrageState
from store.intents import StoredIntent
from store.states import Severity

UNKNOWN_AMBER_MS, UNKNOWN_RED_MS = 2_000, 10_000
STUCK_AMBER_MS, STUCK_RED_MS = 15_000, 60_000


async def about_unknown(
    desk: Desk, intent: StoredIntent, seen: tuple[Observation, ...], evidence: str
) -> None:
    """The order is still unknown: `seen` is every look at it so far, `evidence` what its answer
    still needs. The alarm closes with the answer."""
    now_ms = desk.wall_ms()
    assert intent.sent_at_ms is not None, "only a sent order is unknown"
    if now_ms - intent.sent_at_ms > UNKNOWN_AMBER_MS:
        known = await desk.journal.arbitrage(intent.order.arb_id)
        latest = next(one for one in known.intents if one.order.intent_id == intent.order.intent_id)
        if not latest.state.definite:  # who sent it may have heard its answer meanwhile
            await desk.journal.raise_alarm(unknown(intent, known, seen, evidence, now_ms), now_ms)


def unknown(
    intent: StoredIntent,
    known: ArbitrageState,
    seen: tuple[Observation, ...],
    evidence: str,
    now_ms: int,
) -> Alarm:
    """The alarm of an order without an answer, and of what its arbitrage holds without it."""
    assert intent.sent_at_ms is not None, "only a sent order is unknown"
    age_ms, name = now_ms - intent.sent_at_ms, intent.order.intent_id
    held = f"polymarket holds {known.polymarket.held}, kalshi holds {known.kalshi.held}"
    waited = f"{name}: no answer for {age_ms // 1000} s"
    detail = f"{waited}; without it {held}; {asked(seen)}; {evidence}"
    severity = Severity.RED if age_ms > UNKNOWN_RED_MS else Severity.AMBER
    return Alarm(f"{alarms.UNKNOWN}{name}", "UNKNOWN_LEG", severity, detail, intent.order.arb_id)


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
