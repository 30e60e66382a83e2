"""What one arbitrage costs its day: the loss it may still make, or the one that is certain."""

from sqlmodel import Session

from domain.money import Usd, proceeds_floor, to_micro
from store.states import ReservationState
from store.tables import ReservationRow, RiskDayRow


def release(
    session: Session, arb_id: str, into: ReservationState, result: Usd, now_ms: int
) -> None:
    """Nothing is at risk any more: `result`, guaranteed or final, is what it ends with. A loss
    counts against the day from now on, instead of what was charged before."""
    reservation, day = _rows(session, arb_id)
    if reservation.state == ReservationState.HELD:
        reservation.state, reservation.ended_ms = into, now_ms
        day.reserved_loss_micro -= reservation.worst_loss_micro
    _lose(reservation, day, max(-to_micro(proceeds_floor(result)), 0))
    session.flush()


def is_held(session: Session, arb_id: str) -> bool:
    """Whether the loss that it may still make is charged to the day."""
    return session.get_one(ReservationRow, arb_id).state == ReservationState.HELD


def hold_again(session: Session, arb_id: str) -> None:
    """What was locked or had ended is at risk again; the day is charged even beyond its limit,
    with the whole risk and no longer with the loss that seemed certain."""
    reservation, day = _rows(session, arb_id)
    if reservation.state == ReservationState.HELD:
        return
    reservation.state, reservation.ended_ms = ReservationState.HELD, None
    day.reserved_loss_micro += reservation.worst_loss_micro
    _lose(reservation, day, 0)
    session.flush()


def _rows(session: Session, arb_id: str) -> tuple[ReservationRow, RiskDayRow]:
    reservation = session.get_one(ReservationRow, arb_id)
    return reservation, session.get_one(RiskDayRow, (reservation.mode, reservation.day))


def _lose(reservation: ReservationRow, day: RiskDayRow, lost_micro: int) -> None:
    day.realised_loss_micro += lost_micro - reservation.lost_micro
    reservation.lost_micro = lost_micro
