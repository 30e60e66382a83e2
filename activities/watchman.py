"""Looks for what is naked, or unknown, in the journal alone: its alarm waits for no workflow and
no venue."""

from sqlmodel import Session

from activities import worries
from activities.desk import Desk
from domain.order import Unknown
from domain.venue import Mode
from store import alarms, arbitrages, exposure, intents, observations
from store.alarms import Alarm
from store.exposure import Exposed
from store.states import Severity

NAKED_MS = 3_000
"""How long one leg may be held alone in silence: a saga that is at work is sooner done."""

UNANSWERED_MS = 3_000
"""How long an order may be without an answer in silence. Who asks its venue says so sooner, but a
venue that is silent holds up whoever asks it."""


async def look(desk: Desk, mode: Mode) -> tuple[str, ...]:
    """Open the alarm of every arbitrage that is naked for NAKED_MS and has none; their ids. The
    saga closes it on evidence, as its own."""
    now_ms = desk.wall_ms()
    found = await desk.journal.read(lambda s: exposure.silent(s, mode, now_ms - NAKED_MS))
    for one in found:
        await desk.journal.raise_alarm(_alarm(one), now_ms)
    return tuple(one.arb_id for one in found)


async def look_for_answers(desk: Desk, mode: Mode) -> tuple[str, ...]:
    """Open the alarm of every order that has been without an answer for UNANSWERED_MS and has
    none, and turn it red in time; their ids. The answer closes it."""
    now_ms = desk.wall_ms()

    def find(session: Session) -> list[str]:
        red_ms = now_ms - worries.UNKNOWN_RED_MS - 1
        return exposure.unanswered(session, mode, now_ms - UNANSWERED_MS, red_ms)

    def warn(session: Session) -> tuple[str, ...]:
        """Looks again, in the transaction of the alarm: an answer may have come."""
        found = find(session)
        for intent_id in found:
            intent = intents.load(session, intent_id)
            seen = observations.of_intent(session, intent_id)
            known = arbitrages.load(session, intent.order.arb_id)
            said = intent.answer.evidence if isinstance(intent.answer, Unknown) else "it was sent"
            alarm = worries.unknown(intent, known, seen, said, now_ms)
            alarms.raise_alarm(session, alarm, now_ms)
        return tuple(found)

    # A look that finds nothing keeps no order waiting for its turn to write.
    if not await desk.journal.read(find):
        return ()
    return await desk.journal.write(now_ms, warn)


def _alarm(one: Exposed) -> Alarm:
    held = f"polymarket holds {one.polymarket}, kalshi holds {one.kalshi}"
    detail = f"{held}: {one.phase}, and nothing has changed for {NAKED_MS // 1000} s"
    return Alarm(f"unhedged:{one.arb_id}", "UNHEDGED", Severity.AMBER, detail, one.arb_id)
