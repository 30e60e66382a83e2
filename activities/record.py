"""Where an arbitrage stands becomes rows: phase, trade log, position, reservation, alarms."""

from sqlmodel import Session

from domain.standing import HOLDS, Standing
from domain.trade import TRANSITIONS, Phase
from domain.venue import Venue
from store import adoptions, alarms, answers, fills, lifecycle
from store.alarms import Alarm
from store.arbitrages import load
from store.errors import StillOpen
from store.lifecycle import Conclusion
from store.states import Severity
from store.tables import ArbitrageRow


def write_down(session: Session, standing: Standing, now_ms: int) -> None:
    """All of it in the caller's transaction; written again it changes nothing. StillOpen where what
    was paid is to be written down by who does not know of every fill.

    An arbitrage that the gate never wrote down holds nothing and leaves no rows. What has ended
    stays so: a run that was reset may pass through all its phases once more. Where it meets the
    journal in a phase that cannot follow, it starts from asking. A worker that stood still while
    another one went on says nothing any more: its history is the shorter one.
    """
    row = session.get(ArbitrageRow, standing.arb_id)
    if row is None or (row.closed_ms is not None and row.phase != standing.phase):
        return
    if standing.run_id == row.told_run and standing.history < row.told_history:
        return
    row.told_run, row.told_history = standing.run_id, standing.history
    pays = standing.phase in (Phase.SETTLING, Phase.SETTLED) and row.closed_ms is None
    if pays and not _counts_all(session, standing):
        raise StillOpen(f"{row.id}: {standing.phase} was decided on legs that are no longer so")
    if standing.phase not in TRANSITIONS[Phase(row.phase)] | {row.phase}:
        reason = f"{row.phase} is taken up again by a run that was reset"
        lifecycle.set_phase(session, row.id, Phase.RESOLVING, now_ms, reason=reason)
    if standing.phase is Phase.HOLDING:
        lifecycle.lock(session, standing.arb_id, standing.status, _details(standing), now_ms)
    elif standing.phase.ended:
        _end(session, standing, now_ms)
    else:
        lifecycle.set_phase(
            session,
            standing.arb_id,
            standing.phase,
            now_ms,
            reason=standing.reason,
            status=standing.status,
            details=_details(standing),
        )
    adoptions.keep_word(session, standing.arb_id, standing.word, now_ms)
    _tell(session, standing, now_ms)


def _end(session: Session, standing: Standing, now_ms: int) -> None:
    for verdict in standing.verdicts:
        lifecycle.record_payout(session, standing.arb_id, verdict.venue, verdict.cash, now_ms)
    lifecycle.conclude(
        session,
        Conclusion(
            arb_id=standing.arb_id,
            phase=standing.phase,
            status=standing.status,
            reason=standing.reason,
            details=_details(standing),
            now_ms=now_ms,
            moved_by_hand=standing.moved_by_hand,
        ),
    )


def _tell(session: Session, standing: Standing, now_ms: int) -> None:
    """An alarm opens while one leg is naked or a person is needed, and closes on evidence."""
    unhedged = f"unhedged:{standing.arb_id}"
    needs_operator = standing.phase is Phase.NEEDS_OPERATOR
    stuck = standing.phase is Phase.CLOSING and standing.naked and standing.refused
    if needs_operator or standing.phase is Phase.UNWINDING or stuck:
        alarms.raise_alarm(
            session,
            Alarm(
                key=unhedged,
                code="UNHEDGED",
                severity=Severity.RED if needs_operator else Severity.AMBER,
                detail=_holdings(standing),
                arb_id=standing.arb_id,
            ),
            now_ms,
        )
    elif standing.phase.ended or (standing.phase is Phase.HOLDING and not standing.naked):
        alarms.close(session, unhedged, _holdings(standing), now_ms)
        late = fills.late(session, standing.arb_id)
        for key in late if late and _counts_all(session, standing) else ():
            alarms.close(session, key, _holdings(standing), now_ms)
    if standing.phase.ended:
        alarms.close(session, f"ghost:{standing.arb_id}", _holdings(standing), now_ms)
        answers.close_all(session, standing.arb_id, _holdings(standing), now_ms)
    pays = {verdict.venue: verdict.pays for verdict in standing.verdicts}
    if len(pays) == len(Venue) and sum(pays.values()) != 1:
        alarms.raise_alarm(
            session,
            Alarm(
                key=f"resolution:{standing.arb_id}",
                code="RESOLUTION_MISMATCH",
                severity=Severity.RED,
                detail=f"Polymarket paid {pays[Venue.POLYMARKET]} and Kalshi "
                f"{pays[Venue.KALSHI]} per contract, expected 1 together",
                arb_id=standing.arb_id,
            ),
            now_ms,
        )


def _counts_all(session: Session, standing: Standing) -> bool:
    """Whether who says where it stands knows of every fill."""
    state = load(session, standing.arb_id)
    return all(state.leg(leg.state.venue) == leg.state for leg in standing.legs)


def _details(standing: Standing) -> dict[str, object]:
    return {
        "phase": standing.phase.value,
        "reason": standing.reason,
        "locked": standing.locked,
        "settled": standing.settled,
        "profit": None if standing.profit is None else str(standing.profit),
    }


def _holdings(standing: Standing) -> str:
    legs = [f"{leg.state.venue} holds {leg.state.held}" for leg in standing.legs]
    neutral = [leg.state for leg in standing.legs if leg.state.neutral > 0]
    legs += [f"{leg.neutral} neutral pairs at {leg.venue}" for leg in neutral]
    legs += [f"{one.venue} paid {one.cash} for it" for one in standing.verdicts]
    why = standing.reason.removeprefix(f"{standing.phase}: ")
    return ", ".join(legs) if why.startswith(HOLDS) else f"{', '.join(legs)}: {why}"
