"""What the executors' scanners see: the last look at every pair, and counts per minute."""

from sqlalchemy import Index

from store.tables.columns import STRICT, Base, Json, Key, KeyNumber, Millis, String


class SightingRow(Base, table=True):
    """The last look at one pair, as the executor that follows it tells it."""

    __tablename__ = "sightings"
    __table_args__ = (Index("ix_sightings_at", "at_ms"), STRICT)

    pair_id: Key
    executor: String
    at_ms: Millis
    sighting: Json


class ScanMinuteRow(Base, table=True):
    """What one executor counted in one minute: verdicts by reason, opportunities, starts."""

    __tablename__ = "scan_minutes"
    __table_args__ = (Index("ix_scan_minutes_minute", "minute_ms"), STRICT)

    executor: Key
    minute_ms: KeyNumber
    counts: Json
