"""The steps in the life of an arbitrage after the gate: phases, the lock, payouts, the end."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from domain.money import NO_USD, Usd, cost_ceil, exact, from_micro, plain, proceeds_floor, to_micro
from domain.order import NotFilled, Purpose, Rejection
from domain.policy import DUST
from domain.trade import Phase, TradeStatus, step
from domain.venue import Mode, Outcome, Venue
from store import alarms, events, intents, positions, risk_day, trade_log
from store.arbitrages import ArbitrageState, load, row_of
from store.errors import JournalConflict, StillOpen
from store.leg_results import leg_results
from store.states import PositionStatus, ReservationState
from store.tables import ArbitrageRow, PayoutRow

_AT_RISK = frozenset({Phase.RESOLVING, Phase.UNWINDING, Phase.CLOSING, Phase.NEEDS_OPERATOR})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How an arbitrage ends: `phase` is FLAT or SETTLED.

    The result is computed from fills and payouts. `moved_by_hand` is cash that an operator
    moved outside of the journal: his word, which also ends orders that have no answer.
    """

    arb_id: str
    phase: Phase
    status: TradeStatus
    reason: str
    details: Mapping[str, object]
    now_ms: int
    moved_by_hand: Usd | None = None


def set_phase(
    session: Session,
    arb_id: str,
    phase: Phase,
    now_ms: int,
    *,
    reason: str = "",
    status: TradeStatus | None = None,
    details: Mapping[str, object] | None = None,
) -> int:
    """Enter a phase that is neither HOLDING (`lock`) nor an end (`conclude`); returns the
    revision. The same phase again changes nothing; an illegal one raises IllegalStep. A `status`
    also goes into the trade log. Leaving a lock for more work holds the reservation again."""
    assert phase is not Phase.HOLDING, "lock() enters HOLDING"
    assert not phase.ended, "conclude() ends an arbitrage"
    row = row_of(session, arb_id)
    if step(Phase(row.phase), phase) == row.phase and status in (None, row.status):
        return row.revision
    row.phase, row.reason = phase, reason or None
    if phase in _AT_RISK:
        risk_day.hold_again(session, arb_id)
    detail: dict[str, object] = {"phase": phase, "reason": reason, **(details or {})}
    if status is not None:
        row.status = detail["status"] = status
    revision = events.append(session, row, "phase", detail, now_ms)
    if status is not None:
        state = load(session, arb_id)
        _log_trade(session, state, row, state.guaranteed, details or {}, now_ms)
    return revision


def note(
    session: Session, arb_id: str, kind: str, detail: Mapping[str, object], now_ms: int
) -> int:
    """Add an event that changes no phase; returns its revision."""
    return events.append(session, row_of(session, arb_id), kind, detail, now_ms)


def lock(
    session: Session, arb_id: str, status: TradeStatus, details: Mapping[str, object], now_ms: int
) -> int:
    """Enter HOLDING: the position is opened, the trade logged with its guaranteed profit. Neutral
    pairs alone are no position: nothing of them depends on the answer. Once every fill is final,
    said again where one was provisional, the loss at risk is released and one that is certain
    counts against the day. Said again, it brings log and position up to what is held now, and
    changes nothing where they show it; returns the revision."""
    row = row_of(session, arb_id)
    known = step(Phase(row.phase), Phase.HOLDING) == row.phase
    state = load(session, arb_id)
    shown = known and _is_shown(session, state)
    if shown and not risk_day.is_held(session, arb_id):
        return row.revision
    if _hedged(state):
        risk_day.release(session, arb_id, ReservationState.SETTLED, state.guaranteed, now_ms)
    if shown:
        return row.revision
    row.phase, row.status, row.reason = Phase.HOLDING, status, None
    detail = {"phase": Phase.HOLDING, "status": status, "guaranteed": str(state.guaranteed)}
    revision = events.append(session, row, "locked", {**detail, **details}, now_ms)
    _log_trade(session, state, row, state.guaranteed, details, now_ms)
    if max(state.polymarket.held, state.kalshi.held) > 0:
        positions.open_position(session, _position(state, row), now_ms)
    return revision


def record_payout(session: Session, arb_id: str, venue: Venue, amount: Usd, now_ms: int) -> None:
    """What the venue credited for this arbitrage when the question resolved; said again it
    changes nothing. Another amount, or cash for one that has ended, raises JournalConflict."""
    row = row_of(session, arb_id)
    known = session.get(PayoutRow, (arb_id, venue))
    if known is None:
        if row.closed_ms is not None:
            raise JournalConflict(f"{arb_id} ended {row.phase}, now {venue} pays {amount} for it")
        session.add(
            PayoutRow(arb_id=arb_id, venue=venue, amount_micro=to_micro(amount), at_ms=now_ms)
        )
        detail = {"venue": venue, "amount": str(amount)}
        events.append(session, row, "payout", detail, now_ms)
    elif known.amount_micro != to_micro(amount):
        raise JournalConflict(
            f"{venue} paid {from_micro(known.amount_micro)} for {arb_id}, now it is {amount}"
        )


