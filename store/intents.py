"""Orders as they were meant: planned before the first byte, sent once, answered once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from domain.identity import intent_id as derived_id
from domain.money import Price, Size, from_micro, to_micro
from domain.order import (
    Answer,
    Fill,
    Filled,
    Identity,
    NotFilled,
    Order,
    Purpose,
    Rejection,
    Unknown,
)
from domain.venue import Action, TimeInForce, Venue
from store import adoptions, alarms, fills, lease, rows, run_state
from store.codec import detail_from, detail_json, instrument_from, instrument_json
from store.errors import JournalConflict, NotJournaled
from store.lease import Claim
from store.run_state import RunState
from store.states import IntentState
from store.tables import IntentRow


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """One order with its identity and what is known of it; `answer` is None until there is one."""

    order: Order
    identity: Identity
    state: IntentState
    sent_at_ms: int | None
    answered_at_ms: int | None
    answer: Answer | None
    settings_version: int
    epoch: int


@dataclass(frozen=True, slots=True)
class MaySend:
    """The intent is marked SENT: the first byte may leave, now and only for this caller."""

    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """Somebody marked it SENT before: it must not be sent again, its venue is to be asked."""

    state: IntentState
    sent_at_ms: int


# Read as plain rows, by a statement that is compiled once: a trade is read a dozen times.
_TABLE = rows.table(IntentRow)
_OF_ARBITRAGE = (
    sa.select(_TABLE)
    .where(_TABLE.c.arb_id == sa.bindparam("arb_id"))
    .order_by(_TABLE.c.created_ms, _TABLE.c.id)
)

_LEAVING = sa.select(
    *(_TABLE.c[name] for name in ("id", "arb_id", "venue", "purpose", "sequence", "epoch")),
    *(_TABLE.c[name] for name in ("not_after_ms", "state", "sent_ms")),
    *(_TABLE.c[name] for name in ("rejection", "detail", "order_id")),
).where(_TABLE.c.id == sa.bindparam("intent_id"))
_MARK_SENT = (
    sa.update(_TABLE)
    .where(_TABLE.c.id == sa.bindparam("intent_id"), _TABLE.c.state == IntentState.PLANNED)
    .values(state=IntentState.SENT, sent_ms=sa.bindparam("now_ms"))
)
_SIBLING_SENT = sa.select(_TABLE.c.sent_ms).where(
    _TABLE.c.arb_id == sa.bindparam("arb_id"),
    _TABLE.c.purpose == Purpose.ENTRY,
    _TABLE.c.venue != sa.bindparam("venue"),
    _TABLE.c.sent_ms.is_not(None),
)

Leave = MaySend | NotFilled | AlreadySent


def plan(session: Session, order: Order, identity: Identity) -> IntentRow:
    """Write the order before it can leave. Under a known name the first order stays and is
    returned, whatever a second run computed for size, limit and times; one for another
    instrument or direction raises JournalConflict."""
    row = IntentRow(**values(order, identity, run_state.read(session)))
    found = session.get(IntentRow, order.intent_id)
    if found is None:
        session.add(row)
        session.flush()
        return row
    _must_match(found, row)
    return found


def values(order: Order, identity: Identity, state: RunState) -> dict[str, Any]:
    """The columns of the order, PLANNED under this run state."""
    return {
        "id": order.intent_id,
        "arb_id": order.arb_id,
        "venue": order.venue,
        "purpose": order.purpose,
        "sequence": _sequence(order),
        "action": order.action,
        "market": order.instrument.market,
        "token": order.instrument.token,
        "outcome": order.instrument.outcome,
        "size_micro": to_micro(order.size),
        "limit_micro": to_micro(order.limit),
        "time_in_force": order.time_in_force,
        "reduce_only": order.reduce_only,
        "key": identity.key,
        "identity": detail_json(identity.fields),
        "instrument": instrument_json(order.instrument),
        "created_ms": order.created_at_ms,
        "not_after_ms": order.not_after_ms,
        "settings_version": state.settings_version,
        "epoch": state.epoch,
        "state": IntentState.PLANNED,
    }


def load(session: Session, intent_id: str) -> StoredIntent:
    """The intent with its answer; NotJournaled where there is none."""
    return _read(session, _row(session, intent_id))


def of_arbitrage(session: Session, arb_id: str, filled: Sequence[Fill]) -> tuple[StoredIntent, ...]:
    """Every order of an arbitrage in the order of creation; `filled` are all of its fills."""
    return tuple(
        _stored(row, tuple(fill for fill in filled if fill.intent_id == row.id))
        for row in rows.all_of(session, _OF_ARBITRAGE, arb_id=arb_id)
    )


def mark_sent(
    session: Session,
    intent_id: str,
    now_ms: int,
    claim: Claim | None = None,
    stop: str | None = None,
) -> Leave:
    """The last gate, just before the first byte. MaySend is given once in the life of an intent;
    a NotFilled is written down and final, so that nobody can send the order later.

    `claim` is the sender's lease, needed once any process ever took one; `stop` is a reason from
    outside of the journal for which no entry may leave.
    """
    row = rows.first_of(session, _LEAVING, intent_id=intent_id)
    if row is None:
        raise NotJournaled(f"expected an intent of the journal, found no {intent_id}")
    if row.state == IntentState.NOT_FILLED:
        return _not_filled(row)
    if row.state != IntentState.PLANNED:
        assert row.sent_ms is not None, f"{intent_id} is {row.state} and has no time of sending"
        return AlreadySent(IntentState(row.state), row.sent_ms)
    refusal = _fence(session, row, now_ms, claim, stop)
    if refusal is not None:
        _close(_row(session, intent_id), refusal, now_ms)
        return refusal
    marked = rows.change(session, _MARK_SENT, intent_id=intent_id, now_ms=now_ms)
    assert marked == 1, f"{intent_id} was PLANNED in this transaction"
    return MaySend(now_ms)


WITHDRAWN = NotFilled(Rejection.NOT_SENT, "withdrawn before it was sent")


def withdraw(
    session: Session, intent_id: str, now_ms: int, why: NotFilled = WITHDRAWN
) -> StoredIntent:
    """Make sure that an intent which is still PLANNED never leaves, and return what it is now.

    A sender that comes later is refused, so `why` is proven without asking the venue. Of an order
    that was sent before it proves nothing, and nothing is written.
    """
    row = _row(session, intent_id)
    if row.state == IntentState.PLANNED:
        _close(row, why, now_ms)
    return _read(session, row)


def record_answer(session: Session, intent_id: str, answer: Answer, now_ms: int) -> StoredIntent:
    """Write what the venue said. The same answer again changes nothing; less than what is known
    already (an Unknown after a definite answer) is dropped; a contradiction raises
    JournalConflict. A fill of an order that was concluded NEVER_ARRIVED is believed. The alarm
    that it is unknown, if any, is over with it."""
    row = _row(session, intent_id)
    state = IntentState(row.state)
    if state is IntentState.PLANNED and not isinstance(answer, NotFilled):
        raise JournalConflict(f"{intent_id} was never sent, yet its answer is {answer}")
    match answer:
        case Filled():
            _believe_fill(row, answer)
            fills.record(session, answer.fills, now_ms)
            row.state, row.order_id = IntentState.FILLED, answer.order_id
            row.rejection, row.detail, row.answered_ms = None, None, now_ms
        case NotFilled():
            if state is IntentState.FILLED:
                raise JournalConflict(f"{intent_id} was filled, now the answer is {answer}")
            if state is not IntentState.NOT_FILLED:
                _close(row, answer, now_ms)
                if answer.rejection.of_account:
                    run_state.refused_by(session, Venue(row.venue), answer.detail, now_ms)
        case Unknown():
            if not state.definite:
                row.state, row.detail = IntentState.UNKNOWN, answer.evidence
    session.flush()
    if not isinstance(answer, Unknown):
        alarms.close(session, f"{alarms.UNKNOWN}{intent_id}", str(answer), now_ms)
    return _read(session, row)


def _fence(
    session: Session, row: sa.Row[Any], now_ms: int, claim: Claim | None, stop: str | None
) -> NotFilled | None:
    if now_ms > row.not_after_ms:
        late = now_ms - row.not_after_ms
        return NotFilled(Rejection.TOO_LATE, f"expected to leave {late} ms earlier")
    not_ours = lease.refusal(session, Venue(row.venue), claim, now_ms)
    if not_ours is not None:
        return NotFilled(Rejection.FENCED, not_ours)
    if row.purpose != Purpose.ENTRY and (
        lost := adoptions.outlived(session, row.arb_id, row.sequence)
    ):
        return NotFilled(Rejection.FENCED, lost)
    if row.purpose not in (Purpose.ENTRY, Purpose.COMPLETE):
        return None
    state = run_state.read(session)
    stopped = stop or state.stopped
    if stopped is None and state.epoch != row.epoch:
        stopped = f"admitted under epoch {row.epoch}, now it is {state.epoch}"
    if stopped is None or _sibling_left(session, row, now_ms):
        return None
    return NotFilled(Rejection.FENCED, stopped)


def _sibling_left(session: Session, row: sa.Row[Any], now_ms: int) -> bool:
    """Whether the other entry of the pair has just been sent: then this one may follow it."""
    sibling = rows.first_of(session, _SIBLING_SENT, arb_id=row.arb_id, venue=row.venue)
    return sibling is not None and now_ms - sibling.sent_ms <= run_state.LEASE_MS


def _sequence(order: Order) -> int:
    name = order.intent_id.rpartition("/")[2]
    sequence = int(name) if name.isascii() and name.isdecimal() else 0
    expected = derived_id(order.arb_id, order.venue, order.purpose, sequence)
    assert order.intent_id == expected, f"expected intent id {expected}, found {order.intent_id}"
    return sequence


def _must_match(found: IntentRow, wanted: IntentRow) -> None:
    fixed = ("arb_id", "venue", "purpose", "action", "market", "token", "outcome")
    wrong = [f for f in fixed if getattr(found, f) != getattr(wanted, f)]
    if wrong:
        pairs = ", ".join(f"{f} {getattr(found, f)} / {getattr(wanted, f)}" for f in wrong)
        raise JournalConflict(f"{found.id} is journaled as another order (stored / new): {pairs}")


def _believe_fill(row: IntentRow, answer: Filled) -> None:
    if row.state == IntentState.NOT_FILLED and row.rejection != Rejection.NEVER_ARRIVED:
        raise JournalConflict(f"{row.id} was {row.rejection}, now the answer is {answer}")
    if not answer.fills or any(fill.intent_id != row.id for fill in answer.fills):
        raise JournalConflict(f"{row.id} is to be filled by fills of its own, found {answer}")


def _close(row: IntentRow, answer: NotFilled, now_ms: int) -> None:
    row.state, row.rejection = IntentState.NOT_FILLED, answer.rejection
    row.detail, row.order_id, row.answered_ms = answer.detail, answer.order_id, now_ms


def _row(session: Session, intent_id: str) -> IntentRow:
    row = session.get(IntentRow, intent_id)
    if row is None:
        raise NotJournaled(f"expected an intent of the journal, found no {intent_id}")
    return row


def _not_filled(row: IntentRow | sa.Row[Any]) -> NotFilled:
    assert row.rejection is not None, f"{row.id} is not filled and names no rejection"
    return NotFilled(Rejection(row.rejection), row.detail or "", row.order_id)


def _answer(row: IntentRow | sa.Row[Any], own: tuple[Fill, ...]) -> Answer | None:
    match IntentState(row.state):
        case IntentState.FILLED:
            assert row.order_id is not None, f"{row.id} is filled and has no order id"
            return Filled(row.order_id, own)
        case IntentState.NOT_FILLED:
            return _not_filled(row)
        case IntentState.UNKNOWN:
            return Unknown(row.detail or "")
        case _:
            return None


def _read(session: Session, row: IntentRow) -> StoredIntent:
    own = fills.of_intent(session, row.id) if row.state == IntentState.FILLED else ()
    return _stored(row, own)


def _stored(row: IntentRow | sa.Row[Any], own: tuple[Fill, ...]) -> StoredIntent:
    fields = {name: str(value) for name, value in detail_from(row.identity).items()}
    instrument = instrument_from(row.instrument)
    assert instrument.venue is Venue(row.venue), f"{row.id} names two venues"
    order = Order(
        intent_id=row.id,
        arb_id=row.arb_id,
        instrument=instrument,
        purpose=Purpose(row.purpose),
        action=Action(row.action),
        size=Size(from_micro(row.size_micro)),
        limit=Price(from_micro(row.limit_micro)),
        time_in_force=TimeInForce(row.time_in_force),
        reduce_only=row.reduce_only,
        created_at_ms=row.created_ms,
        not_after_ms=row.not_after_ms,
    )
    return StoredIntent(
        order=order,
        identity=Identity(row.key, fields),
        state=IntentState(row.state),
        sent_at_ms=row.sent_ms,
        answered_at_ms=row.answered_ms,
        answer=_answer(row, own),
        settings_version=row.settings_version,
        epoch=row.epoch,
    )
