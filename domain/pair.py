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


@dataclass(frozen=True, slots=True)
class Pair:
    """A configured pair: YES of `condition_id` must mean YES of `ticker`.

    `confidence` is what the review record says; without a review it is LOW.
    """

    pair_id: str
    title: str
    condition_id: str
    ticker: str
    confidence: Confidence = Confidence.LOW

    @property
    def markets(self) -> Mapping[Venue, str]:
        """What it lists, by venue."""
        return {Venue.POLYMARKET: self.condition_id, Venue.KALSHI: self.ticker}
