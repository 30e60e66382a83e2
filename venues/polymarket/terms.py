"""The words of a market, as Gamma tells them. Pure; what is not as documented raises Malformed."""

import re

from domain.terms import RULES_MAX, TITLE_MAX, Terms, bounded
from domain.venue import Venue
from venues.strict_json import Node
from venues.strict_json import parse as read

SITE = "https://polymarket.com/market"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,200}")


def terms(body: bytes, condition: str) -> Terms | None:
    """The market with this condition id in GET /markets/keyset; None where it is not listed.

    Gamma names when a market ends, not when its oracle will have spoken.
    """
    for row in read(body, root="page").at("markets").items():
        if row.at("conditionId").text() == condition:
            return _terms(row, condition)
    return None


def _terms(row: Node, condition: str) -> Terms:
    slug = _text(row, "slug")
    return Terms(
        venue=Venue.POLYMARKET,
        market=condition,
        title=bounded(_text(row, "question"), TITLE_MAX),
        rules=bounded(_text(row, "description"), RULES_MAX),
        url=f"{SITE}/{slug}" if SLUG.fullmatch(slug) else "",
        closes_at_ms=_time(row, "endDate"),
    )


def _text(row: Node, name: str) -> str:
    found = row.get(name)
    return found.any_text().strip() if found else ""


def _time(row: Node, name: str) -> int | None:
    found = row.get(name)
    return found.time_ms() if found and found.any_text() else None
