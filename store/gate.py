"""The gate: one transaction that admits both legs of an arbitrage, or neither.

What is refused is named in this fixed order: halted, disabled, past its deadline, bet below and
above its bounds, ROI below and above its bounds, trades of the day, loss of the day, pair already
open, pair cooling down, balance unknown or too old, Polymarket's cash, Kalshi's cash.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlmodel import Session, col, or_, select, update

from domain.money import Usd, cost_ceil, from_micro, proceeds_floor, to_micro
from domain.opportunity import Opportunity, Refused
from domain.order import Identity, Order, Purpose
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import events, intents, run_state, settings
from store.codec import bounds_json, opportunity_json, utc_day
from store.errors import JournalConflict
from store.run_state import RunState
from store.settings import SavedSettings
from store.states import ReservationState
from store.tables import (
    ArbitrageRow,
    IntentRow,
    ReservationRow,
    RiskDayRow,
    VenueBalanceRow,
)

# Outlays of a mode that a balance read at :as_of_ms cannot show as gone: those still held, those of
# arbitrages that were locked or ended since, and those of fills that were not final at that time.
_PROMISED = {
    venue: text(
        f"""
        SELECT coalesce(sum({venue}_outlay_micro), 0) FROM reservations
        WHERE mode = :mode AND state <> 'released' AND arb_id IN (
            SELECT arb_id FROM reservations WHERE mode = :mode AND ended_ms IS NULL
            UNION SELECT arb_id FROM reservations WHERE mode = :mode AND ended_ms >= :as_of_ms
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state = 'provisional'
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state_ms >= :as_of_ms)
        """  # noqa: S608 - the only name put in is that of a venue
    )
    for venue in Venue
}


@dataclass(frozen=True, slots=True)
class GateRequest:
    """One arbitrage that asks to be admitted.

    `orders` are both entries with their identities; `worst_loss` is charged to the UTC day of
    `now_ms` (wall clock). A pair rests for `cooldown_ms` after it failed or was rolled back; cash
    counts if it was read no longer than `balance_age_ms_max` ago. `bounds` are written down with
    the verdict: whoever adopts the arbitrage keeps to them.
    """

    arb_id: str
    opportunity: Opportunity
    mode: Mode
    orders: tuple[tuple[Order, Identity], tuple[Order, Identity]]
    worst_loss: Usd
    cooldown_ms: int
    balance_age_ms_max: int
    now_ms: int
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True, slots=True)
class Granted:
    """Both legs may be sent until they are fenced; `day` is where its losses are booked."""

    arb_id: str
    settings_version: int
    epoch: int
    day: str


def reserve(session: Session, request: GateRequest) -> Granted | Refused:
    """Admit or refuse, and write down which. Asked again, the first verdict is repeated and the
    first orders stay: what is sent is what the journal holds, never what a second run computed."""
    _check_request(request)
    known = session.get(ArbitrageRow, request.arb_id)
    if known is not None:
        return _first_verdict(session, known, request)
    view = _look(session, request)
    refused = next(_refusals(session, request, view), None)
    if refused is not None:
        _write_arbitrage(session, request, view, refused)
        return refused
    return _admit(session, request, view)


def preview(session: Session, request: GateRequest) -> Refused | None:
    """What the gate would refuse now; nothing is written."""
    return next(_refusals(session, request, _look(session, request)), None)


def free_cash(session: Session, venue: Venue, mode: Mode) -> Usd | None:
    """The venue's last reported cash less what is promised to orders; None if never reported."""
    balance = session.get(VenueBalanceRow, (venue, mode))
    if balance is None:
        return None
    promised = _promised(session, venue, mode, balance.as_of_ms)
    return Usd(from_micro(balance.cash_micro - promised))


def record_balance(session: Session, venue: Venue, mode: Mode, cash: Usd, as_of_ms: int) -> bool:
    """Keep the cash a venue reported; `as_of_ms` is when the read was begun. An older read than
    the one known is dropped (False)."""
    row = session.get(VenueBalanceRow, (venue, mode))
    if row is not None and row.as_of_ms > as_of_ms:
        return False
    session.merge(
        VenueBalanceRow(venue=venue, mode=mode, cash_micro=to_micro(cash), as_of_ms=as_of_ms)
    )
    return True


@dataclass(frozen=True, slots=True)
class _View:
    """What the gate reads once: the settings in force, the run state, the day's account."""

    saved: SavedSettings
    state: RunState
    day: str
    account: RiskDayRow | None


def _look(session: Session, request: GateRequest) -> _View:
    saved, state, day = settings.read(session), run_state.read(session), utc_day(request.now_ms)
    return _View(saved, state, day, session.get(RiskDayRow, (request.mode, day)))


