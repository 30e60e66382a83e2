"""What both markets of a pair ask and when they end: the venues' words beside our cards."""

from collections.abc import Iterable
from decimal import Decimal

from api.wire import Json, iso, text
from domain.money import ZERO, floor_to
from domain.terms import Terms
from domain.venue import Venue

DAY_MS = 86_400_000
DAYS_A_YEAR = 365
TENTH = Decimal("0.1")


class Words:
    """The terms of every followed market, as they were written down last."""

    def __init__(self) -> None:
        self.after_ms = 0
        self._known: dict[tuple[str, str], Terms] = {}

    def take(self, found: Iterable[tuple[int, Terms]]) -> None:
        """Newer terms, each with when it was written."""
        for read_ms, terms in found:
            self._known[terms.venue.value, terms.market] = terms
            self.after_ms = max(self.after_ms, read_ms)

    def beside(self, card: Json, now_ms: int) -> Json:
        """The card with the venues' titles, links and times; without what no venue has said."""
        legs, terms = {}, []
        for venue, leg in card["legs"].items():
            known = self._known.get((venue, leg["market"]))
            legs[venue] = leg | (_leg(known) if known else {})
            terms += [known] if known else []
        days = days_left(settled_ms(terms), now_ms)
        return card | {
            "legs": legs,
            "category": next((one.category for one in terms if one.category), ""),
            "expires_at": iso(closed_ms(terms)),
            "annualised": annualised(Decimal(card["roi"]), days),
        }


def rules(terms: Iterable[Terms]) -> Json | None:
    """Both rule texts; None before both were read."""
    told = {
        one.venue.value: {
            "title": one.title,
            "text": one.rules,
            "closes_at": iso(one.closes_at_ms),
            "settles_at": iso(one.settles_at_ms),
            "url": one.url or None,
        }
        for one in terms
    }
    return told if len(told) == len(Venue) else None


def closed_ms(terms: Iterable[Terms]) -> int | None:
    """When the first of the markets stops trading, by those that say so."""
    return min((one.closes_at_ms for one in terms if one.closes_at_ms is not None), default=None)


def settled_ms(terms: Iterable[Terms]) -> int | None:
    """When the last of the markets is expected to be settled, by those that say so."""
    ends = (one.settles_at_ms or one.closes_at_ms for one in terms)
    return max((end for end in ends if end is not None), default=None)


def days_left(at_ms: int | None, now_ms: int) -> int | None:
    """Begun days until then, at least one; None where nobody knows."""
    return None if at_ms is None else max(-((now_ms - at_ms) // DAY_MS), 1)


def annualised(percent: Decimal, days: int | None) -> str | None:
    """A gain of so many percent in so many days as percent of a year, without compounding."""
    if days is None or percent <= ZERO:
        return None
    return text(floor_to(percent * DAYS_A_YEAR / days, TENTH))


def _leg(terms: Terms) -> Json:
    return {
        "title": terms.title,
        "url": terms.url or None,
        "closes_at": iso(terms.closes_at_ms),
        "settles_at": iso(terms.settles_at_ms),
    }
