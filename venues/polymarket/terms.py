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
    slug, rules = _text(row, "slug"), _text(row, "description")
    return Terms(
        venue=Venue.POLYMARKET,
        market=condition,
        title=bounded(_text(row, "question"), TITLE_MAX),
        rules=bounded("\n\n".join(filter(None, (_outcomes(row), rules))), RULES_MAX),
        url=f"{SITE}/{slug}" if SLUG.fullmatch(slug) else "",
        closes_at_ms=_time(row, "endDate"),
    )


def _outcomes(row: Node) -> str:
    """What YES and NO pay on, where the market calls its outcomes by other names: two teams, say.
    A pair whose YES is the other team shows here."""
    first, second = read(row.at("outcomes").text(), root="outcomes").pair()
    names = first.text(), second.text()
    if names == ("Yes", "No"):
        return ""
    yes, no = (bounded(name, TITLE_MAX) for name in names)
    return f'Here YES pays on "{yes}", NO pays on "{no}".'


def _text(row: Node, name: str) -> str:
    found = row.get(name)
    return found.any_text().strip() if found else ""


def _time(row: Node, name: str) -> int | None:
    found = row.get(name)
    return found.time_ms() if found and found.any_text() else None
