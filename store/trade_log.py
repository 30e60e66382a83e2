"""The trade log: the seed's trade history, and the numbers of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from domain.money import (
    MICRO,
    Usd,
    cost_ceil,
    floor_to,
    from_micro,
    to_micro,
)
from domain.trade import TradeStatus, roi_percent
from domain.venue import Mode
from store import outbox, positions
from store.codec import detail_from, detail_json, iso_utc
from store.engine import Database
from store.positions import LoggedPosition
from store.states import PositionStatus
from store.tables import RiskDayRow, TradeRow


@dataclass(frozen=True, slots=True)
class Trade:
    """One arbitrage for the log: `pnl` is guaranteed until `final`, then realised; the ROI is
    taken of what was `spent`."""

    arb_id: str
    mode: Mode
    event_title: str
    status: TradeStatus
    bet_size: Usd
    pnl: Usd
    spent: Usd
    poly_order_id: str | None
    kalshi_order_id: str | None
    details: Mapping[str, object]
    final: bool


@dataclass(frozen=True, slots=True)
class LoggedTrade:
    """A row of the trade history; `roi` is percent, `timestamp` ISO 8601 UTC."""

    id: int
    arb_id: str
    mode: Mode
    timestamp: str
    event_title: str
    status: TradeStatus
    bet_size: Usd
    pnl: Usd
    roi: Decimal | None
    poly_order_id: str | None
    kalshi_order_id: str | None
    details: dict[str, object]
    final: bool


@dataclass(frozen=True, slots=True)
class DayStats:
    """One UTC day: trades admitted by the gate; of those in the log their number, result (final
    or guaranteed) and how many gain; loss at risk, and loss that is certain (realised or locked
    in), as the gate counts them. `guaranteed`, `guaranteed_wins` and `guaranteed_pnl` are the part
    of the logged ones that is not final yet."""

    day: str
    trades: int
    logged: int
    wins: int
    pnl: Usd
    at_risk: Usd
    realised_loss: Usd
    guaranteed: int
    guaranteed_wins: int
    guaranteed_pnl: Usd

    @property
    def not_final(self) -> Usd | None:
        """The result of what is not final; None where all of it is."""
        return self.guaranteed_pnl if self.guaranteed else None


class TradeLogger:
    """The reading side of the trade log, for pages and messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def trades(
        self, mode: Mode, limit: int, before_id: int | None = None
    ) -> list[LoggedTrade]:
        """Trades from the newest down, those older than `before_id` only."""
        return await self._database.read(lambda s: trades(s, mode, limit, before_id=before_id))

    async def positions(
        self, mode: Mode, status: PositionStatus | None = PositionStatus.OPEN
    ) -> list[LoggedPosition]:
        """Positions of a status (None: of any), oldest first."""
        return await self._database.read(lambda s: positions.listed(s, mode, status))

    async def stats(self, mode: Mode, day: str) -> DayStats:
        """The numbers of one UTC day, such as "2026-11-20"."""
        return await self._database.read(lambda s: stats(s, mode, day))


def log_trade(session: Session, trade: Trade, revision: int, now_ms: int) -> None:
    """Write the trade, or bring its row up to date; the time of its first entry stays."""
    roi = roi_percent(trade.pnl, trade.spent) if trade.spent else None
    found = session.exec(select(TradeRow).where(TradeRow.arb_id == trade.arb_id)).first()
    row = session.merge(
        TradeRow(
            id=found.id if found else None,
            timestamp=found.timestamp if found else iso_utc(now_ms),
            event_title=trade.event_title,
            status=trade.status,
            bet_size_micro=to_micro(cost_ceil(trade.bet_size)),
            pnl_micro=_floor_micro(trade.pnl),
            roi_micro=None if roi is None else _floor_micro(roi),
            poly_order_id=trade.poly_order_id,
            kalshi_order_id=trade.kalshi_order_id,
            details=detail_json(trade.details),
            arb_id=trade.arb_id,
            mode=trade.mode,
            final=trade.final,
        )
    )
    session.flush()
    payload = {
        "arb_id": row.arb_id,
        "mode": row.mode,
        "event": row.event_title,
        "timestamp": row.timestamp,
        "status": row.status,
        "bet_size": str(from_micro(row.bet_size_micro)),
        "pnl": str(from_micro(row.pnl_micro)),
        "roi": None if row.roi_micro is None else str(from_micro(row.roi_micro)),
        "final": row.final,
        "details": trade.details,
    }
    outbox.put(session, f"trade/{row.arb_id}/{revision}", "trade_event", payload, now_ms)


