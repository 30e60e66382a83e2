"""The words of a job, from what the journal says now: a message that waited is not out of date."""

from contextlib import suppress
from dataclasses import dataclass, replace

from sqlmodel import Session

from domain.trade import Phase
from domain.venue import Mode
from notify import board, cards, facts, notices, words
from notify.jobs import TRADE, Job, Lane
from notify.wire import Text
from store.errors import NotJournaled

SEEN, CLOSE = "seen", "close"
CLOSABLE = frozenset({"UNHEDGED", "ONE_VENUE_ANSWERED"})
"""Alarms of a trade that a person may answer with a close."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The text, whether an older message of its subject is edited into it, and whether it will
    change without another row: a fill in it may still be voided."""

    text: Text
    edits: bool
    provisional: bool = False


def compose(session: Session, job: Job, mode: Mode, now_ms: int) -> Composed:
    """What the job says now."""
    made = _compose(session, job, mode, now_ms)
    if not job.again:
        return made
    return replace(made, text=again(made.text))


def again(text: Text) -> Text:
    """The same where a try of it may have arrived."""
    return replace(text, html=f"{text.html}\n<i>Sent again: the first try was not answered</i>")


def _compose(session: Session, job: Job, mode: Mode, now_ms: int) -> Composed:
    payload = job.payload
    match job.topic:
        case _ if job.topic == TRADE:
            return _card(session, str(payload["arb_id"]), now_ms)
        case notices.ALARM:
            return _alarm(session, job, mode)
        case notices.HALTED:
            number = len(board.read(session, mode, now_ms).open)
            return Composed(Text(notices.halted(payload, mode, number), rings=True), False)
        case notices.RESUMED:
            seen = board.read(session, mode, now_ms)
            return Composed(Text(notices.resumed(payload, mode, seen), rings=True), False)
        case notices.SETTINGS_CHANGED:
            return Composed(Text(notices.settings_changed(payload, mode)), False)
        case notices.DAILY:
            seen = board.read(session, mode, now_ms, str(payload["day"]))
            return Composed(Text(notices.summary(seen)), False)
        case notices.HEARTBEAT:
            return Composed(Text(notices.heartbeat(board.read(session, mode, now_ms))), False)
    return Composed(Text(f"<b>{words.safe(job.topic)}</b>"), False)


def _card(session: Session, arb_id: str, now_ms: int) -> Composed:
    found = facts.read(session, arb_id)
    buttons: tuple[tuple[str, str], ...] = ()
    if found.state.phase is Phase.HOLDING:
        buttons = (("Close…", f"{CLOSE}:{arb_id}"[:64]),)
    return Composed(
        Text(cards.card(found, now_ms), rings=True, buttons=buttons),
        edits=True,
        provisional=not found.final and not found.state.phase.ended,
    )


def _alarm(session: Session, job: Job, mode: Mode) -> Composed:
    """A red one that is open rings each time; everything else about an alarm is an edit."""
    arb_id, open_now = job.payload.get("arb_id"), job.payload["state"] == "open"
    about: tuple[str, ...] = ()
    if isinstance(arb_id, str):
        with suppress(NotJournaled):
            found = facts.read(session, arb_id)
            plan = found.state.opportunity
            event = words.event(plan.title, plan.kalshi.instrument.market)
            about = (event, *(cards.exposure(found) if open_now else ()))
    loud = job.lane is Lane.CRITICAL
    buttons = [("Seen", f"{SEEN}:{job.payload['alarm_id']}")]
    if job.payload["code"] in CLOSABLE:
        buttons.append(("Close…", f"{CLOSE}:{arb_id}"[:64]))
    text = notices.alarm(job.payload, mode, about)
    return Composed(Text(text, rings=loud, buttons=tuple(buttons) if loud else ()), edits=not loud)
