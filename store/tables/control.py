"""Who may trade what: the settings with their history, the run state, the audit trail."""

from sqlalchemy import CheckConstraint

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
    OptMillis,
    OptString,
    Serial,
    String,
    flags,
    not_negative,
)


class InstallationRow(Base, table=True):
    """Facts about this database, by name; `product` tells it from a foreign one."""

    __tablename__ = "installation"
    __table_args__ = (STRICT,)

    key: Key
    value: String


class SettingsRow(Base, table=True):
    """The settings in force, one row. Bets and losses are micro-dollars, ROIs micro-percent.

    The seed's REAL columns (min_bet, max_bet, min_roi, max_roi, max_daily_loss) are generated
    from these in the database and are not mapped, so that nothing here can write them.
    """

    __tablename__ = "executor_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        CheckConstraint("min_bet_micro > 0", name="min_bet_positive"),
        CheckConstraint("max_bet_micro >= min_bet_micro", name="bets_ordered"),
        CheckConstraint("max_roi_micro >= min_roi_micro", name="rois_ordered"),
        *not_negative("min_roi_micro", "max_daily_trades", "max_daily_loss_micro"),
        *flags("enabled"),
        STRICT,
    )

    id: KeyNumber = 1
    enabled: Bool
    min_bet_micro: Micro
    max_bet_micro: Micro
    min_roi_micro: Micro
    max_roi_micro: Micro
    max_daily_trades: Number
    max_daily_loss_micro: Micro
    updated_at: String
    version: Number
    updated_by: String
    origin: String


class SettingsHistoryRow(Base, table=True):
    """One saved version: `settings` all values, `changes` {field: [before, after]}, as strings."""

    __tablename__ = "settings_history"
    __table_args__ = (STRICT,)

    version: KeyNumber
    at_ms: Millis
    actor: String
    origin: String
    changes: Json
    settings: Json


class RunStateRow(Base, table=True):
    """Whether entries may leave. `epoch` grows with every disable and every halt: an entry that
    was admitted under an older epoch is not sent."""

    __tablename__ = "run_state"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        *flags("halted"),
        CheckConstraint(
            "halted = 0 OR (halted_reason IS NOT NULL AND halted_since_ms IS NOT NULL)",
            name="halt_explained",
        ),
        STRICT,
    )

    id: KeyNumber = 1
    epoch: Number
    halted: Bool
    halted_reason: OptString = None
    halted_by: OptString = None
    halted_since_ms: OptMillis = None


class AuditRow(Base, table=True):
    """Who did what from where. Append-only by trigger; each row seals the one before it."""

    __tablename__ = "audit"
    __table_args__ = (STRICT_SERIAL,)

    id: Serial = None
    at_ms: Millis
    actor: String
    origin: String
    action: String
    subject: String
    detail: Json
    previous_hash: String
    hash: String
