"""What comparisons with the venues found, and what a person has accepted as known."""

from sqlalchemy import CheckConstraint

from domain.venue import Venue
from store.tables.columns import (
    STRICT,
    Base,
    Bool,
    Key,
    KeyNumber,
    Micro,
    Millis,
    OptMillis,
    OptString,
    String,
    flags,
    one_of,
)


class ReconciliationRow(Base, table=True):
    """How the comparison stands, one row. `first_ms` is the start of the first report of all: what
    strangers did before is no business of ours. `whole_ms` is the start of the last report in which
    everything could be read, `clean_ms` of the last one that found nothing.

    `restored` says that the journal is older than what it once was: no entry leaves before the
    venues were read and a person confirmed.
    """

    __tablename__ = "reconciliation"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        *flags("restored"),
        STRICT,
    )

    id: KeyNumber = 1
    first_ms: OptMillis = None
    whole_ms: OptMillis = None
    clean_ms: OptMillis = None
    rejected: OptString = None
    restored: Bool = False
    restored_ms: OptMillis = None
    restored_why: OptString = None


class KnownDifferenceRow(Base, table=True):
    """Something on an account that is not ours: there before the first report, or accepted by a
    person. `micro` is the offset of a position (contracts) or of cash (dollars), in millionths."""

    __tablename__ = "known_differences"
    __table_args__ = (one_of("venue", Venue), STRICT)

    key: Key
    venue: String
    micro: Micro
    detail: String
    at_ms: Millis
    accepted_by: String
