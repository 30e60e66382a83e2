"""Whether two listings ask the same question, as a person has said: approved or rejected pairs.

A rejection holds for the pair's name, whatever it lists; an approval for the markets that were
compared. What was said before is in the audit trail.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.venue import Venue
from store import audit, rows
from store.audit import Act
from store.states import ReviewVerdict
from store.tables import PairReviewRow

_REVIEWS = rows.table(PairReviewRow)
_REJECTED = sa.select(_REVIEWS.c.actor, _REVIEWS.c.why).where(
    _REVIEWS.c.pair_id == sa.bindparam("pair_id"),
    _REVIEWS.c.verdict == ReviewVerdict.REJECTED,
)


@dataclass(frozen=True, slots=True)
class Review:
    """The last word on a pair: `markets` are those that were compared, by venue."""

    pair_id: str
    verdict: ReviewVerdict
    markets: Mapping[Venue, str]
    why: str
    act: Act

    def approves(self, markets: Mapping[Venue, str]) -> bool:
        """Whether these very markets were compared and found to ask the same."""
        return self.verdict is ReviewVerdict.APPROVED and dict(self.markets) == dict(markets)


def say(session: Session, review: Review) -> None:
    """Keep this word as the last one, and append it to the audit trail."""
    before, act = of(session, review.pair_id), review.act
    session.merge(
        PairReviewRow(
            pair_id=review.pair_id,
            verdict=review.verdict,
            polymarket=review.markets[Venue.POLYMARKET],
            kalshi=review.markets[Venue.KALSHI],
            actor=act.actor,
            origin=act.origin,
            why=review.why,
            at_ms=act.at_ms,
        )
    )
    verb = "approve_pair" if review.verdict is ReviewVerdict.APPROVED else "reject_pair"
    markets = {venue.value: market for venue, market in review.markets.items()}
    detail = {"why": review.why, **markets, "before": before.verdict.value if before else None}
    audit.record(session, act, verb, review.pair_id, detail)


def of(session: Session, pair_id: str) -> Review | None:
    """The last word on a pair; None where nobody said one."""
    row = session.get(PairReviewRow, pair_id)
    return None if row is None else _review(row)


def everything(session: Session) -> dict[str, Review]:
    """The last word on every pair that somebody has looked at, by pair."""
    read = select(PairReviewRow).order_by(col(PairReviewRow.pair_id))
    return {row.pair_id: _review(row) for row in session.exec(read)}


def rejection(session: Session, pair_id: str) -> str | None:
    """Who rejected the pair and why, for the gate; None where it is not rejected."""
    row = rows.first_of(session, _REJECTED, pair_id=pair_id)
    return None if row is None else f"{row.actor}: {row.why}"


def _review(row: PairReviewRow) -> Review:
    return Review(
        pair_id=row.pair_id,
        verdict=ReviewVerdict(row.verdict),
        markets={Venue.POLYMARKET: row.polymarket, Venue.KALSHI: row.kalshi},
        why=row.why,
        act=Act(row.actor, row.origin, row.at_ms),
    )
