"""What the followed markets ask, in their venues' own words."""

from sqlalchemy import Index

from domain.venue import Venue
from store.tables.columns import STRICT, Base, Key, Millis, OptMillis, String, one_of


class TermsRow(Base, table=True):
    """One market of one venue as it was read last. Kept after it closes: positions outlive it."""

    __tablename__ = "market_terms"
    __table_args__ = (one_of("venue", Venue), Index("ix_market_terms_read", "read_ms"), STRICT)

    venue: Key
    market: Key
    title: String
    rules: String
    category: String
    url: String
    closes_ms: OptMillis
    settles_ms: OptMillis
    read_ms: Millis