def amounts(session: Session, arb_id: str) -> tuple[Usd, Usd] | None:
    """What the log shows of an arbitrage: its bet and its profit (dollars); None before a row."""
    row = session.exec(select(TradeRow).where(TradeRow.arb_id == arb_id)).first()
    if row is None:
        return None
    return Usd(from_micro(row.bet_size_micro)), Usd(from_micro(row.pnl_micro))


def trades(
    session: Session,
    mode: Mode | None,
    limit: int | None,
    *,
    status: TradeStatus | None = None,
    begin: str | None = None,
    before_id: int | None = None,
) -> list[LoggedTrade]:
    """Trades from the newest down to `begin` (ISO 8601 UTC), at most `limit`, those older than
    `before_id` only; of a filter that is None, all."""
    wanted = _wanted(mode, status, begin)
    if before_id is not None:
        wanted.append(col(TradeRow.id) < before_id)
    rows = select(TradeRow).where(*wanted).order_by(col(TradeRow.id).desc()).limit(limit)
    return [logged(row) for row in session.exec(rows)]


def counted(
    session: Session, mode: Mode | None, status: TradeStatus | None, begin: str | None
) -> int:
    """How many trades pass these filters of `trades`."""
    wanted = _wanted(mode, status, begin)
    return session.exec(select(func.count()).select_from(TradeRow).where(*wanted)).one()


def _wanted(
    mode: Mode | None, status: TradeStatus | None, begin: str | None
) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if mode is not None:
        wanted.append(col(TradeRow.mode) == mode)
    if status is not None:
        wanted.append(col(TradeRow.status) == status)
    if begin is not None:
        wanted.append(col(TradeRow.timestamp) >= begin)
    return wanted


def stats(session: Session, mode: Mode, day: str) -> DayStats:
    """See TradeLogger.stats."""
    account = session.get(RiskDayRow, (mode, day))
    gains = col(TradeRow.pnl_micro) > 0
    pending = col(TradeRow.final) == False  # noqa: E712 - an integer column on both engines
    result = func.sum(TradeRow.pnl_micro)
    rows = sa.select(
        func.count(),
        func.count().filter(gains),
        func.coalesce(result, 0),
        func.count().filter(pending),
        func.count().filter(pending, gains),
        func.coalesce(result.filter(pending), 0),
    ).where(
        col(TradeRow.mode) == mode,
        col(TradeRow.timestamp) >= f"{day}T",
        col(TradeRow.timestamp) < f"{day}U",
    )
    logged, wins, pnl, guaranteed, guaranteed_wins, guaranteed_pnl = (
        session.connection().execute(rows).one()
    )
    return DayStats(
        day=day,
        trades=account.trades if account else 0,
        logged=logged,
        wins=wins,
        pnl=Usd(from_micro(int(pnl))),
        at_risk=Usd(from_micro(account.reserved_loss_micro if account else 0)),
        realised_loss=Usd(from_micro(account.realised_loss_micro if account else 0)),
        guaranteed=guaranteed,
        guaranteed_wins=guaranteed_wins,
        guaranteed_pnl=Usd(from_micro(int(guaranteed_pnl))),
    )


def logged(row: TradeRow) -> LoggedTrade:
    """A row of the trade history as others see it."""
    assert row.id is not None, "a stored row has its key"
    return LoggedTrade(
        id=row.id,
        arb_id=row.arb_id,
        mode=Mode(row.mode),
        timestamp=row.timestamp,
        event_title=row.event_title,
        status=TradeStatus(row.status),
        bet_size=Usd(from_micro(row.bet_size_micro)),
        pnl=Usd(from_micro(row.pnl_micro)),
        roi=None if row.roi_micro is None else from_micro(row.roi_micro),
        poly_order_id=row.poly_order_id,
        kalshi_order_id=row.kalshi_order_id,
        details=detail_from(row.details),
        final=row.final,
    )


def _floor_micro(value: Decimal) -> int:
    """Micro-units rounded down, so that no result looks better than it is."""
    return to_micro(floor_to(value, MICRO))
