"""Alarms are rows, messages are copies: an alarm opens, repeats, is acknowledged, and closes
only on evidence."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from store import audit, outbox
from store.audit import Act
from store.errors import ClosesByItself, NotJournaled
from store.states import Severity
from store.tables import AlarmRow, ArbitrageRow

REPEAT_MS = 60_000
CONFLICT = "journal_conflict"
"""Key of the alarm that a person's resume closes."""
UNKNOWN = "unknown:"
"""Key, with an order's intent id after it, of the alarm that its answer closes."""
BY_WORD = frozenset({"RESOLUTION_MISMATCH", "LATE_FILL"})
"""Codes of what only a person may know to be settled: with a venue, or of an ended arbitrage."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong. `key` names the thing ("unhedged:arb-1"), `code` the kind ("UNHEDGED")."""

    key: str
    code: str
    severity: Severity
    detail: str
    arb_id: str | None = None


def raise_alarm(session: Session, alarm: Alarm, now_ms: int) -> int:
    """Open the alarm, or count one more repeat of the one that is open; returns its number.

    A message goes out at the opening and, until somebody acknowledges it, once per REPEAT_MS
    in which it repeats; at once where it turns red: whoever has seen it has not seen that. What
    is red stays so until it closes: a try to mend it is no evidence, and was seen with it.
    """
    row, turns_red = opened(session, alarm.key), False
    if row is None:
        row = AlarmRow(
            key=alarm.key,
            code=alarm.code,
            severity=alarm.severity,
            arb_id=alarm.arb_id,
            detail=alarm.detail,
            opened_ms=now_ms,
            repeated_ms=now_ms,
        )
        session.add(row)
        session.flush()
    else:
        turns_red = alarm.severity is Severity.RED and row.severity != Severity.RED
        if turns_red:
            row.acknowledged_ms = row.acknowledged_by = None
        row.repeats += 1
        row.repeated_ms = now_ms
        row.detail = alarm.detail
        if row.severity != Severity.RED:
            row.severity = alarm.severity
    assert row.id is not None, "a flushed row has its key"
    if row.acknowledged_ms is None:
        told = _tell(session, row, _turn(row, now_ms), now_ms)
        if turns_red and not told:
            _tell(session, row, f"{_turn(row, now_ms)}/red", now_ms)
    return row.id


def silent(session: Session, now_ms: int) -> list[AlarmRow]:
    """Red and open alarms that nobody has acknowledged and that no message of this REPEAT_MS
    tells of."""
    rows = select(AlarmRow).where(
        col(AlarmRow.closed_ms).is_(None),
        col(AlarmRow.acknowledged_ms).is_(None),
        AlarmRow.severity == Severity.RED,
    )
    return [row for row in session.exec(rows) if not outbox.known(session, _turn(row, now_ms))]


def ring(session: Session, now_ms: int) -> None:
    """One more message of every alarm that is silent, whether or not what is wrong repeats."""
    for row in silent(session, now_ms):
        _tell(session, row, _turn(row, now_ms), now_ms)


def acknowledge(session: Session, alarm_id: int, act: Act, evidence: str | None = None) -> None:
    """Somebody has seen it: it stays open and stops repeating its message. His evidence closes one
    of BY_WORD; for any other it raises ClosesByItself, and nothing was changed."""
    row = _row(session, alarm_id)
    if evidence is not None and row.code not in BY_WORD:
        raise ClosesByItself(
            f"alarm {alarm_id} ({row.code}) closes by itself once what is wrong is over: a word "
            f"closes only {' and '.join(sorted(BY_WORD))}"
        )
    if row.acknowledged_ms is None:
        row.acknowledged_ms, row.acknowledged_by = act.at_ms, act.actor
        audit.record(session, act, "acknowledge", f"alarm/{alarm_id}", {"code": row.code})
    if evidence is not None and row.closed_ms is None:
        detail = {"code": row.code, "evidence": evidence}
        audit.record(session, act, "close", f"alarm/{alarm_id}", detail)
        close(session, row.key, f"{act.actor}: {evidence}", act.at_ms)


def close(session: Session, key: str, evidence: str, now_ms: int) -> bool:
    """What was wrong is proven to be over; False where no such alarm is open."""
    row = opened(session, key)
    if row is None:
        return False
    row.closed_ms, row.evidence = now_ms, evidence
    _tell(session, row, f"alarm/{row.id}/closed", now_ms)
    return True


def open_alarms(session: Session) -> list[AlarmRow]:
    """What is wrong now, oldest first."""
    rows = select(AlarmRow).where(col(AlarmRow.closed_ms).is_(None)).order_by(col(AlarmRow.id))
    return list(session.exec(rows))


def find(session: Session, alarm_id: int) -> AlarmRow | None:
    """One alarm, open or over."""
    return session.get(AlarmRow, alarm_id)


def page(session: Session, limit: int, before_id: int | None = None) -> list[AlarmRow]:
    """All alarms from the newest down, those older than `before_id` only."""
    rows = select(AlarmRow).order_by(col(AlarmRow.id).desc()).limit(limit)
    if before_id is not None:
        rows = rows.where(col(AlarmRow.id) < before_id)
    return list(session.exec(rows))


def titles(session: Session, rows: Iterable[AlarmRow]) -> dict[str, str]:
    """The questions that these alarms are about, by arbitrage."""
    wanted = [row.arb_id for row in rows if row.arb_id is not None]
    found = select(ArbitrageRow.id, ArbitrageRow.title).where(col(ArbitrageRow.id).in_(wanted))
    return dict(session.exec(found).all()) if wanted else {}


def opened(session: Session, key: str) -> AlarmRow | None:
    """The open alarm of this key."""
    rows = select(AlarmRow).where(AlarmRow.key == key, col(AlarmRow.closed_ms).is_(None))
    return session.exec(rows).first()


def _turn(row: AlarmRow, now_ms: int) -> str:
    """The key of its message in this REPEAT_MS."""
    return f"alarm/{row.id}/{max(now_ms - row.opened_ms, 0) // REPEAT_MS}"


def _row(session: Session, alarm_id: int) -> AlarmRow:
    row = find(session, alarm_id)
    if row is None:
        raise NotJournaled(f"expected an alarm, found no number {alarm_id}")
    return row


def _tell(session: Session, row: AlarmRow, dedupe_key: str, now_ms: int) -> bool:
    payload = {
        "alarm_id": row.id,
        "code": row.code,
        "severity": row.severity,
        "arb_id": row.arb_id,
        "event": titles(session, [row]).get(row.arb_id or ""),
        "detail": row.detail,
        "repeats": row.repeats,
        "state": "open" if row.closed_ms is None else "closed",
        "evidence": row.evidence,
    }
    return outbox.put(session, dedupe_key, "alarm", payload, now_ms)
