"""The audit trail: who did what from where, each row sealed with the hash of the one before."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from store.codec import detail_json
from store.tables import AuditRow

GENESIS = "0" * 64
SEALS_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts (`actor`), through what (`origin`: dashboard, telegram, cli...), and when."""

    actor: str
    origin: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """The first audit row whose content no longer matches its hash, or its predecessor's."""

    id: int
    message: str


def record(
    session: Session, act: Act, action: str, subject: str, detail: Mapping[str, object]
) -> str:
    """Append one row and return its hash, the head of the chain."""
    newest = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc()).limit(1)).first()
    row = AuditRow(
        at_ms=act.at_ms,
        actor=act.actor,
        origin=act.origin,
        action=action,
        subject=subject,
        detail=detail_json(detail),
        previous_hash=newest.hash if newest else GENESIS,
        hash="",
    )
    row.hash = _seal(row)
    session.add(row)
    session.flush()
    return row.hash


def head(session: Session) -> str:
    """The hash of the newest row: kept elsewhere, it proves later that nothing was cut off."""
    newest = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc()).limit(1)).first()
    return newest.hash if newest else GENESIS


def verify(session: Session, told: Callable[[int], None] | None = None) -> BrokenSeal | None:
    """Walk the whole chain; None where every seal holds. `told` hears now and then how many did."""
    previous = GENESIS
    for number, row in enumerate(session.exec(select(AuditRow).order_by(col(AuditRow.id)))):
        if told is not None and number % SEALS_TOLD == 0:
            told(number)
        assert row.id is not None, "a stored row has its key"
        if row.previous_hash != previous:
            return BrokenSeal(row.id, f"expected to follow {previous}, found {row.previous_hash}")
        if row.hash != _seal(row):
            return BrokenSeal(row.id, f"expected hash {_seal(row)}, found {row.hash}")
        previous = row.hash
    return None


def page(session: Session, limit: int, before_id: int | None = None) -> list[AuditRow]:
    """Rows from the newest down, those older than `before_id` only."""
    rows = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
    if before_id is not None:
        rows = rows.where(col(AuditRow.id) < before_id)
    return list(session.exec(rows))


def _seal(row: AuditRow) -> str:
    content = {
        "at_ms": row.at_ms,
        "actor": row.actor,
        "origin": row.origin,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
        "previous": row.previous_hash,
    }
    return hashlib.sha256(detail_json(content).encode()).hexdigest()
