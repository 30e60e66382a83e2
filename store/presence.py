"""Which executors live: each writes what it sees every second, readers judge by the age."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from store import lease
from store.codec import detail_from, detail_json
from store.tables import ExecutorRow, SenderLeaseRow

ALIVE_MS = 5_000
"""Whoever has not reported for this long does not count as running."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One executor's last report; times are wall-clock ms."""

    name: str
    since_ms: int
    seen_ms: int
    report: dict[str, object]


def report(session: Session, name: str, seen: Mapping[str, object], now_ms: int) -> None:
    """Keep the executor's newest report."""
    row = session.get(ExecutorRow, name)
    if row is None:
        row = ExecutorRow(name=name, since_ms=now_ms, seen_ms=now_ms, report="")
    row.seen_ms, row.report = now_ms, detail_json(seen)
    session.add(row)


def reports(session: Session, seen_since_ms: int = 0) -> list[Presence]:
    """Every executor that reported since then, the longest running first."""
    rows = (
        select(ExecutorRow)
        .where(ExecutorRow.seen_ms >= seen_since_ms)
        .order_by(col(ExecutorRow.since_ms))
    )
    return [
        Presence(row.name, row.since_ms, row.seen_ms, detail_from(row.report))
        for row in session.exec(rows)
    ]


def standing_by(session: Session, name: str, now_ms: int) -> list[Presence]:
    """The other executors that live and do not send. One that said it does, and whose lease is
    asked for all the same, has died or stands still."""
    found = reports(session, now_ms - ALIVE_MS)
    return [one for one in found if one.name != name and not one.report.get("sends")]


def foremost(found: Iterable[Presence], part: str) -> Presence | None:
    """Whose `part` of the report counts where several tell one: the executor's that sends, else
    the newest; None where nobody tells it."""
    telling = [one for one in found if isinstance(one.report.get(part), dict)]
    return max(telling, key=lambda one: (bool(one.report.get("sends")), one.seen_ms), default=None)


def at_work(session: Session, now_ms: int, alive_since_ms: int) -> str | None:
    """Who sends or has reported since then, and what to stop; None where nobody is. The journal
    may be of any version of ours: an older one lacks a table, a newer one has columns more."""
    there = set(sa.inspect(session.connection()).get_table_names())
    if SenderLeaseRow.__tablename__ in there:
        for account, holder in lease.holders(session, now_ms).items():
            return f"{holder} sends for {account}: stop every executor"
    if ExecutorRow.__tablename__ in there:
        alive = select(ExecutorRow.name).where(ExecutorRow.seen_ms >= alive_since_ms)
        for name in session.exec(alive):
            return f"{name} is at work: stop every process of lockstep"
    return None
