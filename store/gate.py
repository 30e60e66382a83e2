"""The gate: one transaction that admits both legs of an arbitrage, or neither.

What is refused is named in this fixed order: halted, disabled, a venue that takes no orders, past
its deadline, books read too far apart, bet below and above its bounds, ROI below and above its
bounds, trades of the day, loss of the day, pair rejected by a person, pair already open, pair
cooling down, balance unknown or too old, Polymarket's cash, Kalshi's cash.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from domain.money import Usd, cost_ceil, from_micro, proceeds_floor, to_micro
from domain.opportunity import Opportunity, Refused
from domain.order import Identity, Order, Purpose
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import arbitrages, balances, events, intents, reviews, rows, run_state, settings
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
)

_ARBITRAGES, _DAYS = rows.table(ArbitrageRow), rows.table(RiskDayRow)
_KNOWN = sa.select(
    *(_ARBITRAGES.c[name] for name in ("pair_id", "mode", "phase", "reason", "detail")),
    _ARBITRAGES.c.settings_version,
).where(_ARBITRAGES.c.id == sa.bindparam("arb_id"))
_DAY = sa.and_(_DAYS.c.mode == sa.bindparam("of_mode"), _DAYS.c.day == sa.bindparam("of_day"))
_ACCOUNT = sa.select(
    _DAYS.c.trades, (_DAYS.c.reserved_loss_micro + _DAYS.c.realised_loss_micro).label("at_risk")
).where(_DAY)
_OF_PAIR = (
    sa.select(*(_ARBITRAGES.c[name] for name in ("id", "phase", "status", "closed_ms")))
    .where(
        _ARBITRAGES.c.mode == sa.bindparam("mode"),
        _ARBITRAGES.c.pair_id == sa.bindparam("pair_id"),
        sa.or_(
            _ARBITRAGES.c.closed_ms.is_(None), _ARBITRAGES.c.closed_ms > sa.bindparam("since_ms")
        ),
        _ARBITRAGES.c.phase != Phase.REFUSED,
    )
    .order_by(_ARBITRAGES.c.closed_ms.is_(None).desc(), _ARBITRAGES.c.closed_ms.desc())
)
# One conditional UPDATE: the caps hold even where transactions may overlap.
_CHARGE = (
    sa.update(_DAYS)
    .where(
        _DAY,
        _DAYS.c.trades < sa.bindparam("trades_max"),
        _DAYS.c.reserved_loss_micro + _DAYS.c.realised_loss_micro + sa.bindparam("worst")
        <= sa.bindparam("loss_max"),
    )
    .values(
        trades=_DAYS.c.trades + 1,
        reserved_loss_micro=_DAYS.c.reserved_loss_micro + sa.bindparam("worst"),
    )
)


@dataclass(frozen=True, slots=True)
class GateRequest:
    """One arbitrage that asks to be admitted.

    `orders` are both entries with their identities; `worst_loss` is charged to the UTC day of
    `now_ms` (wall clock). A pair rests for `cooldown_ms` after it failed or was rolled back; cash
    counts if it was read no longer than `balance_age_ms_max` ago. `bounds` are written down with
    the verdict: whoever adopts the arbitrage keeps to them. `shut` says which venue takes no
    orders, None where both do.
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
    shut: str | None = None


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
    known = rows.first_of(session, _KNOWN, arb_id=request.arb_id)
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


@dataclass(frozen=True, slots=True)
class _View:
    """What the gate reads once: the settings in force, the run state, the day's account."""

    saved: SavedSettings
    state: RunState
    day: str
    account: sa.Row[Any] | None


def _look(session: Session, request: GateRequest) -> _View:
    saved, state, day = settings.read(session), run_state.read(session), utc_day(request.now_ms)
    account = rows.first_of(session, _ACCOUNT, of_mode=request.mode, of_day=day)
    return _View(saved, state, day, account)


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
    if request.shut is not None:
        yield Refused(Refusal.VENUE_CLOSED, request.shut)
    not_after = min(order.not_after_ms for order, _ in request.orders)
    if request.now_ms > not_after:
        yield Refused(Refusal.TOO_LATE, f"expected by {not_after}, found {request.now_ms} (ms)")
    skew, most = request.opportunity.skew_ms, request.bounds.book_skew_ms_max
    if skew > most:
        detail = f"its books were read {skew} ms apart, at most {most} ms are allowed"
        yield Refused(Refusal.BOOKS_APART, detail)


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
    at_risk = account.at_risk if account else 0
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
    since_ms = request.now_ms - request.cooldown_ms
    pair_id = request.opportunity.pair_id
    if (said := reviews.rejection(session, pair_id)) is not None:
        yield Refused(Refusal.PAIR_REJECTED, f"rejected by {said}")
    for row in rows.all_of(
        session, _OF_PAIR, mode=request.mode, pair_id=pair_id, since_ms=since_ms
    ):
        if row.closed_ms is None:
            yield Refused(Refusal.PAIR_ALREADY_OPEN, f"{row.id} is {row.phase}")
        elif row.status != TradeStatus.SUCCESS:
            left = row.closed_ms + request.cooldown_ms - request.now_ms
            detail = f"{row.id} ended {row.status}, {left} ms are left"
            yield Refused(Refusal.PAIR_COOLING_DOWN, detail)
    markets = [request.opportunity.leg(venue).instrument.market for venue in Venue]
    if (other := arbitrages.on_market(session, request.mode, markets)) is not None:
        detail = f"{other.id} is {other.phase} on {other.market}, as pair {other.pair_id}"
        yield Refused(Refusal.PAIR_ALREADY_OPEN, detail)


