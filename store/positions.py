"""Locked pairs as the seed's open positions: opened by the lock, closed by the conclusion."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain.money import ZERO, Price, Size, cost_ceil, from_micro, to_micro
from domain.venue import Mode, Outcome
from store import outbox
from store.codec import iso_utc
from store.states import PositionStatus
from store.tables import PositionRow


@dataclass(frozen=True, slots=True)
class Position:
    """A locked pair. Prices are averages with fees, dollars per contract."""

    arb_id: str
    pair_id: str
    mode: Mode
    event_title: str
    poly_side: Outcome
    poly_price: Price | None
    poly_size: Size
    kalshi_side: Outcome
    kalshi_price: Price | None
    kalshi_size: Size
    revision: int


@dataclass(frozen=True, slots=True)
class LoggedPosition:
    """A row of the positions; times are ISO 8601 UTC."""

    id: int
    arb_id: str
    pair_id: str
    mode: Mode
    event_title: str
    opened_at: str
    closed_at: str | None
    poly_side: Outcome
    poly_price: Price
    poly_size: Size
    kalshi_side: Outcome
    kalshi_price: Price
    kalshi_size: Size
    status: PositionStatus


def open_position(session: Session, position: Position, now_ms: int) -> None:
    """Open the position of an arbitrage, or correct the sizes of the one it has."""
    found = _position_row(session, position.arb_id)
    row = session.merge(
        PositionRow(
            id=found.id if found else None,
            event_key=position.arb_id,
            event_title=position.event_title,
            opened_at=found.opened_at if found else iso_utc(now_ms),
            poly_side=position.poly_side,
            poly_price_micro=to_micro(cost_ceil(position.poly_price or ZERO)),
            poly_size_micro=to_micro(position.poly_size),
            kalshi_side=position.kalshi_side,
            kalshi_price_micro=to_micro(cost_ceil(position.kalshi_price or ZERO)),
            kalshi_size_micro=to_micro(position.kalshi_size),
            status=PositionStatus.OPEN,
            pair_id=position.pair_id,
            mode=position.mode,
        )
    )
    session.flush()
    key = f"position_opened/{position.arb_id}/{position.revision}"
    outbox.put(session, key, "position_opened", _position_payload(row), now_ms)


def sizes(session: Session, arb_id: str) -> tuple[Size, Size] | None:
    """What the open position of an arbitrage shows of Polymarket's and Kalshi's leg (contracts);
    None where it has none that is open."""
    row = _position_row(session, arb_id)
    if row is None or row.status != PositionStatus.OPEN:
        return None
    return Size(from_micro(row.poly_size_micro)), Size(from_micro(row.kalshi_size_micro))


def close_position(session: Session, arb_id: str, status: PositionStatus, now_ms: int) -> bool:
    """Close the position of an arbitrage; False where it has none that is open."""
    row = _position_row(session, arb_id)
    if row is None or row.status != PositionStatus.OPEN:
        return False
    row.status, row.closed_at = status, iso_utc(now_ms)
    session.flush()
    outbox.put(
        session, f"position_closed/{arb_id}", "position_closed", _position_payload(row), now_ms
    )
    return True


def listed(
    session: Session, mode: Mode, status: PositionStatus | None = PositionStatus.OPEN
) -> list[LoggedPosition]:
    """Positions of a status (None: of any), oldest first."""
    rows = select(PositionRow).where(PositionRow.mode == mode).order_by(col(PositionRow.id))
    if status is not None:
        rows = rows.where(PositionRow.status == status)
    return [_logged_position(row) for row in session.exec(rows)]


def _position_row(session: Session, arb_id: str) -> PositionRow | None:
    return session.exec(select(PositionRow).where(PositionRow.event_key == arb_id)).first()


def _position_payload(row: PositionRow) -> dict[str, object]:
    return {
        "arb_id": row.event_key,
        "pair_id": row.pair_id,
        "mode": row.mode,
        "event": row.event_title,
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "poly_side": row.poly_side,
        "poly_price": str(from_micro(row.poly_price_micro)),
        "poly_size": str(from_micro(row.poly_size_micro)),
        "kalshi_side": row.kalshi_side,
        "kalshi_price": str(from_micro(row.kalshi_price_micro)),
        "kalshi_size": str(from_micro(row.kalshi_size_micro)),
        "status": row.status,
    }


def _logged_position(row: PositionRow) -> LoggedPosition:
    assert row.id is not None, "a stored row has its key"
    return LoggedPosition(
        id=row.id,
        arb_id=row.event_key,
        pair_id=row.pair_id,
        mode=Mode(row.mode),
        event_title=row.event_title,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        poly_side=Outcome(row.poly_side),
        poly_price=Price(from_micro(row.poly_price_micro)),
        poly_size=Size(from_micro(row.poly_size_micro)),
        kalshi_side=Outcome(row.kalshi_side),
        kalshi_price=Price(from_micro(row.kalshi_price_micro)),
        kalshi_size=Size(from_micro(row.kalshi_size_micro)),
        status=PositionStatus(row.status),
    )
