"""Looks for what is naked in the journal alone: its alarm waits for no workflow and no venue."""

from activities.desk import Desk
from domain.venue import Mode
from store import exposure
from store.alarms import Alarm
from store.exposure import Exposed
from store.states import Severity

NAKED_MS = 3_000
"""How long one leg may be held alone in silence: a saga that is at work is sooner done."""


async def look(desk: Desk, mode: Mode) -> tuple[str, ...]:
    """Open the alarm of every arbitrage that is naked for NAKED_MS and has none; their ids. The
    saga closes it on evidence, as its own."""
    now_ms = desk.wall_ms()
    found = await desk.journal.read(lambda s: exposure.silent(s, mode, now_ms - NAKED_MS))
    for one in found:
        await desk.journal.raise_alarm(_alarm(one), now_ms)
    return tuple(one.arb_id for one in found)


def _alarm(one: Exposed) -> Alarm:
    held = f"polymarket holds {one.polymarket}, kalshi holds {one.kalshi}"
    detail = f"{held}: {one.phase}, and nothing has changed for {NAKED_MS // 1000} s"
    return Alarm(f"unhedged:{one.arb_id}", "UNHEDGED", Severity.AMBER, detail, one.arb_id)
