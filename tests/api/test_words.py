"""Beside a card: what both venues ask, the first close, the last settlement, what a year brings."""

from decimal import Decimal

import pytest

from api.words import Words, annualised, closed_ms, days_left, rules, settled_ms
from domain.terms import RULES_MAX, Terms, bounded
from domain.venue import Venue

HOUR, DAY = 3_600_000, 86_400_000
POLY = Terms(Venue.POLYMARKET, "0xaa", "Rain?", "Yes if it rains.", "", "https://x.example/a", DAY)
KALSHI = Terms(Venue.KALSHI, "RAIN", "Rain", "If it rains, Yes.", "Weather", "", 2 * DAY, 3 * DAY)
CARD = {
    "roi": "2.50",
    "legs": {"polymarket": {"market": "0xaa"}, "kalshi": {"market": "RAIN"}},
}


def test_a_card_closes_with_the_first_market_and_settles_with_the_last() -> None:
    words = Words()
    words.take([(1, POLY), (2, KALSHI)])
    card = words.beside(CARD, 0)
    assert card["expires_at"] == "1970-01-02T00:00:00.000Z"
    assert card["category"] == "Weather"
    assert card["annualised"] == "304.1"
    assert card["legs"]["polymarket"]["url"] == "https://x.example/a"
    assert card["legs"]["kalshi"]["url"] is None
    assert card["legs"]["kalshi"]["settles_at"] == "1970-01-04T00:00:00.000Z"
    assert words.after_ms == 2


def test_a_card_whose_venues_have_not_spoken_claims_no_end() -> None:
    card = Words().beside(CARD, 0)
    assert (card["expires_at"], card["annualised"], card["category"]) == (None, None, "")
    assert rules([POLY]) is None


def test_both_rule_texts_are_told_together() -> None:
    told = rules([POLY, KALSHI])
    assert told is not None
    assert (told["polymarket"]["text"], told["kalshi"]["text"]) == (POLY.rules, KALSHI.rules)


TABLE = """
    hours  days
    1      1
    24     1
    25     2
    -5     1
    720    30
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:])
def test_days_are_begun_days_and_never_none(row: str) -> None:
    hours, days = (int(cell) for cell in row.split())
    assert days_left(hours * HOUR, 0) == days


def test_only_a_gain_with_an_end_is_annualised() -> None:
    assert annualised(Decimal("1"), 365) == "1"
    assert annualised(Decimal("1"), None) is None
    assert annualised(Decimal("-1"), 3) is None
    assert annualised(Decimal("0.5"), 7) == "26"


def test_ends_that_nobody_names_are_unknown() -> None:
    silent = Terms(Venue.KALSHI, "X", "", "")
    assert (closed_ms([silent]), settled_ms([silent]), days_left(None, 0)) == (None, None, None)
    assert (closed_ms([silent, POLY]), settled_ms([silent, POLY])) == (DAY, DAY)


def test_a_text_beyond_all_reason_is_cut() -> None:
    assert len(bounded("x" * (RULES_MAX + 9), RULES_MAX)) == RULES_MAX
    assert bounded("short", RULES_MAX) == "short"
