"""Opportunities for the index page, and the funnel of what was not taken: from the scanners."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from api.wire import Json
from api.words import Words, rules
from domain.policy import Refusal
from domain.terms import Terms
from domain.venue import Venue
from store.sightings import Sighting

NEW_MS = 10_000
EXAMPLES = 5
REASONS = 12
STAGES: tuple[tuple[str, frozenset[Refusal]], ...] = (
    ("approved", frozenset({Refusal.PAIR_REJECTED, Refusal.PAIR_NOT_REVIEWED})),
    (
        "fresh",
        frozenset(
            {
                Refusal.BOOK_STALE,
                Refusal.BOOKS_APART,
                Refusal.BOOK_CROSSED,
                Refusal.BOOK_EMPTY,
                Refusal.BOOKS_CONTRADICT,
                Refusal.BALANCE_UNKNOWN,
            }
        ),
    ),
    ("edge", frozenset({Refusal.EDGE_BELOW_POLICY, Refusal.ROI_ABOVE_POLICY})),
    ("depth", frozenset({Refusal.SIZE_BELOW_VENUE_MINIMUM})),
    (
        "limits",
        frozenset(
            {
                Refusal.BET_BELOW_MINIMUM,
                Refusal.BET_ABOVE_MAXIMUM,
                Refusal.HALTED,
                Refusal.DISABLED,
                Refusal.VENUE_CLOSED,
                Refusal.STANDBY,
                Refusal.UNRECONCILED,
                Refusal.MACHINE_UNFIT,
                Refusal.DAILY_TRADES_REACHED,
                Refusal.DAILY_LOSS_REACHED,
                Refusal.POLYMARKET_CASH_TOO_LOW,
                Refusal.KALSHI_CASH_TOO_LOW,
                Refusal.TOO_LATE,
            }
        ),
    ),
    ("cooldown", frozenset({Refusal.PAIR_ALREADY_OPEN, Refusal.PAIR_COOLING_DOWN})),
)
"""What an opportunity must pass, in this order, and the reasons that end it there."""


class Cards:
    """The newest look at every followed pair."""

    def __init__(self) -> None:
        self.after_ms = 0
        self._seen: dict[str, Sighting] = {}

    @property
    def examples(self) -> dict[str, list[Json]]:
        """Pairs that are refused now, by reason."""
        found: dict[str, list[Json]] = {}
        for one in self._seen.values():
            card = _part(one, "card")
            verdict = card.get("verdict", {})
            if not verdict.get("ok") and verdict.get("code"):
                kept = found.setdefault(verdict["code"], [])
                if len(kept) < EXAMPLES:
                    kept.append(
                        {
                            "at": card.get("seen_at"),
                            "title": card["title"],
                            "detail": verdict["text"],
                        }
                    )
        return found

    def take(self, seen: list[Sighting], pair_ids: set[str]) -> None:
        """Newer looks, and every pair that is followed."""
        for one in seen:
            self._seen[one.pair_id] = one
            self.after_ms = max(self.after_ms, one.at_ms)
        for pair_id in set(self._seen) - pair_ids:
            del self._seen[pair_id]

    def rows(
        self, words: Words, executing: set[str], now_ms: int, *, alive: bool
    ) -> dict[str, Json]:
        """Cards by id. Without an executor none of them is on offer."""
        found = {}
        for one in self._seen.values():
            card = words.beside(_part(one, "card"), now_ms)
            found[one.pair_id] = card | {"state": _state(one, executing, now_ms, alive=alive)}
        return found

    def best(self) -> Json | None:
        """The largest net edge of all pairs now, and what a contract of each leg costs there."""
        cards = [_part(one, "card") for one in self._seen.values()]
        known = [card for card in cards if card.get("roi") is not None]
        if not known:
            return None
        best = max(known, key=lambda card: Decimal(card["roi"]))
        prices = {venue: leg["price"] for venue, leg in best["legs"].items()}
        return {"roi": best["roi"], "title": best["title"], "prices": prices}


def markets(one: Sighting) -> dict[Venue, str]:
    """The market of each leg, by its venue."""
    return {Venue(name): leg["market"] for name, leg in _part(one, "card")["legs"].items()}


def details(one: Sighting, terms: Iterable[Terms]) -> Json:
    """What a person needs to believe or reject a card."""
    detail = _part(one, "detail") | {"rules": rules(terms)}
    return {"id": one.pair_id, "pair_id": one.pair_id, **detail}


def funnel(
    counts: Mapping[str, int],
    refused_by_gate: Mapping[str, int],
    admitted: int,
    examples: Mapping[str, list[Json]],
) -> Json:
    """From seen to executed; every reason of a loss on the way, the most frequent first."""
    reasons = {str(reason): counts.get(reason, 0) for reason in Refusal}
    for reason, number in refused_by_gate.items():
        reasons[reason] = reasons.get(reason, 0) + number
    left = sum(reasons.values()) + admitted
    stages = [{"stage": "seen", "count": left}]
    for stage, lost in STAGES:
        left -= sum(reasons[reason] for reason in lost)
        stages.append({"stage": stage, "count": left})
    stages.append({"stage": "executed", "count": admitted})
    often = sorted((n, reason) for reason, n in reasons.items() if n)[::-1][:REASONS]
    return {
        "stages": stages,
        "reasons": [
            {"reason": reason, "count": n, "examples": examples.get(reason, [])}
            for n, reason in often
        ],
    }


def _state(one: Sighting, executing: set[str], now_ms: int, *, alive: bool) -> str:
    if not alive:
        return "expired"
    if one.pair_id in executing:
        return "executing"
    opened_ms = one.sighting.get("opened_ms")
    new = isinstance(opened_ms, int) and now_ms - opened_ms < NEW_MS
    return "new" if new else "live"


def _part(one: Sighting, name: str) -> Json:
    part: Any = one.sighting.get(name, {})
    assert isinstance(part, dict), f"expected an object {name} of {one.pair_id}"
    return part
