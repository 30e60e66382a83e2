"""A person's word on a pair: both listings ask the same, or they do not. It needs the journal only.

A rejection holds once it is written: the gate reads it in the transaction that admits a trade. An
approval is what executors wait for before they start anything of a pair: they read it four times a
second, and until then the pair stays untraded.
"""

from app.config import Config
from app.errors import UsageError
from app.operating import markets
from app.operating.office import act, opened
from app.operating.outputs_markets import PairReviewed
from domain.venue import Venue
from store import reviews
from store.reviews import Review
from store.states import ReviewVerdict

WHY_MAX = 2_000


async def review(config: Config, name: str, verdict: ReviewVerdict, why: str) -> PairReviewed:
    """Keep the word and audit it. UsageError for a pair that nobody knows or without a reason."""
    said = why.strip()
    if not 1 <= len(said) <= WHY_MAX:
        raise UsageError(
            f"--why: expected what was compared, at most {WHY_MAX} letters, found {len(said)}"
        )
    shown = await markets.pair(config, name)
    asked = {Venue(venue): market for venue, market in shown.pair.markets.items()}
    if len(asked) != len(Venue):
        raise UsageError(f"ID: {name} has no market at both venues yet, so nothing can be compared")
    word = Review(name, verdict, asked, said, act())
    async with opened(config) as journal:
        await journal.write(word.act.at_ms, lambda session: reviews.say(session, word))
    return PairReviewed(
        action="approve" if verdict is ReviewVerdict.APPROVED else "reject",
        id=name,
        title=shown.pair.title,
        before=shown.review,
        now=markets.review_shown(word, asked),
    )