def _cash_is_short(session: Session, request: GateRequest) -> Iterator[Refused]:
    oldest = request.now_ms - request.balance_age_ms_max
    cash = balances.reported(session, request.mode)
    for venue in Venue:
        balance = cash.get(venue)
        if balance is None or balance.as_of_ms < oldest:
            age = "never read" if balance is None else f"{request.now_ms - balance.as_of_ms} ms old"
            yield Refused(Refusal.BALANCE_UNKNOWN, f"the cash at {venue} is {age}")
    reasons = {
        Venue.POLYMARKET: Refusal.POLYMARKET_CASH_TOO_LOW,
        Venue.KALSHI: Refusal.KALSHI_CASH_TOO_LOW,
    }
    for venue, reason in reasons.items():
        leg = request.opportunity.leg(venue)
        free = balances.usable(session, leg.instrument, request.mode, cash.get(venue))
        if free is None or free < leg.outlay:
            shard = f", shard {leg.instrument.exchange_index}" if venue is Venue.KALSHI else ""
            yield Refused(reason, f"expected {leg.outlay} free at {venue}{shard}, found {free}")


def _admit(session: Session, request: GateRequest, view: _View) -> Granted:
    _write_arbitrage(session, request, view, None)
    plan, epoch = request.opportunity, view.state.epoch
    rows.insert(
        session,
        ReservationRow,
        {
            "arb_id": request.arb_id,
            "mode": request.mode,
            "day": view.day,
            "worst_loss_micro": _worst_micro(request),
            "polymarket_outlay_micro": to_micro(cost_ceil(plan.polymarket.outlay)),
            "kalshi_outlay_micro": to_micro(cost_ceil(plan.kalshi.outlay)),
            "kalshi_shard": plan.kalshi.instrument.exchange_index,
            "state": ReservationState.HELD,
            "held_ms": request.now_ms,
        },
    )
    orders = [intents.values(order, identity, view.state) for order, identity in request.orders]
    rows.insert(session, IntentRow, *orders)
    detail = {"day": view.day, "worst_loss": str(request.worst_loss), "epoch": epoch}
    admitted = {**detail, "bounds": bounds_json(request.bounds)}
    events.begin(session, request.arb_id, "reserved", admitted, request.now_ms)
    _charge_day(session, request, view)
    return Granted(request.arb_id, view.saved.version, epoch, view.day)


def _charge_day(session: Session, request: GateRequest, view: _View) -> None:
    policy, worst = view.saved.settings, _worst_micro(request)
    if view.account is None:
        first = {"mode": request.mode, "day": view.day, "trades": 1, "reserved_loss_micro": worst}
        rows.insert(session, RiskDayRow, first)
        return
    charged = rows.change(
        session,
        _CHARGE,
        of_mode=request.mode,
        of_day=view.day,
        trades_max=policy.max_daily_trades,
        loss_max=to_micro(policy.max_daily_loss),
        worst=worst,
    )
    if charged != 1:
        raise JournalConflict(f"{view.day} was checked and then had no room for {request.arb_id}")


def _write_arbitrage(
    session: Session, request: GateRequest, view: _View, refused: Refused | None
) -> None:
    plan = request.opportunity
    rows.insert(
        session,
        ArbitrageRow,
        {
            "id": request.arb_id,
            "pair_id": plan.pair_id,
            "title": plan.title,
            "mode": request.mode,
            "direction": plan.polymarket.instrument.outcome,
            "phase": Phase.REFUSED if refused else Phase.PLACING,
            "settings_version": view.saved.version,
            "size_micro": to_micro(plan.size),
            "outlay_micro": to_micro(cost_ceil(plan.outlay)),
            "profit_micro": to_micro(proceeds_floor(plan.profit)),
            "opportunity": opportunity_json(plan),
            "reason": refused.reason if refused else None,
            "detail": refused.detail if refused else None,
            "opened_ms": request.now_ms,
            "updated_ms": request.now_ms,
            "closed_ms": request.now_ms if refused else None,
            "revision": events.FIRST_REVISION,
        },
    )
    if refused is not None:
        detail = {"reason": refused.reason, "detail": refused.detail}
        events.begin(session, request.arb_id, "refused", detail, request.now_ms)


def _first_verdict(session: Session, row: sa.Row[Any], request: GateRequest) -> Granted | Refused:
    if (row.pair_id, row.mode) != (request.opportunity.pair_id, request.mode):
        raise JournalConflict(
            f"{request.arb_id} is journaled for {row.pair_id} in {row.mode}, found a request for "
            f"{request.opportunity.pair_id} in {request.mode}"
        )
    if row.phase == Phase.REFUSED:
        assert row.reason is not None, f"{request.arb_id} is refused without a reason"
        return Refused(Refusal(row.reason), row.detail or "")
    first = session.get_one(IntentRow, request.orders[0][0].intent_id)
    reservation = session.get_one(ReservationRow, request.arb_id)
    return Granted(request.arb_id, row.settings_version, first.epoch, reservation.day)


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
