"""The journal as it began: control, trading, risk, notices, and the seed's trade log."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ddl import (
    check,
    fixed,
    flags,
    forbid,
    index_where,
    int64s,
    known,
    not_negative,
    primary,
    reals,
    refers,
    serial,
    table,
    texts,
    unique,
    whole,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit", "events", "observations", "settings_history")
NEVER_REMOVED = (
    "arbitrages intents fills payouts reservations alarms executor_trades executor_positions"
).split()
ORDER_FIELDS = (
    "arb_id venue purpose sequence action market token outcome size_micro limit_micro "
    "time_in_force reduce_only key identity instrument created_ms not_after_ms"
).split()


def upgrade() -> None:
    """Create every table, its indexes and the triggers that keep the journal append-only."""
    _settings()
    _run_state()
    _arbitrages()
    _events()
    _intents()
    _fills()
    _risk()
    _notices()
    _trade_log()
    for name in APPEND_ONLY:
        forbid(name, "UPDATE", "DELETE")
    for name in NEVER_REMOVED:
        forbid(name, "DELETE")
    fixed("fills", "intent_id", "action", "size_micro", "notional_micro", "fee_micro")
    fixed("intents", *ORDER_FIELDS)
    installation = sa.table("installation", sa.column("key"), sa.column("value"))
    op.execute(installation.insert().values(key="product", value="lockstep"))


def _settings() -> None:
    table(
        "installation",
        *texts("key value"),
        primary("installation", "key"),
    )
    table(
        "settings_history",
        *int64s("version at_ms"),
        *texts("actor origin changes settings"),
        primary("settings_history", "version"),
    )
    table(
        "executor_settings",
        *int64s(
            "id enabled min_bet_micro max_bet_micro min_roi_micro max_roi_micro "
            "max_daily_trades max_daily_loss_micro"
        ),
        *texts("updated_at"),
        *int64s("version"),
        *texts("updated_by origin"),
        *reals("min_bet max_bet min_roi max_roi max_daily_loss"),
        primary("executor_settings", "id"),
        check("executor_settings", "bets_ordered", "max_bet_micro >= min_bet_micro"),
        check("executor_settings", "min_bet_positive", "min_bet_micro > 0"),
        check("executor_settings", "rois_ordered", "max_roi_micro >= min_roi_micro"),
        check("executor_settings", "single_row", "id = 1"),
        *not_negative("executor_settings", "max_daily_loss_micro max_daily_trades min_roi_micro"),
        *flags("executor_settings", "enabled"),
    )


def _run_state() -> None:
    table(
        "run_state",
        *int64s("id epoch halted"),
        *texts("halted_reason halted_by", null=True),
        *int64s("halted_since_ms", null=True),
        primary("run_state", "id"),
        check(
            "run_state",
            "halt_explained",
            "halted = 0 OR (halted_reason IS NOT NULL AND halted_since_ms IS NOT NULL)",
        ),
        check("run_state", "single_row", "id = 1"),
        *flags("run_state", "halted"),
    )
    table(
        "audit",
        serial(),
        *int64s("at_ms"),
        *texts("actor origin action subject detail previous_hash hash"),
    )


def _arbitrages() -> None:
    table(
        "arbitrages",
        *texts("id pair_id title mode direction phase"),
        *texts("status", null=True),
        *int64s("settings_version size_micro outlay_micro profit_micro"),
        *texts("opportunity"),
        *texts("reason detail", null=True),
        *int64s("opened_ms updated_ms"),
        *int64s("closed_ms realised_micro", null=True),
        *int64s("revision"),
        primary("arbitrages", "id"),
        check(
            "arbitrages",
            "closed_when_ended",
            "(closed_ms IS NOT NULL) = (phase IN ('REFUSED', 'FLAT', 'SETTLED'))",
        ),
        known("arbitrages", "direction", "yes no"),
        known("arbitrages", "mode", "sim paper live"),
        known(
            "arbitrages",
            "phase",
            "RESERVING PLACING RESOLVING UNWINDING HOLDING CLOSING SETTLING NEEDS_OPERATOR "
            "REFUSED FLAT SETTLED",
        ),
        known("arbitrages", "status", "SUCCESS FAILED ROLLED_BACK PARTIAL ROLLBACK_FAILED"),
        refers("arbitrages", "settings_version", "settings_history.version"),
        *not_negative("arbitrages", "outlay_micro revision size_micro"),
    )
    op.create_index("ix_arbitrages_pair_closed", "arbitrages", ["mode", "pair_id", "closed_ms"])
    op.create_index("ix_arbitrages_phase", "arbitrages", ["phase"])
    index_where(
        "uq_arbitrages_open_pair",
        "arbitrages",
        "mode",
        "pair_id",
        where="closed_ms IS NULL",
        unique=True,
    )


def _events() -> None:
    table(
        "events",
        *texts("arb_id"),
        *int64s("revision at_ms"),
        *texts("kind detail"),
        primary("events", "arb_id", "revision"),
        refers("events", "arb_id", "arbitrages.id"),
    )


def _intents() -> None:
    table(
        "intents",
        *texts("id arb_id venue purpose"),
        *int64s("sequence"),
        *texts("action market token outcome"),
        *int64s("size_micro limit_micro"),
        *texts("time_in_force"),
        *int64s("reduce_only"),
        *texts("key identity instrument"),
        *int64s("created_ms not_after_ms settings_version epoch"),
        *texts("state"),
        *int64s("sent_ms answered_ms", null=True),
        *texts("rejection detail order_id", null=True),
        primary("intents", "id"),
        known("intents", "action", "buy sell"),
        check("intents", "limit_is_a_price", "limit_micro > 0 AND limit_micro < 1000000"),
        known("intents", "outcome", "yes no"),
        known("intents", "purpose", "entry unwind close complete"),
        check("intents", "refusal_named", "(rejection IS NOT NULL) = (state = 'not_filled')"),
        check("intents", "size_positive", "size_micro > 0"),
        known("intents", "state", "planned sent unknown filled not_filled"),
        known("intents", "time_in_force", "fill_or_kill immediate_or_cancel"),
        known("intents", "venue", "polymarket kalshi"),
        refers("intents", "arb_id", "arbitrages.id"),
        unique("intents", "arb_id", "venue", "purpose", "sequence"),
        unique("intents", "venue", "key"),
        *flags("intents", "reduce_only"),
    )
    op.create_index("ix_intents_state", "intents", ["state"])


def _fills() -> None:
    table(
        "observations",
        serial(),
        *texts("intent_id source"),
        *int64s("at_ms"),
        *int64s("found as_of_ms", null=True),
        *texts("detail"),
        refers("observations", "intent_id", "intents.id"),
        unique("observations", "intent_id", "source", "at_ms"),
        *flags("observations", "found"),
    )
    table(
        "fills",
        *texts("venue trade_id intent_id action"),
        *int64s("size_micro notional_micro fee_micro"),
        *texts("state"),
        *int64s("at_ms state_ms"),
        primary("fills", "venue", "trade_id"),
        known("fills", "action", "buy sell"),
        check("fills", "size_positive", "size_micro > 0"),
        known("fills", "state", "provisional confirmed voided"),
        known("fills", "venue", "polymarket kalshi"),
        refers("fills", "intent_id", "intents.id"),
        *not_negative("fills", "fee_micro notional_micro"),
    )
    op.create_index("ix_fills_intent_id", "fills", ["intent_id"])
    op.create_index("ix_fills_venue_state_ms", "fills", ["venue", "state_ms"])
    index_where("ix_fills_provisional", "fills", "venue", where="state = 'provisional'")
    table(
        "payouts",
        *texts("arb_id venue"),
        *int64s("amount_micro at_ms"),
        primary("payouts", "arb_id", "venue"),
        refers("payouts", "arb_id", "arbitrages.id"),
        known("payouts", "venue", "polymarket kalshi"),
        *not_negative("payouts", "amount_micro"),
    )


def _risk() -> None:
    table(
        "reservations",
        *texts("arb_id mode day"),
        *int64s("worst_loss_micro polymarket_outlay_micro kalshi_outlay_micro"),
        *texts("state"),
        *int64s("held_ms"),
        *int64s("ended_ms", null=True),
        primary("reservations", "arb_id"),
        check("reservations", "ended_when_not_held", "(ended_ms IS NULL) = (state = 'held')"),
        known("reservations", "mode", "sim paper live"),
        known("reservations", "state", "held settled released"),
        refers("reservations", "arb_id", "arbitrages.id"),
        *not_negative(
            "reservations", "kalshi_outlay_micro polymarket_outlay_micro worst_loss_micro"
        ),
    )
    op.create_index("ix_reservations_ended", "reservations", ["mode", "ended_ms"])
    table(
        "risk_days",
        *texts("mode day"),
        *int64s("trades reserved_loss_micro realised_loss_micro"),
        primary("risk_days", "mode", "day"),
        known("risk_days", "mode", "sim paper live"),
        *not_negative("risk_days", "realised_loss_micro reserved_loss_micro trades"),
    )
    table(
        "venue_balances",
        *texts("venue mode"),
        *int64s("cash_micro as_of_ms"),
        primary("venue_balances", "venue", "mode"),
        known("venue_balances", "mode", "sim paper live"),
        known("venue_balances", "venue", "polymarket kalshi"),
    )


def _notices() -> None:
    table(
        "alarms",
        serial(),
        *texts("key code severity"),
        *texts("arb_id", null=True),
        *texts("detail"),
        *int64s("opened_ms repeated_ms repeats"),
        *int64s("acknowledged_ms", null=True),
        *texts("acknowledged_by", null=True),
        *int64s("closed_ms", null=True),
        *texts("evidence", null=True),
        known("alarms", "severity", "amber red"),
        *not_negative("alarms", "repeats"),
    )
    index_where("uq_alarms_open_key", "alarms", "key", where="closed_ms IS NULL", unique=True)
    table(
        "outbox",
        serial(),
        *texts("dedupe_key topic payload"),
        *int64s("created_ms due_ms attempts"),
        *int64s("sent_ms", null=True),
        *texts("last_error", null=True),
        unique("outbox", "dedupe_key"),
        *not_negative("outbox", "attempts"),
    )
    op.create_index("ix_outbox_due", "outbox", ["sent_ms", "due_ms"])


def _trade_log() -> None:
    table(
        "executor_trades",
        serial(),
        *texts("timestamp event_title status"),
        *int64s("bet_size_micro pnl_micro"),
        *int64s("roi_micro", null=True),
        *texts("poly_order_id kalshi_order_id", null=True),
        *texts("details arb_id mode"),
        *int64s("final"),
        *reals("bet_size pnl roi"),
        known("executor_trades", "mode", "sim paper live"),
        known("executor_trades", "status", "SUCCESS FAILED ROLLED_BACK PARTIAL ROLLBACK_FAILED"),
        refers("executor_trades", "arb_id", "arbitrages.id"),
        unique("executor_trades", "arb_id"),
        *not_negative("executor_trades", "bet_size_micro"),
        *flags("executor_trades", "final"),
    )
    op.create_index("idx_trades_timestamp", "executor_trades", ["timestamp"])
    table(
        "executor_positions",
        serial(),
        *texts("event_key event_title opened_at poly_side"),
        *int64s("poly_price_micro poly_size_micro"),
        *texts("kalshi_side"),
        *int64s("kalshi_price_micro kalshi_size_micro"),
        *texts("status"),
        *texts("closed_at", null=True),
        *texts("pair_id mode"),
        *reals("poly_price kalshi_price"),
        whole("poly_contracts", "poly_size_micro"),
        whole("kalshi_contracts", "kalshi_size_micro"),
        known("executor_positions", "kalshi_side", "yes no"),
        known("executor_positions", "mode", "sim paper live"),
        known("executor_positions", "poly_side", "yes no"),
        known("executor_positions", "status", "open closed expired"),
        refers("executor_positions", "event_key", "arbitrages.id"),
        unique("executor_positions", "event_key"),
        *not_negative(
            "executor_positions",
            "kalshi_price_micro kalshi_size_micro poly_price_micro poly_size_micro",
        ),
    )
    op.create_index("idx_positions_status", "executor_positions", ["status"])
