"""Every table of the journal, by its row class."""

from store.tables.columns import Base
from store.tables.control import (
    AuditRow,
    InstallationRow,
    RunStateRow,
    SettingsHistoryRow,
    SettingsRow,
)
from store.tables.notices import AlarmRow, OutboxRow
from store.tables.presence import ExecutorRow
from store.tables.risk import ReservationRow, RiskDayRow, VenueBalanceRow
from store.tables.trade_log import PositionRow, TradeRow
from store.tables.trading import (
    ArbitrageRow,
    EventRow,
    FillRow,
    IntentRow,
    ObservationRow,
    PayoutRow,
)

__all__ = [
    "AlarmRow",
    "ArbitrageRow",
    "AuditRow",
    "Base",
    "EventRow",
    "ExecutorRow",
    "FillRow",
    "InstallationRow",
    "IntentRow",
    "ObservationRow",
    "OutboxRow",
    "PayoutRow",
    "PositionRow",
    "ReservationRow",
    "RiskDayRow",
    "RunStateRow",
    "SettingsHistoryRow",
    "SettingsRow",
    "TradeRow",
    "VenueBalanceRow",
]
