"""Every table of the journal, by its row class."""

from store.tables.access import CommandResultRow, CredentialRow
from store.tables.columns import Base
from store.tables.control import (
    AuditRow,
    InstallationRow,
    RunStateRow,
    SettingsHistoryRow,
    SettingsRow,
)
from store.tables.lease import SenderLeaseRow
from store.tables.notices import (
    AlarmRow,
    ChatMessageRow,
    ChatRow,
    ChatToneRow,
    DeliveryRow,
    OutboxRow,
)
from store.tables.presence import ExecutorRow
from store.tables.reconciliation import KnownDifferenceRow, ReconciliationRow
from store.tables.reviews import PairReviewRow
from store.tables.risk import ReservationRow, RiskDayRow, VenueBalanceRow
from store.tables.sightings import ScanMinuteRow, SightingRow
from store.tables.terms import TermsRow
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
    "ChatMessageRow",
    "ChatRow",
    "ChatToneRow",
    "CommandResultRow",
    "CredentialRow",
    "DeliveryRow",
    "EventRow",
    "ExecutorRow",
    "FillRow",
    "InstallationRow",
    "IntentRow",
    "KnownDifferenceRow",
    "ObservationRow",
    "OutboxRow",
    "PairReviewRow",
    "PayoutRow",
    "PositionRow",
    "ReconciliationRow",
    "ReservationRow",
    "RiskDayRow",
    "RunStateRow",
    "ScanMinuteRow",
    "SenderLeaseRow",
    "SettingsHistoryRow",
    "SettingsRow",
    "SightingRow",
    "TermsRow",
    "TradeRow",
    "VenueBalanceRow",
]
