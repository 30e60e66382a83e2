"""What is naked by the journal alone: one leg held beyond the other, and since when; and which
order nobody knows the answer of."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from domain.money import Size, from_micro, to_micro
from domain.policy import DUST
from domain.trade import Phase
from domain.venue import Mode

# What an order at Polymarket returned beyond its own size is upside beside a whole hedge, no gap;
# and contracts beside which as many of the other outcome stand are neutral.
_NAKED = sa.text(
    """
    SELECT id, phase, polymarket, kalshi FROM (
        SELECT id, phase, kalshi, changed_ms, size_whole, surplus,
            CASE WHEN owned <= 0 OR opposite <= 0 THEN owned WHEN owned <= opposite THEN 0
                ELSE owned - opposite END AS polymarket
        FROM (
        SELECT id, phase, size_whole,
            sum(CASE WHEN venue = 'polymarket' AND own = 1 THEN moved ELSE 0 END) AS owned,
            sum(CASE WHEN venue = 'polymarket' AND own = 0 THEN moved ELSE 0 END) AS opposite,
            sum(CASE WHEN venue = 'kalshi' THEN moved ELSE 0 END) AS kalshi,
            sum(CASE WHEN venue = 'polymarket' AND own = 1 AND moved > ordered
                THEN moved - ordered ELSE 0 END) AS surplus,
            max(changed_ms) AS changed_ms
        FROM (
            SELECT arbitrages.id, arbitrages.phase, arbitrages.size_micro AS size_whole,
                intents.venue, CASE WHEN outcome = direction THEN 1 ELSE 0 END AS own,
                intents.size_micro AS ordered, max(state_ms) AS changed_ms,
                sum(CASE WHEN fills.state = 'voided' THEN 0 WHEN fills.action = 'buy'
                    THEN fills.size_micro ELSE -fills.size_micro END) AS moved
            FROM fills
            JOIN intents ON intents.id = intent_id
            JOIN arbitrages ON arbitrages.id = arb_id
            WHERE arbitrages.mode = :mode AND arbitrages.closed_ms IS NULL
            GROUP BY arbitrages.id, arbitrages.phase, arbitrages.size_micro, intents.id,
                intents.venue, outcome, direction, intents.size_micro
        ) AS orders
        GROUP BY id, phase, size_whole) AS folded) AS held
    WHERE changed_ms <= :since_ms AND abs(polymarket - kalshi) > :dust
        AND NOT (kalshi >= size_whole AND polymarket >= kalshi
            AND polymarket - kalshi - surplus <= :dust)
        AND NOT EXISTS (SELECT 1 FROM alarms
            WHERE key = 'unhedged:' || held.id AND closed_ms IS NULL)
    ORDER BY id
    """
)


_UNANSWERED = sa.text(
    """
    SELECT intents.id FROM intents JOIN arbitrages ON arbitrages.id = arb_id
    WHERE mode = :mode AND intents.state IN ('sent', 'unknown') AND sent_ms <= :since_ms
        AND NOT EXISTS (SELECT 1 FROM alarms
            WHERE key = 'unknown:' || intents.id AND alarms.closed_ms IS NULL
                AND (severity = 'red' OR sent_ms > :red_ms))
    ORDER BY intents.id
    """
)


@dataclass(frozen=True, slots=True)
class Exposed:
    """An open arbitrage that is naked, and what each leg holds."""

    arb_id: str
    phase: Phase
    polymarket: Size
    kalshi: Size


def silent(session: Session, mode: Mode, since_ms: int) -> list[Exposed]:
    """Every one of which nothing has changed after `since_ms`, and no alarm says so."""
    given = {"mode": mode, "since_ms": since_ms, "dust": to_micro(DUST)}
    return [
        Exposed(
            row.id, Phase(row.phase), Size(from_micro(row.polymarket)), Size(from_micro(row.kalshi))
        )
        for row in session.connection().execute(_NAKED, given)
    ]


def unanswered(session: Session, mode: Mode, since_ms: int, red_ms: int) -> list[str]:
    """Every order that was sent by `since_ms`, has no definite answer, and no alarm that says so:
    a red one where it was sent by `red_ms`."""
    given = {"mode": mode, "since_ms": since_ms, "red_ms": red_ms}
    return [row.id for row in session.connection().execute(_UNANSWERED, given)]
