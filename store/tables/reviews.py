"""What a person said of a pair last."""

from store.states import ReviewVerdict
from store.tables.columns import STRICT, Base, Key, Millis, String, one_of


class PairReviewRow(Base, table=True):
    """The last word on one pair; all words before it are in the audit trail. `polymarket` and
    `kalshi` are the markets that were compared."""

    __tablename__ = "pair_reviews"
    __table_args__ = (one_of("verdict", ReviewVerdict), STRICT)

    pair_id: Key
    verdict: String
    polymarket: String
    kalshi: String
    actor: String
    origin: String
    why: String
    at_ms: Millis
