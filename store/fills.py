"""Fills, keyed by the venue's trade id: whatever order they arrive in, the result is the same."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.money import Size, Usd, from_micro, to_micro
from domain.order import Fill, FillState
from domain.trade import Phase
from domain.venue import Action, Venue
from store import adoptions, alarms, rows
from store.alarms import Alarm
from store.errors import JournalConflict, NotJournaled
from store.states import IntentState, Severity
from store.tables import AlarmRow, ArbitrageRow, FillRow, IntentRow

# Fills are read as plain rows, by statements that are compiled once.
_TABLE, _INTENTS = rows.table(FillRow), rows.table(IntentRow)
_LATE = "late_fill:"
_OF_ARBITRAGE = (
    sa.select(_TABLE)
    .join(_INTENTS, _INTENTS.c.id == _TABLE.c.intent_id)
    .where(_INTENTS.c.arb_id == sa.bindparam("arb_id"))
    .order_by(_TABLE.c.at_ms, _TABLE.c.trade_id)
)
_OF_INTENT = (
    sa.select(_TABLE)
    .where(_TABLE.c.intent_id == sa.bindparam("intent_id"))
    .order_by(_TABLE.c.at_ms, _TABLE.c.trade_id)
)


def record(session: Session, fills: Iterable[Fill], now_ms: int) -> tuple[str, ...]:
    """Write new fills and new states; returns the arbitrages whose legs changed by it.

    A provisional state never replaces a final one. Other amounts under a known trade id, or
    CONFIRMED after VOIDED and the reverse, raise JournalConflict. A fill of an order that was
    concluded not filled is believed, and an alarm says so. Where it makes another holding of an
    arbitrage that ended flat, that end is taken back here: who comes later finds nothing new.
    """
    changed: dict[str, None] = {}
    for fill in fills:
        intent = session.get(IntentRow, fill.intent_id)
        if intent is None:
            raise NotJournaled(f"expected the intent of fill {fill.trade_id}, found none")
        if _record_one(session, fill, intent, now_ms):
            changed[intent.arb_id] = None
    session.flush()
    return tuple(changed)


def of_intent(session: Session, intent_id: str) -> tuple[Fill, ...]:
    """The fills of one order, oldest first."""
    return tuple(_fill(row) for row in rows.all_of(session, _OF_INTENT, intent_id=intent_id))


def of_arbitrage(session: Session, arb_id: str) -> tuple[Fill, ...]:
    """The fills of every order of an arbitrage, oldest first."""
    return tuple(_fill(row) for row in rows.all_of(session, _OF_ARBITRAGE, arb_id=arb_id))


def late(session: Session, arb_id: str) -> list[str]:
    """The keys of its open alarms of fills that came after their orders were concluded."""
    rows = (
        select(AlarmRow.key)
        .join(IntentRow, col(AlarmRow.key) == sa.literal(_LATE) + col(IntentRow.id))
        .where(IntentRow.arb_id == arb_id, col(AlarmRow.closed_ms).is_(None))
    )
    return list(session.exec(rows))


def _record_one(session: Session, fill: Fill, intent: IntentRow, now_ms: int) -> bool:
    if intent.venue != fill.venue or intent.action != fill.action:
        raise JournalConflict(
            f"{intent.id} is a {intent.action} at {intent.venue}, found a fill that is "
            f"a {fill.action} at {fill.venue}"
        )
    row = session.get(FillRow, (fill.venue, fill.trade_id))
    if row is None:
        session.add(_row(fill, now_ms))
        if intent.state == IntentState.NOT_FILLED:
            alarms.raise_alarm(session, _late(fill, intent), now_ms)
        if fill.state is not FillState.VOIDED:
            _take_back_end(session, intent, f"{intent.id} was filled after all", now_ms)
        return True
    _same_facts(row, fill)
    if fill.state == row.state or not fill.state.final:
        return False
    if FillState(row.state).final:
        raise JournalConflict(
            f"trade {fill.trade_id} at {fill.venue} was {row.state}, now it is {fill.state}"
        )
    row.state, row.state_ms = fill.state, now_ms
    if fill.state is FillState.VOIDED:
        _take_back_end(session, intent, f"{intent.id}: {fill.trade_id} failed after all", now_ms)
    return True


def _take_back_end(session: Session, intent: IntentRow, why: str, now_ms: int) -> None:
    if session.get_one(ArbitrageRow, intent.arb_id).phase == Phase.FLAT:
        adoptions.reopen(session, intent.arb_id, why, now_ms)


def _same_facts(row: FillRow, fill: Fill) -> None:
    wanted = {
        "intent_id": fill.intent_id,
        "size_micro": to_micro(fill.size),
        "notional_micro": to_micro(fill.notional),
        "fee_micro": to_micro(fill.fee),
    }
    for name, value in wanted.items():
        if getattr(row, name) != value:
            raise JournalConflict(
                f"trade {fill.trade_id} at {fill.venue}: expected {name} {getattr(row, name)} "
                f"as it was journaled, found {value}"
            )


def _late(fill: Fill, intent: IntentRow) -> Alarm:
    return Alarm(
        key=f"{_LATE}{intent.id}",
        code="LATE_FILL",
        severity=Severity.RED,
        detail=f"{intent.id} was concluded {intent.rejection}, yet trade {fill.trade_id} filled "
        f"{fill.size} of it",
        arb_id=intent.arb_id,
    )


def _row(fill: Fill, now_ms: int) -> FillRow:
    return FillRow(
        venue=fill.venue,
        trade_id=fill.trade_id,
        intent_id=fill.intent_id,
        action=fill.action,
        size_micro=to_micro(fill.size),
        notional_micro=to_micro(fill.notional),
        fee_micro=to_micro(fill.fee),
        state=fill.state,
        at_ms=fill.at_ms,
        state_ms=now_ms,
    )


def _fill(row: sa.Row[Any]) -> Fill:
    return Fill(
        venue=Venue(row.venue),
        trade_id=row.trade_id,
        intent_id=row.intent_id,
        action=Action(row.action),
        size=Size(from_micro(row.size_micro)),
        notional=Usd(from_micro(row.notional_micro)),
        fee=Usd(from_micro(row.fee_micro)),
        state=FillState(row.state),
        at_ms=row.at_ms,
    )
