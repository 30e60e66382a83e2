"""Reads for pages: what changed since the last look, and the numbers of charts and panels."""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from domain.money import NO_USD, Usd, from_micro
from domain.order import FillState, Purpose
from domain.venue import Action, Mode, Venue
from store import (
    alarms,
    arbitrages,
    balances,
    outbox,
    positions,
    presence,
    run_state,
    settings,
    trade_log,
)
from store.arbitrages import Unfinished
from store.codec import detail_from, iso_utc, utc_day
from store.outbox import Backlog
from store.presence import Presence
from store.run_state import RunState
from store.settings import SavedSettings
from store.tables import (
    AlarmRow,
    ArbitrageRow,
    AuditRow,
    FillRow,
    IntentRow,
    ObservationRow,
    OutboxRow,
    ReservationRow,
    SettingsHistoryRow,
    TradeRow,
    VenueBalanceRow,
)
from store.trade_log import DayStats

AT_ONCE = 500
_NEWEST = sa.select(
    sa.select(sa.func.max(OutboxRow.id)).scalar_subquery(),
    sa.select(sa.func.max(AuditRow.id)).scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message as the outbox holds it: what happened, in the order it happened."""

    id: int
    topic: str
    payload: dict[str, object]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What may change many times a second: messages and audit rows after the last look, what is
    open, and whether entries may leave (`switched_ms`, `switched_by`: its last change)."""

    told: tuple[Told, ...]
    audited: tuple[AuditRow, ...]
    unfinished: tuple[Unfinished, ...]
    run_state: RunState
    saved: SavedSettings
    switched_ms: int
    switched_by: str


@dataclass(frozen=True, slots=True)
class Balance:
    """One venue's cash as last reported, and how it is bound (dollars). `unsettled` is what was
    sold and is not final yet: it becomes cash, or contracts again."""

    cash: Usd
    free: Usd
    in_orders: Usd
    in_positions: Usd
    unsettled: Usd
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What changes every few seconds."""

    balances: dict[Venue, Balance]
    stats: DayStats
    fees_today: Usd
    executors: tuple[Presence, ...]
    alarms: tuple[AlarmRow, ...]
    backlog: Backlog


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """One trade of the log: its result (guaranteed until `final`) and its fees."""

    at: str
    pnl: Usd
    fees: Usd
    final: bool


@dataclass(frozen=True, slots=True)
class OrderTimes:
    """Wall-clock ms of one order; None where it has not come that far. `answered_ms` is when
    nothing was left to find out about it; `asked_ms` when its venue was first asked what had
    become of it, `questions` how often."""

    sent_ms: int | None = None
    asked_ms: int | None = None
    answered_ms: int | None = None
    matched_ms: int | None = None
    settled_ms: int | None = None
    questions: int = 0


def pulse(session: Session, mode: Mode, after_message: int, after_audit: int) -> Pulse:
    """See Pulse; messages and audit rows with ids above these."""
    saved = settings.read(session)
    state = run_state.read(session)
    switched_ms, by = _switched(session)
    told = select(OutboxRow).where(col(OutboxRow.id) > after_message).order_by(col(OutboxRow.id))
    audited = select(AuditRow).where(col(AuditRow.id) > after_audit).order_by(col(AuditRow.id))
    return Pulse(
        told=tuple(
            Told(row.id or 0, row.topic, detail_from(row.payload), row.created_ms)
            for row in session.exec(told.limit(AT_ONCE))
        ),
        audited=tuple(session.exec(audited.limit(AT_ONCE))),
        unfinished=tuple(one for one in arbitrages.unfinished(session) if one.mode is mode),
        run_state=state,
        saved=saved,
        switched_ms=switched_ms,
        switched_by=by,
    )


def newest(session: Session) -> tuple[int, int]:
    """The ids of the newest message of the outbox and of the newest audit row; 0 for none."""
    message, audited = session.connection().execute(_NEWEST).one()
    return message or 0, audited or 0


def survey(session: Session, mode: Mode, now_ms: int, alive_since_ms: int) -> Survey:
    """See Survey."""
    day = utc_day(now_ms)
    return Survey(
        balances={v: b for v in Venue if (b := balance(session, v, mode)) is not None},
        stats=trade_log.stats(session, mode, day),
        fees_today=fees_on(session, mode, day),
        executors=tuple(presence.reports(session, alive_since_ms)),
        alarms=tuple(alarms.open_alarms(session)),
        backlog=outbox.backlog(session),
    )


def planned_profits(session: Session, arb_ids: list[str]) -> dict[str, Usd]:
    """What was expected of these arbitrages when they were admitted."""
    rows = select(ArbitrageRow.id, ArbitrageRow.profit_micro).where(
        col(ArbitrageRow.id).in_(arb_ids)
    )
    return {arb_id: Usd(from_micro(micro)) for arb_id, micro in session.exec(rows)}


def trade_number(session: Session, arb_id: str) -> int:
    """The place of an arbitrage in the log of trades. Raises NoResultFound where it has none."""
    number = session.exec(select(TradeRow.id).where(TradeRow.arb_id == arb_id)).one()
    assert number is not None, "a stored row has its key"
    return number


def open_positions(session: Session, mode: Mode) -> dict[str, str]:
    """Open positions of the log: when each was opened, by arbitrage."""
    return {one.arb_id: one.opened_at for one in positions.listed(session, mode)}


def order_times(session: Session, arb_id: str) -> dict[str, OrderTimes]:
    """The times of every order of an arbitrage, by intent."""
    intents = session.exec(select(IntentRow).where(IntentRow.arb_id == arb_id)).all()
    found = {}
    for row in intents:
        fills = session.exec(select(FillRow).where(FillRow.intent_id == row.id)).all()
        asked = session.exec(
            select(func.count(), func.min(ObservationRow.at_ms)).where(
                ObservationRow.intent_id == row.id
            )
        ).one()
        final = bool(fills) and all(FillState(fill.state).final for fill in fills)
        found[row.id] = OrderTimes(
            sent_ms=row.sent_ms,
            asked_ms=asked[1],
            answered_ms=row.answered_ms,
            matched_ms=min((fill.at_ms for fill in fills), default=None),
            settled_ms=max(fill.state_ms for fill in fills) if final else None,
            questions=asked[0],
        )
    return found


def leg_times(session: Session, arb_id: str) -> dict[Venue, OrderTimes]:
    """The times of both entries, by venue."""
    entries = select(IntentRow.venue, IntentRow.id).where(
        IntentRow.arb_id == arb_id, IntentRow.purpose == Purpose.ENTRY
    )
    times = order_times(session, arb_id)
    return {Venue(venue): times[intent_id] for venue, intent_id in session.exec(entries)}


def latencies(session: Session, mode: Mode, since_ms: int) -> dict[Venue, list[int]]:
    """Milliseconds from sending to the answer of every entry order since then, in order."""
    rows = (
        select(IntentRow.venue, col(IntentRow.answered_ms) - col(IntentRow.sent_ms))
        .join(ArbitrageRow, col(ArbitrageRow.id) == col(IntentRow.arb_id))
        .where(ArbitrageRow.mode == mode, IntentRow.purpose == Purpose.ENTRY)
        .where(col(IntentRow.sent_ms) >= since_ms, col(IntentRow.answered_ms).is_not(None))
    )
    found: dict[Venue, list[int]] = {venue: [] for venue in Venue}
    for venue, took in session.exec(rows):
        found[Venue(venue)].append(int(took or 0))
    return {venue: sorted(times) for venue, times in found.items()}


def equity(session: Session, mode: Mode, since_ms: int) -> list[EquityPoint]:
    """Every logged trade since then, oldest first."""
    fees = (
        select(IntentRow.arb_id, func.sum(FillRow.fee_micro).label("fees"))
        .join(FillRow, col(FillRow.intent_id) == col(IntentRow.id))
        .where(FillRow.state != FillState.VOIDED)
        .group_by(col(IntentRow.arb_id))
        .subquery()
    )
    rows = (
        select(
            TradeRow.timestamp,
            TradeRow.pnl_micro,
            func.coalesce(fees.c.fees, 0),
            TradeRow.final,
        )
        .outerjoin(fees, fees.c.arb_id == TradeRow.arb_id)
        .where(TradeRow.mode == mode, col(TradeRow.timestamp) >= iso_utc(since_ms))
        .order_by(col(TradeRow.timestamp), col(TradeRow.id))
    )
    return [
        EquityPoint(at, Usd(from_micro(pnl)), Usd(from_micro(int(fee))), final)
        for at, pnl, fee, final in session.exec(rows)
    ]


def executed(session: Session, mode: Mode, since_ms: int) -> int:
    """How many arbitrages the gate admitted since then."""
    rows = select(func.count()).where(
        ReservationRow.mode == mode, col(ReservationRow.held_ms) >= since_ms
    )
    return session.exec(rows).one()


def _switched(session: Session) -> tuple[int, str]:
    """When and by whom `enabled` was last changed; at the first version where it never was."""
    rows = (
        select(SettingsHistoryRow.at_ms, SettingsHistoryRow.actor)
        .where(
            col(SettingsHistoryRow.changes).contains('"enabled"')
            | (col(SettingsHistoryRow.version) == 1)
        )
        .order_by(col(SettingsHistoryRow.version).desc())
        .limit(1)
    )
    at_ms, actor = session.exec(rows).one()
    return at_ms, actor


def balance(session: Session, venue: Venue, mode: Mode) -> Balance | None:
    """The venue's cash and how it is bound; None where it was never reported."""
    row = session.get(VenueBalanceRow, (venue, mode))
    free = balances.free_cash(session, venue, mode)
    if row is None or free is None:
        return None
    cash = Usd(from_micro(row.cash_micro))
    return Balance(
        cash=cash,
        free=free,
        in_orders=Usd(cash - free),
        in_positions=_held(session, venue, mode),
        unsettled=_unsettled(session, venue, mode),
        as_of_ms=row.as_of_ms,
    )


def _held(session: Session, venue: Venue, mode: Mode) -> Usd:
    """What the legs of open arbitrages cost at the venue, less what was sold of them."""
    rows = (
        select(FillRow.action, func.sum(FillRow.notional_micro), func.sum(FillRow.fee_micro))
        .join(IntentRow, col(IntentRow.id) == col(FillRow.intent_id))
        .join(ArbitrageRow, col(ArbitrageRow.id) == col(IntentRow.arb_id))
        .where(ArbitrageRow.mode == mode, FillRow.venue == venue)
        .where(col(ArbitrageRow.closed_ms).is_(None), FillRow.state != FillState.VOIDED)
        .group_by(col(FillRow.action))
    )
    total = Decimal(NO_USD)
    for action, notional, fee in session.exec(rows):
        paid = action == Action.BUY
        total += from_micro(notional + fee) if paid else -from_micro(notional - fee)
    return Usd(max(total, Decimal(NO_USD)))


def _unsettled(session: Session, venue: Venue, mode: Mode) -> Usd:
    """What sales bring at the venue that it may still take back."""
    rows = (
        select(func.coalesce(func.sum(FillRow.notional_micro - FillRow.fee_micro), 0))
        .join(IntentRow, col(IntentRow.id) == col(FillRow.intent_id))
        .join(ArbitrageRow, col(ArbitrageRow.id) == col(IntentRow.arb_id))
        .where(ArbitrageRow.mode == mode, FillRow.venue == venue)
        .where(col(ArbitrageRow.closed_ms).is_(None))
        .where(FillRow.action == Action.SELL, FillRow.state == FillState.PROVISIONAL)
    )
    return Usd(from_micro(int(session.exec(rows).one())))


def fees_on(session: Session, mode: Mode, day: str) -> Usd:
    """Every fee of the trades that were admitted on that UTC day."""
    rows = (
        select(func.coalesce(func.sum(FillRow.fee_micro), 0))
        .join(IntentRow, col(IntentRow.id) == col(FillRow.intent_id))
        .join(ReservationRow, col(ReservationRow.arb_id) == col(IntentRow.arb_id))
        .where(ReservationRow.mode == mode, ReservationRow.day == day)
        .where(FillRow.state != FillState.VOIDED)
    )
    return Usd(from_micro(int(session.exec(rows).one())))
