"""What graphs and alerts are told beside what pages show: few rows, found by an index each."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from domain.money import Usd, from_micro
from domain.venue import Venue
from store import reconciliation
from store.reconciliation import Standing
from store.states import IntentState
from store.tables import FillRow, IntentRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some orders or fills of one venue: how many, and since when the oldest waits (ms)."""

    number: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class Watched:
    """Orders that were sent and have no definite answer, those whose answer is lost among them;
    dollars that provisional fills moved; how the comparison with the venues stands."""

    asked: dict[Venue, Waiting]
    unknown: dict[Venue, Waiting]
    provisional: dict[Venue, Usd]
    compared: Standing


def look(session: Session) -> Watched:
    """As of now."""
    return Watched(
        asked=_waiting(session, IntentState.SENT, IntentState.UNKNOWN),
        unknown=_waiting(session, IntentState.UNKNOWN),
        provisional=_provisional(session),
        compared=reconciliation.read(session),
    )


def _waiting(session: Session, *states: IntentState) -> dict[Venue, Waiting]:
    rows = (
        select(IntentRow.venue, func.count(), func.min(IntentRow.sent_ms))
        .where(col(IntentRow.state).in_(states))
        .group_by(col(IntentRow.venue))
    )
    found = dict.fromkeys(Venue, Waiting(0, None))
    for venue, number, oldest_ms in session.exec(rows):
        found[Venue(venue)] = Waiting(number, oldest_ms)
    return found


def _provisional(session: Session) -> dict[Venue, Usd]:
    rows = (
        select(FillRow.venue, func.sum(FillRow.notional_micro))
        .where(text("fills.state = 'provisional'"))  # as the partial index says it
        .group_by(col(FillRow.venue))
    )
    found = dict.fromkeys(Venue, Usd(from_micro(0)))
    for venue, micro in session.exec(rows):
        found[Venue(venue)] = Usd(from_micro(int(micro)))
    return found
