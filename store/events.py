"""The life of an arbitrage as a list of numbered events; every write that changes it adds one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from store import rows
from store.codec import detail_from, detail_json
from store.tables import ArbitrageRow, EventRow

_TABLE = rows.table(EventRow)
_LATEST = (
    sa.select(_TABLE)
    .where(_TABLE.c.arb_id == sa.bindparam("arb_id"), _TABLE.c.kind == sa.bindparam("kind"))
    .order_by(_TABLE.c.revision.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Event:
    """One step: `revision` counts from 1 within its arbitrage."""

    arb_id: str
    revision: int
    at_ms: int
    kind: str
    detail: dict[str, object]


FIRST_REVISION = 1


def begin(
    session: Session, arb_id: str, kind: str, detail: Mapping[str, object], at_ms: int
) -> None:
    """Add the first event of an arbitrage that was written down with FIRST_REVISION."""
    event = {"arb_id": arb_id, "revision": FIRST_REVISION, "at_ms": at_ms, "kind": kind}
    rows.insert(session, EventRow, {**event, "detail": detail_json(detail)})


def append(
    session: Session, row: ArbitrageRow, kind: str, detail: Mapping[str, object], at_ms: int
) -> int:
    """Add one event and return its revision, which the arbitrage now has."""
    row.revision += 1
    row.updated_ms = max(row.updated_ms, at_ms)
    session.add(
        EventRow(
            arb_id=row.id,
            revision=row.revision,
            at_ms=at_ms,
            kind=kind,
            detail=detail_json(detail),
        )
    )
    return row.revision


def latest(session: Session, arb_id: str, kind: str) -> Event | None:
    """The last event of that kind."""
    found = rows.first_of(session, _LATEST, arb_id=arb_id, kind=kind)
    return _event(found) if found else None


def of_arbitrage(session: Session, arb_id: str, after_revision: int = 0) -> list[Event]:
    """Events later than `after_revision`, oldest first."""
    later = (
        select(EventRow)
        .where(EventRow.arb_id == arb_id, EventRow.revision > after_revision)
        .order_by(col(EventRow.revision))
    )
    return [_event(row) for row in session.exec(later)]


def _event(row: EventRow | sa.Row[Any]) -> Event:
    return Event(row.arb_id, row.revision, row.at_ms, row.kind, detail_from(row.detail))
