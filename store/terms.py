"""The words and times of markets, for pages: as their venues told them last."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from domain.terms import Terms
from domain.venue import Venue
from store.tables import TermsRow


def keep(session: Session, read: Iterable[Terms], now_ms: int) -> None:
    """Write what was read just now."""
    for one in read:
        session.merge(
            TermsRow(
                venue=one.venue,
                market=one.market,
                title=one.title,
                rules=one.rules,
                category=one.category,
                url=one.url,
                closes_ms=one.closes_at_ms,
                settles_ms=one.settles_at_ms,
                read_ms=now_ms,
            )
        )


def since(session: Session, after_ms: int) -> list[tuple[int, Terms]]:
    """What was written at or after then, each with when."""
    rows = select(TermsRow).where(col(TermsRow.read_ms) >= after_ms)
    return [(row.read_ms, _terms(row)) for row in session.exec(rows)]


def of(session: Session, venue: Venue, market: str) -> Terms | None:
    """One market; None where it was never read."""
    row = session.get(TermsRow, (venue, market))
    return None if row is None else _terms(row)


def _terms(row: TermsRow) -> Terms:
    return Terms(
        venue=Venue(row.venue),
        market=row.market,
        title=row.title,
        rules=row.rules,
        category=row.category,
        url=row.url,
        closes_at_ms=row.closes_ms,
        settles_at_ms=row.settles_ms,
    )