def conclude(session: Session, end: Conclusion) -> Usd:
    """End the arbitrage and return its result in dollars: the reservation is released, its loss
    booked to the day in place of one that seemed certain before, the trade log made final, the
    position closed. Concluded already, the booked result is returned; an indefinite order, and
    what ends FLAT while it holds anything, raises StillOpen: only a person's word ends those."""
    assert end.phase in (Phase.FLAT, Phase.SETTLED), f"expected an end, found {end.phase}"
    row = row_of(session, end.arb_id)
    if step(Phase(row.phase), end.phase) == row.phase:
        assert row.realised_micro is not None, f"{row.id} ended without a result"
        return Usd(from_micro(row.realised_micro))
    if end.moved_by_hand is not None:
        _take_his_word(session, end)
    state = load(session, end.arb_id)
    if end.moved_by_hand is None:
        _must_be_definite(state)
        if end.phase is Phase.FLAT:
            _must_be_flat(state)
    earlier = moved_by_hand(session, end.arb_id)
    by_hand = Usd((earlier or NO_USD) + (end.moved_by_hand or NO_USD))
    result = Usd(proceeds_floor(state.cash_result + by_hand))
    touched = ReservationState.SETTLED if state.paid else ReservationState.RELEASED
    risk_day.release(session, end.arb_id, touched, result, end.now_ms)
    row.phase, row.status, row.reason = end.phase, end.status, end.reason or None
    row.closed_ms, row.realised_micro = end.now_ms, to_micro(result)
    detail = {"phase": end.phase, "status": end.status, "result": str(result)}
    if end.moved_by_hand is not None or earlier is not None:
        detail["moved_by_hand"] = str(by_hand)
    events.append(session, row, "concluded", {**detail, "reason": end.reason}, end.now_ms)
    _log_trade(session, state, row, result, end.details, end.now_ms)
    closed = PositionStatus.EXPIRED if end.phase is Phase.SETTLED else PositionStatus.CLOSED
    positions.close_position(session, end.arb_id, closed, end.now_ms)
    return result


def moved_by_hand(session: Session, arb_id: str) -> Usd | None:
    """Dollars that people said to have moved outside of our orders to end it, up to its last end;
    None where nobody ended it by his word."""
    ended = events.latest(session, arb_id, "concluded")
    said = ended.detail.get("moved_by_hand") if ended else None
    return None if said is None else Usd(exact(str(said)))


def _take_his_word(session: Session, end: Conclusion) -> None:
    """What has no answer is over for its workflow, which asks no more. It is looked for as long as
    every order that never arrived, and compared like all others."""
    state = load(session, end.arb_id)
    never = NotFilled(Rejection.NEVER_ARRIVED, f"on a person's word: {end.reason}")
    for name in state.polymarket.unknown + state.kalshi.unknown:
        intents.record_answer(session, name, never, end.now_ms)
    for intent in state.intents:
        for worry in ("unknown", "provisional"):
            alarms.close(session, f"{worry}:{intent.order.intent_id}", end.reason, end.now_ms)


def _must_be_definite(state: ArbitrageState) -> None:
    unknown = state.polymarket.unknown + state.kalshi.unknown
    if unknown:
        raise StillOpen(f"{state.arb_id} has orders without an answer: {', '.join(unknown)}")
    if not _hedged(state):
        raise StillOpen(f"{state.arb_id} has fills that may still be voided")


def _hedged(state: ArbitrageState) -> bool:
    """Whether what is held stays: a match that the chain may still void is no hedge."""
    return state.polymarket.settled and state.kalshi.settled


def _must_be_flat(state: ArbitrageState) -> None:
    """A fill may have come since whoever says that it is over last looked."""
    for leg in (state.polymarket, state.kalshi):
        if max(abs(leg.held), leg.neutral) > DUST:
            pairs = f" and {plain(leg.neutral)} neutral pairs" if leg.neutral else ""
            raise StillOpen(f"{state.arb_id}: {leg.venue} holds {plain(leg.held)}{pairs}")


def _is_shown(session: Session, state: ArbitrageState) -> bool:
    """Whether log and position show what is held: a fill of a held pair may have come since."""
    held = state.polymarket.held, state.kalshi.held
    as_held = max(held) <= 0 or positions.sizes(session, state.arb_id) == held
    amounts = cost_ceil(_bet(state)), proceeds_floor(state.guaranteed)
    return as_held and trade_log.amounts(session, state.arb_id) == amounts


def _bet(state: ArbitrageState) -> Usd:
    """What was put at stake: what was paid, or was to be paid where nothing was bought."""
    return state.paid or state.opportunity.outlay


def _log_trade(
    session: Session,
    state: ArbitrageState,
    row: ArbitrageRow,
    pnl: Usd,
    details: Mapping[str, object],
    now_ms: int,
) -> None:
    assert row.status is not None, f"{row.id} is logged without a status"
    order_ids: dict[Venue, str | None] = dict.fromkeys(Venue)
    entries = [one for one in state.intents if one.order.purpose is Purpose.ENTRY]
    for entry in entries:
        order_ids[entry.order.venue] = getattr(entry.answer, "order_id", None)
    trade = trade_log.Trade(
        arb_id=row.id,
        mode=Mode(row.mode),
        event_title=row.title,
        status=TradeStatus(row.status),
        bet_size=_bet(state),
        pnl=pnl,
        spent=state.paid,
        poly_order_id=order_ids[Venue.POLYMARKET],
        kalshi_order_id=order_ids[Venue.KALSHI],
        details={**details, "legs": leg_results(state.intents, state.fills)},
        final=row.closed_ms is not None,
    )
    trade_log.log_trade(session, trade, row.revision, now_ms)


def _position(state: ArbitrageState, row: ArbitrageRow) -> positions.Position:
    plan = state.opportunity
    return positions.Position(
        arb_id=row.id,
        pair_id=row.pair_id,
        mode=Mode(row.mode),
        event_title=row.title,
        poly_side=Outcome(plan.polymarket.instrument.outcome),
        poly_price=state.polymarket.average_price,
        poly_size=state.polymarket.held,
        kalshi_side=Outcome(plan.kalshi.instrument.outcome),
        kalshi_price=state.kalshi.average_price,
        kalshi_size=state.kalshi.held,
        revision=row.revision,
    )
