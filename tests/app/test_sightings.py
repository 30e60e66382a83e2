"""What a card says of a pair that a person has looked at, or nobody has."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from temporalio.client import Client

from app.config import ConfiguredPair
from app.intake import Intake
from app.sightings import PAIRS_AT_ONCE, Lookout
from domain.policy import Bounds, Refusal, Timing
from domain.venue import Mode, Outcome, Venue
from markets.pairs import ListedPair
from store.audit import Act
from store.reviews import Review
from store.states import ReviewVerdict
from tests.domain.build import PAIR
from tests.domain.tables import rows
from tests.markets.test_scanner import Desk, desk
from tests.markets.venue import LocalVenue

AT_MS = 1_790_000_000_000
# What the configuration calls the pair, what a person said last and of which markets; what the
# card says, and whether its evidence counts for it (yes), against it (no) or neither (-).
CARDS = """
    configured  said      of      confidence  counts  evidence
    high        -         -       HIGH        yes     calls_this_pair_certain
    medium      -         -       MEDIUM      -       no_difference_was_found
    low         -         -       LOW         -       merely_look_alike
    low         approved  these   HIGH        yes     approved_this_pair:_ada
    low         approved  others  LOW         -       merely_look_alike
    low         rejected  these   LOW         no      ada_rejected_it
    high        rejected  these   LOW         no      ada_rejected_it
    high        rejected  others  LOW         no      ada_rejected_it
    reviewed    rejected  these   LOW         no      ada_rejected_it
"""
COUNTS = {"yes": True, "no": False, "-": None}


@dataclass(frozen=True, slots=True)
class Shown:
    """A card and what stands behind it."""

    card: dict[str, Any]
    evidence: list[dict[str, Any]]


async def shown(client: Client, configured: str, review: Review | None) -> Shown:
    """What pages are told of the pair once both of its books were read."""
    venues = {venue: LocalVenue(venue) for venue in Venue}
    async with desk(venues) as made:
        await made.quote(Venue.POLYMARKET, Outcome.YES, "0.40")
        await made.quote(Venue.KALSHI, Outcome.NO, "0.50")
        sighting = lookout(made, client, configured, review).changed(AT_MS)[PAIR.pair_id]
    card, detail = sighting["card"], sighting["detail"]
    assert isinstance(card, dict)
    assert isinstance(detail, dict)
    return Shown(card, detail["evidence"])


def lookout(made: Desk, client: Client, configured: str, review: Review | None) -> Lookout:
    said = ConfiguredPair.model_validate(
        {
            "id": PAIR.pair_id,
            "title": PAIR.title,
            "polymarket": {"condition_id": f"0x{1:064}", "token_yes": "1", "token_no": "2"},
            "kalshi": {"ticker": PAIR.ticker},
            "confidence": configured,
        }
    )
    pair = replace(PAIR, confidence=said.to_domain().confidence)
    listed = {pair.pair_id: replace(made.listed[pair.pair_id], pair=pair)}
    intake = Intake(client, "nobody", Mode.SIM, Bounds(), Timing())
    intake.advice.pairs, intake.advice.stopped = {pair.pair_id: pair}, None
    intake.advice.reviews = {} if review is None else {pair.pair_id: review}
    return Lookout([said], lambda: listed, made.books, made.scanner, intake, lambda: AT_MS)


@pytest.mark.parametrize(
    ("configured", "said", "of", "confidence", "counts", "evidence"), rows(CARDS)
)
async def test_a_card_says_what_a_person_said_last(
    configured: str,
    said: str,
    of: str,
    confidence: str,
    counts: str,
    evidence: str,
    temporal_client: Client,
) -> None:
    review = None
    if said != "-":
        markets = PAIR.markets if of == "these" else {**PAIR.markets, Venue.KALSHI: "KXOTHER"}
        act = Act("ada", "cli", AT_MS)
        review = Review(PAIR.pair_id, ReviewVerdict(said), markets, "the deadlines differ", act)
    seen = await shown(temporal_client, configured, review)
    assert seen.card["confidence"] == confidence
    (line,) = seen.evidence
    assert line["known"] is COUNTS[counts]
    assert evidence.replace("_", " ") in line["text"]
    assert ("the deadlines differ" in line["text"]) == (evidence.startswith(("ada", "approved")))


async def test_what_is_held_is_told_with_bids_and_the_time_of_each_book(
    temporal_client: Client,
) -> None:
    venues = {venue: LocalVenue(venue) for venue in Venue}
    async with desk(venues) as made:
        await made.quote(Venue.POLYMARKET, Outcome.YES, "0.40", age_ms=700)
        await made.quote(Venue.KALSHI, Outcome.NO, "0.50")
        seen = lookout(made, temporal_client, "high", None)
        assert seen.changed(AT_MS)[PAIR.pair_id]["bids_ms"] == {}
        seen._intake.advice.taken = {PAIR.pair_id: Refusal.PAIR_ALREADY_OPEN}
        told: dict[str, Any] = seen.changed(AT_MS)[PAIR.pair_id]
        polymarket = made.rule(Venue.POLYMARKET, Outcome.YES).token
        kalshi = made.rule(Venue.KALSHI, Outcome.NO).token
    assert set(told["bids"]) == set(told["bids_ms"]) == {polymarket, kalshi}
    assert AT_MS - 5_000 < told["bids_ms"][polymarket] <= AT_MS - 700
    assert told["bids_ms"][polymarket] < told["bids_ms"][kalshi] <= AT_MS


async def test_what_is_held_does_not_wait_for_its_turn(temporal_client: Client) -> None:
    """Of more pairs than are told at once, all of which change all the time."""
    venues = {venue: LocalVenue(venue) for venue in Venue}
    async with desk(venues) as made:
        one = made.listed[PAIR.pair_id]
        pairs = {
            f"p{n}": replace(one, pair=replace(one.pair, pair_id=f"p{n}"))
            for n in range(3 * PAIRS_AT_ONCE)
        }
        seen = Changing(
            [], lambda: pairs, made.books, made.scanner,
            Intake(temporal_client, "nobody", Mode.SIM, Bounds(), Timing()), lambda: AT_MS,
        )  # fmt: skip
        held = set(list(pairs)[-2:])
        seen._intake.advice.taken = dict.fromkeys(held, Refusal.PAIR_ALREADY_OPEN)
        looks = [set(seen.changed(AT_MS)) for _ in range(3)]
    assert all(held < look for look in looks)
    assert all(len(look - held) == PAIRS_AT_ONCE for look in looks)
    assert set.union(*looks) == set(pairs)


class Changing(Lookout):
    """Sees something else of each pair whenever it looks."""

    looks = 0

    def _sighting(self, listed: ListedPair, now_ms: int) -> dict[str, Any] | None:
        self.looks += 1
        return {"look": self.looks, "pair": listed.pair.pair_id, "at": now_ms}
