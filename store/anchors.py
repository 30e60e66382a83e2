"""Proof that a journal is not older than it was: its newest audit row and its newest order."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from store import reconciliation, run_state
from store.alarms import Alarm, close, raise_alarm
from store.audit import Act
from store.states import Severity
from store.tables import AuditRow, IntentRow

ALARM = "journal_restored"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a journal held at some time; empty where it held none of the kind."""

    audit_id: int | None
    audit_hash: str | None
    intent: str | None


def newest(session: Session) -> Seen | None:
    """What the journal holds now; None while it is under suspicion of being restored."""
    if reconciliation.read(session).restored is not None:
        return None
    audit = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc()).limit(1)).first()
    intent = session.exec(
        select(IntentRow.id).order_by(col(IntentRow.created_ms).desc(), col(IntentRow.id)).limit(1)
    ).first()
    return Seen(audit.id if audit else None, audit.hash if audit else None, intent)


def missing(session: Session, seen: Seen) -> str | None:
    """What was seen and is not there any more; None where all of it is."""
    if seen.audit_id is not None:
        row = session.get(AuditRow, seen.audit_id)
        if row is None or row.hash != seen.audit_hash:
            return (
                f"expected audit row {seen.audit_id}, found {'none' if row is None else 'another'}"
            )
    if seen.intent is not None and session.get(IntentRow, seen.intent) is None:
        return f"expected order {seen.intent}, found none"
    return None


def suspicion(session: Session) -> str | None:
    """Why a plain resume is refused; None where nothing says that the journal is an older one."""
    why = reconciliation.read(session).restored
    return why and f"the journal was restored ({why}): see `lockstep confirm-restore`"


def restored(session: Session, why: str, act: Act) -> None:
    """Halt entries until the venues have been read and a person confirms."""
    reconciliation.mark_restored(session, why, act.at_ms)
    detail = f"the journal is older than it was: {why}"
    raise_alarm(session, Alarm(ALARM, "JOURNAL_RESTORED", Severity.RED, detail), act.at_ms)
    run_state.halt(session, detail, act)


def resumed(session: Session, now_ms: int) -> None:
    """A resume by any way is a person's word, but one that came before the venues were read is
    taken back: nobody can have looked at what they say."""
    standing = reconciliation.read(session)
    if standing.restored is None or run_state.read(session).halted:
        return
    if standing.read_since_restored:
        reconciliation.confirm_restored(session)
        close(session, ALARM, "an operator resumed after both venues were read", now_ms)
    else:
        reason = f"resumed before both venues were read: {standing.restored}"
        run_state.halt(session, reason, Act("lockstep", "anchor", now_ms))
