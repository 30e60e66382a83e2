"""The seed's trade history and open positions, under its own names.

Its REAL columns (bet_size, pnl, roi, poly_price, kalshi_price) and the whole contracts are
generated from these integers in the database and are not mapped: nothing here can write them.
"""

from sqlalchemy import Index, UniqueConstraint

from domain.trade import TradeStatus
from domain.venue import Mode, Outcome
from store.states import PositionStatus
from store.tables.columns import (
    STRICT_SERIAL,
    Base,
    Bool,
    Json,
    Micro,
    OptMicro,
    OptString,
    Serial,
    String,
    flags,
    not_negative,
    one_of,
    refers,
)


class TradeRow(Base, table=True):
    """One arbitrage that reached its venues. `pnl_micro` is guaranteed until `final` is set,
    then realised; `roi_micro` micro-percent; `timestamp` ISO 8601 UTC with milliseconds."""

    __tablename__ = "executor_trades"
    __table_args__ = (
        UniqueConstraint("arb_id"),
        refers("arb_id", "arbitrages.id"),
        one_of("status", TradeStatus),
        one_of("mode", Mode),
        *not_negative("bet_size_micro"),
        *flags("final"),
        Index("idx_trades_timestamp", "timestamp"),
        STRICT_SERIAL,
    )

    id: Serial = None
    timestamp: String
    event_title: String
    status: String
    bet_size_micro: Micro
    pnl_micro: Micro = 0
    roi_micro: OptMicro = None
    poly_order_id: OptString = None
    kalshi_order_id: OptString = None
    details: Json
    arb_id: String
    mode: String
    final: Bool


class PositionRow(Base, table=True):
    """One locked pair; `event_key` is its arbitrage, sizes are micro-contracts."""

    __tablename__ = "executor_positions"
    __table_args__ = (
        UniqueConstraint("event_key"),
        refers("event_key", "arbitrages.id"),
        one_of("poly_side", Outcome),
        one_of("kalshi_side", Outcome),
        one_of("status", PositionStatus),
        one_of("mode", Mode),
        *not_negative(
            "poly_price_micro", "poly_size_micro", "kalshi_price_micro", "kalshi_size_micro"
        ),
        Index("idx_positions_status", "status"),
        STRICT_SERIAL,
    )

    id: Serial = None
    event_key: String
    event_title: String
    opened_at: String
    poly_side: String
    poly_price_micro: Micro
    poly_size_micro: Micro
    kalshi_side: String
    kalshi_price_micro: Micro
    kalshi_size_micro: Micro
    status: String
    closed_at: OptString = None
    pair_id: String
    mode: String
