"""The words of a market and of its event. Pure; what is not as documented raises Malformed."""

from domain.terms import RULES_MAX, TITLE_MAX, Terms, bounded
from domain.venue import Venue
from venues.strict_json import Node

SITE = "https://kalshi.com/markets"
SETTLES = ("expected_expiration_time", "latest_expiration_time")


def event_of(body: Node) -> str:
    """The event that a market of GET /markets/{ticker} belongs to."""
    return body.at("market").at("event_ticker").text()


def terms(body: Node, event: Node) -> Terms:
    """GET /markets/{ticker} and GET /events/{event_ticker}."""
    row, parent = body.at("market"), event.at("event")
    asked, answer = _text(parent, "title") or _text(row, "title"), _text(row, "yes_sub_title")
    title = f"{asked}: {answer}" if answer and answer not in asked else asked
    rules = [_text(row, name) for name in ("rules_primary", "rules_secondary")]
    times = [found for name in SETTLES if (found := _time(row, name)) is not None]
    return Terms(
        venue=Venue.KALSHI,
        market=row.at("ticker").text(),
        title=bounded(title, TITLE_MAX),
        rules=bounded("\n\n".join(part for part in rules if part), RULES_MAX),
        category=bounded(_text(parent, "category"), TITLE_MAX),
        url=_url(parent.at("series_ticker").text()),
        closes_at_ms=_time(row, "close_time"),
        settles_at_ms=times[0] if times else None,
    )


def _url(series: str) -> str:
    return f"{SITE}/{series.lower()}" if series.replace("-", "").isalnum() else ""


def _text(row: Node, name: str) -> str:
    found = row.get(name)
    return found.any_text().strip() if found else ""


def _time(row: Node, name: str) -> int | None:
    found = row.get(name)
    return found.time_ms() if found and found.any_text() else None
