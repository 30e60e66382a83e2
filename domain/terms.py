"""What a market asks and when it ends, in its venue's own words."""

from dataclasses import dataclass

from domain.venue import Venue

TITLE_MAX = 300
RULES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Terms:
    """The words and times of one market. `rules` says what it resolves by; `category` and `url`
    are "" where the venue names none.

    `closes_at_ms` is when trading ends and `settles_at_ms` when the venue expects to know the
    answer, wall-clock milliseconds; None where it says nothing. Either may come earlier.
    """

    venue: Venue
    market: str
    title: str
    rules: str
    category: str = ""
    url: str = ""
    closes_at_ms: int | None = None
    settles_at_ms: int | None = None


def bounded(text: str, most: int) -> str:
    """The text, cut where it is longer than anybody reads."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
