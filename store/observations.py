"""Reads that looked for an order: the evidence that a conclusion rests on."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from domain.evidence import Observation
from store.tables import ObservationRow


def add(session: Session, intent_id: str, seen: Iterable[Observation]) -> None:
    """Append reads that looked for the order; one read (source and time) counts once."""
    known = {(o.source, o.at_ms) for o in of_intent(session, intent_id)}
    for one in seen:
        if (one.source, one.at_ms) in known:
            continue
        known.add((one.source, one.at_ms))
        session.add(
            ObservationRow(
                intent_id=intent_id,
                source=one.source,
                at_ms=one.at_ms,
                found=one.found,
                as_of_ms=one.as_of_ms,
                detail=one.detail,
            )
        )
    session.flush()


def of_intent(session: Session, intent_id: str) -> tuple[Observation, ...]:
    """Every read that looked for the order, oldest first."""
    seen = (
        select(ObservationRow)
        .where(ObservationRow.intent_id == intent_id)
        .order_by(col(ObservationRow.at_ms), col(ObservationRow.id))
    )
    return tuple(
        Observation(row.source, row.at_ms, row.found, row.as_of_ms, row.detail)
        for row in session.exec(seen)
    )
