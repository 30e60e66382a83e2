"""Arbitrages that outlive their workflow: who carries them now, and how an end is taken back."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.identity import ORDERS_PER_LIFE
from domain.money import from_micro, to_micro
from domain.policy import DUST, Bounds
from domain.standing import Word
from domain.trade import Phase
from domain.venue import Mode
from store import events, risk_day
from store.codec import bounds_from, word_from, word_json
from store.errors import JournalConflict
from store.tables import ArbitrageRow

WORD = "word"
"""The kind of the event that says what a person asked for."""


# A leg's own outcome is what it bets on, the other one neutralises as many of it.
_HELD_AND_FLAT = sa.text(
    """
    SELECT DISTINCT id FROM (
        SELECT id, owned, CASE WHEN owned <= 0 OR other <= 0 THEN 0 WHEN owned < other THEN owned
            ELSE other END AS neutral
        FROM (
            SELECT arbitrages.id,
                sum(CASE WHEN (intents.venue = 'polymarket') = (outcome = direction)
                    THEN sign * fills.size_micro ELSE 0 END) AS owned,
                sum(CASE WHEN (intents.venue = 'polymarket') = (outcome = direction)
                    THEN 0 ELSE sign * fills.size_micro END) AS other
            FROM arbitrages
            JOIN intents ON intents.arb_id = arbitrages.id
            JOIN (SELECT intent_id, size_micro,
                CASE WHEN action = 'buy' THEN 1 ELSE -1 END AS sign
                FROM fills WHERE state <> 'voided') AS fills ON fills.intent_id = intents.id
            WHERE mode = :mode AND phase = 'FLAT'
            GROUP BY arbitrages.id, intents.venue
        ) AS legs
    ) AS held
    WHERE abs(owned - neutral) > :dust OR neutral > :dust
    ORDER BY id
    """
)


@dataclass(frozen=True, slots=True)
class Carried:
    """An arbitrage that has not ended and how often it was adopted: both name its workflow."""

    arb_id: str
    adopted: int
    phase: Phase
    opened_at_ms: int


def unfinished(session: Session, mode: Mode) -> list[Carried]:
    """Every arbitrage that needs a workflow, oldest first."""
    rows = (
        select(ArbitrageRow)
        .where(ArbitrageRow.mode == mode, col(ArbitrageRow.closed_ms).is_(None))
        .order_by(col(ArbitrageRow.opened_ms), col(ArbitrageRow.id))
    )
    return [Carried(r.id, r.adopted, Phase(r.phase), r.opened_ms) for r in session.exec(rows)]


def forsaken(session: Session, mode: Mode) -> list[str]:
    """Arbitrages that ended flat and hold something, unless a person ended them by his word: an
    older program booked a late fill and took the end back in a second step, and died between.
    Reads every fill of all that ended flat: for the start of a process."""
    given = {"mode": mode, "dust": to_micro(DUST)}
    found = [row.id for row in session.connection().execute(_HELD_AND_FLAT, given)]
    return [arb_id for arb_id in found if not _by_word(session, arb_id)]


def _by_word(session: Session, arb_id: str) -> bool:
    ended = events.latest(session, arb_id, "concluded")
    return ended is not None and "moved_by_hand" in ended.detail


def bounds_of(session: Session, arb_id: str) -> Bounds | None:
    """The bounds that the gate admitted the arbitrage under, None where it wrote none down."""
    for event in events.of_arbitrage(session, arb_id):
        if event.kind == "reserved" and "bounds" in event.detail:
            return bounds_from(str(event.detail["bounds"]))
    return None


def word_of(session: Session, arb_id: str) -> Word | None:
    """What a person asked of the arbitrage last, as far as it still holds."""
    latest = events.latest(session, arb_id, WORD)
    return word_from(str(latest.detail["word"])) if latest else None


def keep_word(session: Session, arb_id: str, word: Word | None, now_ms: int) -> None:
    """Write down what a person asked for, for whoever carries the arbitrage on; once."""
    if word_of(session, arb_id) != word:
        row = session.get_one(ArbitrageRow, arb_id)
        events.append(session, row, WORD, {"word": word_json(word)}, now_ms)


def adopt(
    session: Session, arb_id: str, before: int, why: str, now_ms: int, starting_ms: int = 0
) -> int | None:
    """Count one more workflow of the arbitrage and fence the orders of all earlier ones. None
    where it has ended, or somebody has adopted it since it was seen with `before`, or less than
    `starting_ms` ago: its workflow is not there yet because it is about to be started."""
    row = session.get_one(ArbitrageRow, arb_id)
    if row.closed_ms is not None or row.adopted != before:
        return None
    last = events.latest(session, arb_id, "adopted") if starting_ms else None
    if last is not None and now_ms - last.at_ms < starting_ms:
        return None
    row.adopted += 1
    events.append(session, row, "adopted", {"number": row.adopted, "why": why}, now_ms)
    return row.adopted


def outlived(session: Session, arb_id: str, sequence: int) -> str | None:
    """Why the order of that sequence, no entry, must not leave: its workflow was replaced."""
    adopted = session.get_one(ArbitrageRow, arb_id).adopted
    if sequence // ORDERS_PER_LIFE >= adopted:
        return None
    return f"{arb_id} was adopted for the {adopted}. time since this order was planned"


def reopen(session: Session, arb_id: str, why: str, now_ms: int) -> None:
    """Take back the end of an arbitrage that a late fill proves wrong: its result is booked out,
    its reservation held again. One that was settled is left to a person; so is what a person had
    ended by his word: it is kept as it is, and nothing of it is sold before he says so."""
    row = session.get_one(ArbitrageRow, arb_id)
    if row.phase != Phase.FLAT:
        raise JournalConflict(f"{arb_id} is {row.phase}, yet {why}")
    assert row.realised_micro is not None, f"{arb_id} ended without a result"
    risk_day.hold_again(session, arb_id)
    result = str(from_micro(row.realised_micro))
    if _by_word(session, arb_id):
        keep_word(session, arb_id, Word(sells=False), now_ms)
    row.phase, row.closed_ms, row.realised_micro = Phase.RESOLVING, None, None
    row.reopened += 1
    events.append(session, row, "reopened", {"why": why, "was": result}, now_ms)