def _refusals(session: Session, request: GateRequest, view: _View) -> Iterator[Refused]:
    yield from _stopped(request, view.state)
    yield from _out_of_bounds(view.saved.settings, request.opportunity)
    yield from _day_is_full(request, view)
    yield from _pair_is_taken(session, request)
    yield from _cash_is_short(session, request)


def _stopped(request: GateRequest, state: RunState) -> Iterator[Refused]:
    if state.halted:
        yield Refused(Refusal.HALTED, f"halted by {state.by}: {state.reason}")
    if not state.enabled:
        yield Refused(Refusal.DISABLED, f"settings version {state.settings_version} is disabled")
    not_after = min(order.not_after_ms for order, _ in request.orders)
    if request.now_ms > not_after:
        yield Refused(Refusal.TOO_LATE, f"expected by {not_after}, found {request.now_ms} (ms)")


def _out_of_bounds(policy: ExecutorSettings, plan: Opportunity) -> Iterator[Refused]:
    if plan.outlay < policy.min_bet:
        detail = f"expected an outlay of {policy.min_bet} or more, found {plan.outlay}"
        yield Refused(Refusal.BET_BELOW_MINIMUM, detail)
    if plan.outlay > policy.max_bet:
        detail = f"expected an outlay of {policy.max_bet} or less, found {plan.outlay}"
        yield Refused(Refusal.BET_ABOVE_MAXIMUM, detail)
    if plan.roi < policy.min_roi or plan.profit <= 0:
        detail = f"expected {policy.min_roi} % and a profit, found {plan.roi:.4f} %"
        yield Refused(Refusal.EDGE_BELOW_POLICY, detail)
    if plan.roi > policy.max_roi:
        detail = f"expected {policy.max_roi} % or less, found {plan.roi:.4f} %"
        yield Refused(Refusal.ROI_ABOVE_POLICY, detail)


def _day_is_full(request: GateRequest, view: _View) -> Iterator[Refused]:
    policy, account = view.saved.settings, view.account
    trades = account.trades if account else 0
    at_risk = account.reserved_loss_micro + account.realised_loss_micro if account else 0
    if trades >= policy.max_daily_trades:
        detail = f"expected fewer than {policy.max_daily_trades} today, found {trades}"
        yield Refused(Refusal.DAILY_TRADES_REACHED, detail)
    if at_risk + _worst_micro(request) > to_micro(policy.max_daily_loss):
        yield Refused(
            Refusal.DAILY_LOSS_REACHED,
            f"expected {policy.max_daily_loss} or less, found {from_micro(at_risk)} lost or at "
            f"risk and {request.worst_loss} more",
        )


def _pair_is_taken(session: Session, request: GateRequest) -> Iterator[Refused]:
    closed = col(ArbitrageRow.closed_ms)
    recent = session.exec(
        select(ArbitrageRow)
        .where(
            ArbitrageRow.mode == request.mode,
            ArbitrageRow.pair_id == request.opportunity.pair_id,
            or_(closed.is_(None), closed > request.now_ms - request.cooldown_ms),
            ArbitrageRow.phase != Phase.REFUSED,
        )
        .order_by(closed.is_(None).desc(), closed.desc())
    )
    for row in recent:
        if row.closed_ms is None:
            yield Refused(Refusal.PAIR_ALREADY_OPEN, f"{row.id} is {row.phase}")
        elif row.status != TradeStatus.SUCCESS:
            left = row.closed_ms + request.cooldown_ms - request.now_ms
            detail = f"{row.id} ended {row.status}, {left} ms are left"
            yield Refused(Refusal.PAIR_COOLING_DOWN, detail)


def _cash_is_short(session: Session, request: GateRequest) -> Iterator[Refused]:
    oldest = request.now_ms - request.balance_age_ms_max
    for venue in Venue:
        balance = session.get(VenueBalanceRow, (venue, request.mode))
        if balance is None or balance.as_of_ms < oldest:
            age = "never read" if balance is None else f"{request.now_ms - balance.as_of_ms} ms old"
            yield Refused(Refusal.BALANCE_UNKNOWN, f"the cash at {venue} is {age}")
    reasons = {
        Venue.POLYMARKET: Refusal.POLYMARKET_CASH_TOO_LOW,
        Venue.KALSHI: Refusal.KALSHI_CASH_TOO_LOW,
    }
    for venue, reason in reasons.items():
        free = free_cash(session, venue, request.mode)
        outlay = request.opportunity.leg(venue).outlay
        if free is None or free < outlay:
            yield Refused(reason, f"expected {outlay} free at {venue}, found {free}")


def _promised(session: Session, venue: Venue, mode: Mode, as_of_ms: int) -> int:
    """Micro-dollars that the balance read at `as_of_ms` does not show as gone yet."""
    at = {"mode": mode, "venue": venue, "as_of_ms": as_of_ms}
    return int(session.connection().execute(_PROMISED[venue], at).scalar_one())


