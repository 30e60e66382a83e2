"""The trade itself: arbitrages, orders as intended, what was seen of them, fills, events."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from domain.order import FillState, Purpose
from domain.trade import Phase, TradeStatus
from domain.venue import Action, Mode, Outcome, TimeInForce, Venue
from store.states import IntentState
from store.tables.columns import (
    STRICT,
    STRICT_SERIAL,
    Base,
    Bool,
    Json,
    Key,
    KeyNumber,
    Micro,
    Millis,
    Number,
    OptBool,
    OptMicro,
    OptMillis,
    OptString,
    Serial,
    String,
    flags,
    not_negative,
    one_of,
    refers,
)


class ArbitrageRow(Base, table=True):
    """One arbitrage, admitted or refused; `id` is its workflow id.

    `direction` is the outcome bought at Polymarket. `status` is the trade log's word,
    `realised_micro` the booked profit in micro-dollars, both empty until known. `reopened` counts
    how often a late fill brought it back: it may then stand beside another trade of its pair.
    `adopted` counts the workflows that took it over from one that was lost. `told_run` and
    `told_history` are the workflow run, and the length of its history, of the last standing.
    """

    __tablename__ = "arbitrages"
    __table_args__ = (
        one_of("mode", Mode),
        one_of("direction", Outcome),
        one_of("phase", Phase),
        one_of("status", TradeStatus),
        *not_negative("size_micro", "outlay_micro", "revision"),
        CheckConstraint(
            "(closed_ms IS NOT NULL) = (phase IN ('REFUSED', 'FLAT', 'SETTLED'))",
            name="closed_when_ended",
        ),
        Index(
            "uq_arbitrages_open_pair",
            "mode",
            "pair_id",
            unique=True,
            sqlite_where=text("closed_ms IS NULL AND reopened = 0"),
            postgresql_where=text("closed_ms IS NULL AND reopened = 0"),
        ),
        refers("settings_version", "settings_history.version"),
        Index("ix_arbitrages_pair_closed", "mode", "pair_id", "closed_ms"),
        Index("ix_arbitrages_phase", "phase"),
        STRICT,
    )

    id: Key
    pair_id: String
    title: String
    mode: String
    direction: String
    phase: String
    status: OptString = None
    settings_version: Number
    size_micro: Micro
    outlay_micro: Micro
    profit_micro: Micro
    opportunity: Json
    reason: OptString = None
    detail: OptString = None
    opened_ms: Millis
    updated_ms: Millis
    closed_ms: OptMillis = None
    realised_micro: OptMicro = None
    revision: Number = 0
    reopened: Number = 0
    adopted: Number = 0
    told_run: OptString = None
    told_history: Number = 0


class EventRow(Base, table=True):
    """One step in the life of an arbitrage; append-only, numbered from 1 without a gap."""

    __tablename__ = "events"
    __table_args__ = (refers("arb_id", "arbitrages.id"), STRICT)

    arb_id: Key
    revision: KeyNumber
    at_ms: Millis
    kind: String
    detail: Json


class IntentRow(Base, table=True):
    """One order as it was meant, written before its first byte; never its signature.

    `key` is how the venue knows it and `identity` what it was derived from; `epoch` the run
    state's epoch at admission.
    """

    __tablename__ = "intents"
    __table_args__ = (
        UniqueConstraint("venue", "key"),
        UniqueConstraint("arb_id", "venue", "purpose", "sequence"),
        one_of("venue", Venue),
        one_of("purpose", Purpose),
        one_of("action", Action),
        one_of("outcome", Outcome),
        one_of("time_in_force", TimeInForce),
        one_of("state", IntentState),
        CheckConstraint("size_micro > 0", name="size_positive"),
        CheckConstraint("limit_micro > 0 AND limit_micro < 1000000", name="limit_is_a_price"),
        CheckConstraint("(rejection IS NOT NULL) = (state = 'not_filled')", name="refusal_named"),
        *flags("reduce_only"),
        refers("arb_id", "arbitrages.id"),
        Index("ix_intents_state", "state"),
        STRICT,
    )

    id: Key
    arb_id: String
    venue: String
    purpose: String
    sequence: Number
    action: String
    market: String
    token: String
    outcome: String
    size_micro: Micro
    limit_micro: Micro
    time_in_force: String
    reduce_only: Bool
    key: String
    identity: Json
    instrument: Json
    created_ms: Millis
    not_after_ms: Millis
    settings_version: Number
    epoch: Number
    state: String
    sent_ms: OptMillis = None
    answered_ms: OptMillis = None
    rejection: OptString = None
    detail: OptString = None
    order_id: OptString = None


class ObservationRow(Base, table=True):
    """One read that looked for an order; `found` is empty where the read failed."""

    __tablename__ = "observations"
    __table_args__ = (
        UniqueConstraint("intent_id", "source", "at_ms"),
        *flags("found"),
        refers("intent_id", "intents.id"),
        STRICT_SERIAL,
    )

    id: Serial = None
    intent_id: String
    source: String
    at_ms: Millis
    found: OptBool = None
    as_of_ms: OptMillis = None
    detail: String = ""


class FillRow(Base, table=True):
    """One trade of one order, keyed by the venue's trade id. Amounts never change; `state_ms` is
    when we learned the state it is in."""

    __tablename__ = "fills"
    __table_args__ = (
        one_of("venue", Venue),
        one_of("action", Action),
        one_of("state", FillState),
        CheckConstraint("size_micro > 0", name="size_positive"),
        *not_negative("notional_micro", "fee_micro"),
        refers("intent_id", "intents.id"),
        Index("ix_fills_intent_id", "intent_id"),
        Index("ix_fills_venue_state_ms", "venue", "state_ms"),
        Index(
            "ix_fills_provisional",
            "venue",
            sqlite_where=text("state = 'provisional'"),
            postgresql_where=text("state = 'provisional'"),
        ),
        STRICT,
    )

    venue: Key
    trade_id: Key
    intent_id: String
    action: String
    size_micro: Micro
    notional_micro: Micro
    fee_micro: Micro
    state: String
    at_ms: Millis
    state_ms: Millis


class PayoutRow(Base, table=True):
    """What one venue credited when the question resolved (micro-dollars)."""

    __tablename__ = "payouts"
    __table_args__ = (
        one_of("venue", Venue),
        *not_negative("amount_micro"),
        refers("arb_id", "arbitrages.id"),
        STRICT,
    )

    arb_id: Key
    venue: Key
    amount_micro: Micro
    at_ms: Millis
