"""What the scanners see, for pages: the last look at every pair, and counts by the minute."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col, select

from store.codec import detail_from, detail_json
from store.tables import ScanMinuteRow, SightingRow

MINUTE_MS = 60_000
KEPT_MS = 25 * 3_600_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """The last look at one pair; `at_ms` is when it was written."""

    pair_id: str
    executor: str
    at_ms: int
    sighting: dict[str, object]


def keep(
    session: Session,
    executor: str,
    seen: Mapping[str, Mapping[str, object]],
    gone: Iterable[str],
    now_ms: int,
) -> None:
    """Write the looks that changed, by pair id, and drop pairs that are followed no longer."""
    for pair_id, sighting in seen.items():
        session.merge(
            SightingRow(
                pair_id=pair_id, executor=executor, at_ms=now_ms, sighting=detail_json(sighting)
            )
        )
    dropped = list(gone)
    if dropped:
        session.exec(delete(SightingRow).where(col(SightingRow.pair_id).in_(dropped)))


def since(session: Session, after_ms: int) -> list[Sighting]:
    """Looks written at or after then."""
    rows = select(SightingRow).where(SightingRow.at_ms >= after_ms)
    return [_sighting(row) for row in session.exec(rows)]


def pair_ids(session: Session) -> set[str]:
    """Every pair that is followed."""
    return set(session.exec(select(SightingRow.pair_id)))


def one(session: Session, pair_id: str) -> Sighting | None:
    """The last look at one pair."""
    row = session.get(SightingRow, pair_id)
    return None if row is None else _sighting(row)


def count(session: Session, executor: str, counts: Mapping[str, int], now_ms: int) -> None:
    """Replace what this executor counted in the running minute."""
    minute = now_ms // MINUTE_MS * MINUTE_MS
    row = session.get(ScanMinuteRow, (executor, minute))
    if row is None:
        session.exec(delete(ScanMinuteRow).where(col(ScanMinuteRow.minute_ms) < now_ms - KEPT_MS))
        row = ScanMinuteRow(executor=executor, minute_ms=minute, counts="")
    row.counts = detail_json(counts)
    session.add(row)


def counted(session: Session, since_ms: int) -> dict[str, int]:
    """Everything counted since then, summed over executors."""
    total: dict[str, int] = {}
    rows = select(ScanMinuteRow).where(ScanMinuteRow.minute_ms >= since_ms)
    for row in session.exec(rows):
        for name, number in detail_from(row.counts).items():
            assert isinstance(number, int), f"{name} is counted in whole numbers, found {number}"
            total[name] = total.get(name, 0) + number
    return total


def _sighting(row: SightingRow) -> Sighting:
    return Sighting(row.pair_id, row.executor, row.at_ms, detail_from(row.sighting))
