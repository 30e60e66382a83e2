"""Which pairs an executor starts nothing of, by what is known of them."""

import pytest

from app.intake import Advice
from domain.pair import Confidence, Pair
from domain.policy import Refusal
from domain.venue import Venue
from store.audit import Act
from store.reviews import Review
from store.states import ReviewVerdict
from tests.domain.tables import rows

# What the configuration says of a pair, what a person said last, of which markets, and whether the
# pair is open already.
ADVICE = """
    confidence  said      of      open  refused
    high        -         -       no    -
    medium      -         -       no    pair_not_reviewed
    low         -         -       no    pair_not_reviewed
    low         approved  these   no    -
    low         approved  others  no    pair_not_reviewed
    high        approved  others  no    -
    high        rejected  these   no    pair_rejected
    high        rejected  others  no    pair_rejected
    low         rejected  these   no    pair_rejected
    high        -         -       yes   pair_already_open
    low         -         -       yes   pair_already_open
"""


@pytest.mark.parametrize(("confidence", "said", "of", "is_open", "refused"), rows(ADVICE))
def test_only_what_is_known_to_match_is_traded(
    confidence: str, said: str, of: str, is_open: str, refused: str
) -> None:
    pair = Pair("final", "The final", "0xabc", "KXFINAL", Confidence(confidence.upper()))
    advice = Advice(pairs={"final": pair}, stopped=None)
    if is_open == "yes":
        advice.taken = {"final": Refusal.PAIR_ALREADY_OPEN}
    if said != "-":
        markets = pair.markets if of == "these" else {**pair.markets, Venue.KALSHI: "KXOTHER"}
        word = Review("final", ReviewVerdict(said), markets, "compared", Act("ada", "cli", 1))
        advice.reviews = {"final": word}
    assert (advice.refusal("final") or "-") == refused
