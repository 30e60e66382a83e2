"""What is promised and what is left: reservations, the day's account, the venues' cash."""

from sqlalchemy import CheckConstraint, Index

from domain.venue import Mode, Venue
from store.states import ReservationState
from store.tables.columns import (
    STRICT,
    Base,
    Key,
    Micro,
    Millis,
    Number,
    OptMillis,
    OptNumber,
    OptString,
    String,
    not_negative,
    one_of,
    refers,
)


class ReservationRow(Base, table=True):
    """What one admitted arbitrage may lose and spend (micro-dollars), on the day it began, and
    `lost_micro`: what of that is certain, locked in or realised, and charged to the day. None as
    `kalshi_shard`, on which its Kalshi outlay is spent, stands for any."""

    __tablename__ = "reservations"
    __table_args__ = (
        one_of("mode", Mode),
        one_of("state", ReservationState),
        *not_negative("worst_loss_micro", "polymarket_outlay_micro", "kalshi_outlay_micro"),
        CheckConstraint("(ended_ms IS NULL) = (state = 'held')", name="ended_when_not_held"),
        refers("arb_id", "arbitrages.id"),
        Index("ix_reservations_ended", "mode", "ended_ms"),
        STRICT,
    )

    arb_id: Key
    mode: String
    day: String
    worst_loss_micro: Micro
    polymarket_outlay_micro: Micro
    kalshi_outlay_micro: Micro
    state: String
    held_ms: Millis
    ended_ms: OptMillis = None
    lost_micro: Micro = 0
    kalshi_shard: OptNumber = None


class RiskDayRow(Base, table=True):
    """One UTC day ("2026-11-20") of one money mode: admitted trades, loss still at risk, and
    the loss that is certain: of what has ended, and of what is held whatever the answer will be
    (losses only: a gain does not buy room for another loss)."""

    __tablename__ = "risk_days"
    __table_args__ = (
        one_of("mode", Mode),
        *not_negative("trades", "reserved_loss_micro", "realised_loss_micro"),
        STRICT,
    )

    mode: Key
    day: Key
    trades: Number = 0
    reserved_loss_micro: Micro = 0
    realised_loss_micro: Micro = 0


class VenueBalanceRow(Base, table=True):
    """The cash a venue last reported, and by shard where it has several (a JSON object of
    micro-dollars). `as_of_ms` is when the read was begun, not answered."""

    __tablename__ = "venue_balances"
    __table_args__ = (one_of("venue", Venue), one_of("mode", Mode), STRICT)

    venue: Key
    mode: Key
    cash_micro: Micro
    as_of_ms: Millis
    shards: OptString = None
