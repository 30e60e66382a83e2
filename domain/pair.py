"""Two listings of the same question, one at each venue."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.venue import Venue


class Confidence(StrEnum):
    """How sure we are that both listings ask the same question."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"

    @property
    def needs_approval(self) -> bool:
        """Whether a pair is shown and never traded before a person has approved its markets."""
        return self is not Confidence.HIGH


@dataclass(frozen=True, slots=True)
class Pair:
    """A configured pair: YES of `condition_id` must mean YES of `ticker`.

    `confidence` is what the review record says; without a review it is LOW. `token_yes` and
    `token_no` are what may be bought at Polymarket: a pair that names none of a market's own
    tokens, or names them the other way round, is not traded.
    """

    pair_id: str
    title: str
    condition_id: str
    ticker: str
    confidence: Confidence = Confidence.LOW
    token_yes: str = ""
    token_no: str = ""

    @property
    def markets(self) -> Mapping[Venue, str]:
        """What it lists, by venue."""
        return {Venue.POLYMARKET: self.condition_id, Venue.KALSHI: self.ticker}
