"""Which process sends orders for an account, and until when."""

from domain.venue import Venue
from store.tables.columns import STRICT, Base, Key, Millis, Number, String, not_negative, one_of


class SenderLeaseRow(Base, table=True):
    """One venue account. `epoch` grows with every change of hands and never falls."""

    __tablename__ = "sender_leases"
    __table_args__ = (one_of("venue", Venue), *not_negative("epoch"), STRICT)

    account: Key
    venue: String
    holder: String
    epoch: Number
    since_ms: Millis
    expires_ms: Millis