def _admit(session: Session, request: GateRequest, view: _View) -> Granted:
    row = _write_arbitrage(session, request, view, None)
    plan, epoch = request.opportunity, view.state.epoch
    session.add(
        ReservationRow(
            arb_id=request.arb_id,
            mode=request.mode,
            day=view.day,
            worst_loss_micro=_worst_micro(request),
            polymarket_outlay_micro=to_micro(cost_ceil(plan.polymarket.outlay)),
            kalshi_outlay_micro=to_micro(cost_ceil(plan.kalshi.outlay)),
            state=ReservationState.HELD,
            held_ms=request.now_ms,
        )
    )
    for order, identity in request.orders:
        session.add(intents.new_row(order, identity, view.state))
    detail = {"day": view.day, "worst_loss": str(request.worst_loss), "epoch": epoch}
    admitted = {**detail, "bounds": bounds_json(request.bounds)}
    events.append(session, row, "reserved", admitted, request.now_ms)
    _charge_day(session, request, view)
    return Granted(request.arb_id, row.settings_version, epoch, view.day)


def _charge_day(session: Session, request: GateRequest, view: _View) -> None:
    """One conditional UPDATE: the caps hold even where transactions may overlap."""
    policy, worst = view.saved.settings, _worst_micro(request)
    if view.account is None:
        session.add(
            RiskDayRow(mode=request.mode, day=view.day, trades=1, reserved_loss_micro=worst)
        )
        return
    at_risk = col(RiskDayRow.reserved_loss_micro) + col(RiskDayRow.realised_loss_micro)
    charged = session.exec(
        update(RiskDayRow)
        .where(
            col(RiskDayRow.mode) == request.mode,
            col(RiskDayRow.day) == view.day,
            col(RiskDayRow.trades) < policy.max_daily_trades,
            at_risk + worst <= to_micro(policy.max_daily_loss),
        )
        .values(
            trades=col(RiskDayRow.trades) + 1,
            reserved_loss_micro=col(RiskDayRow.reserved_loss_micro) + worst,
        )
        .execution_options(synchronize_session=False)
    )
    if charged.rowcount != 1:
        raise JournalConflict(f"{view.day} was checked and then had no room for {request.arb_id}")


def _write_arbitrage(
    session: Session, request: GateRequest, view: _View, refused: Refused | None
) -> ArbitrageRow:
    plan = request.opportunity
    row = ArbitrageRow(
        id=request.arb_id,
        pair_id=plan.pair_id,
        title=plan.title,
        mode=request.mode,
        direction=plan.polymarket.instrument.outcome,
        phase=Phase.REFUSED if refused else Phase.PLACING,
        settings_version=view.saved.version,
        size_micro=to_micro(plan.size),
        outlay_micro=to_micro(cost_ceil(plan.outlay)),
        profit_micro=to_micro(proceeds_floor(plan.profit)),
        opportunity=opportunity_json(plan),
        reason=refused.reason if refused else None,
        detail=refused.detail if refused else None,
        opened_ms=request.now_ms,
        updated_ms=request.now_ms,
        closed_ms=request.now_ms if refused else None,
    )
    session.add(row)
    session.flush()
    if refused is not None:
        detail = {"reason": refused.reason, "detail": refused.detail}
        events.append(session, row, "refused", detail, request.now_ms)
    return row


def _first_verdict(session: Session, row: ArbitrageRow, request: GateRequest) -> Granted | Refused:
    if (row.pair_id, row.mode) != (request.opportunity.pair_id, request.mode):
        raise JournalConflict(
            f"{row.id} is journaled for {row.pair_id} in {row.mode}, found a request for "
            f"{request.opportunity.pair_id} in {request.mode}"
        )
    if row.phase == Phase.REFUSED:
        assert row.reason is not None, f"{row.id} is refused without a reason"
        return Refused(Refusal(row.reason), row.detail or "")
    first = session.get_one(IntentRow, request.orders[0][0].intent_id)
    reservation = session.get_one(ReservationRow, row.id)
    return Granted(row.id, row.settings_version, first.epoch, reservation.day)


def _check_request(request: GateRequest) -> None:
    venues = [order.venue for order, _ in request.orders]
    assert sorted(venues) == sorted(Venue), f"expected one order per venue, found {venues}"
    for order, _ in request.orders:
        assert order.purpose is Purpose.ENTRY, f"expected entries, found {order.purpose}"
        assert order.arb_id == request.arb_id, f"{order.intent_id} is not of {request.arb_id}"
        leg = request.opportunity.leg(order.venue)
        assert (order.size, order.limit) == (leg.size, leg.limit), f"{order} is not {leg}"


def _worst_micro(request: GateRequest) -> int:
    return to_micro(cost_ceil(request.worst_loss))
