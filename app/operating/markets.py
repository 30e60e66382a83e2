"""What can be traded, and what the scanner sees of it: read from journal and configuration."""

import difflib
from collections.abc import Mapping
from decimal import Decimal

from sqlmodel import Session

from api.cards import Cards, details, funnel
from api.wire import iso, usd
from api.words import Words
from app.config import Config, ConfiguredPair
from app.errors import DependencyError, UsageError
from app.links import wall_ms
from app.operating.office import opened
from app.operating.output import Json
from app.operating.outputs_markets import (
    PairLine,
    Pairs,
    PairShown,
    ReviewShown,
    Rules,
    Scan,
    Seen,
)
from domain.money import exact
from domain.pair import Confidence
from domain.terms import Terms
from domain.venue import Venue
from store import arbitrages, presence, reviews, sightings, terms, views
from store.presence import Presence
from store.reviews import Review
from store.sightings import Sighting
from store.states import ReviewVerdict

HOUR_MS = 3_600_000
UNREVIEWED = frozenset(level.lower() for level in Confidence if level.needs_approval)
"""As configuration and cards call them."""


async def scan(config: Config, min_roi: Decimal | None, *, why: bool) -> Scan:
    """The last look at every pair, the best first, and with `why` where the last hour's looks
    ended. DependencyError while nobody looks."""
    now_ms = wall_ms()

    def work(session: Session) -> Scan:
        alive = presence.reports(session, now_ms - presence.ALIVE_MS)
        if not alive:
            raise DependencyError(
                "no executor reports, so nothing is scanned: start `lockstep run`, or "
                "`lockstep run executor` beside a server"
            )
        cards, words = Cards(), Words()
        cards.take(sightings.since(session, 0), sightings.pair_ids(session))
        words.take(terms.since(session, 0))
        taken = set(arbitrages.resting_pairs(session, config.mode, now_ms))
        rows = cards.rows(words, taken, now_ms, alive=True).values()
        found = [row for row in rows if min_roi is None or Decimal(row["roi"]) >= min_roi]
        found.sort(key=lambda row: Decimal(row["roi"]), reverse=True)
        return Scan(
            mode=config.mode.value,
            pairs=sum(_number(one, "listed") for one in alive),
            checks_per_s=sum(_number(one, "checks_per_s") for one in alive),
            opportunities=[_seen(row) for row in found],
            funnel=_funnel(session, config, cards, now_ms) if why else None,
        )

    async with opened(config) as journal:
        return await journal.read(work)


async def pairs(config: Config) -> Pairs:
    """Every pair that is watched: those of the configuration, and those that an executor with
    another configuration (a simulation of its own) looks at."""
    now_ms = wall_ms()

    def work(session: Session) -> list[PairLine]:
        why_not = _why_not(session, now_ms)
        configured = {pair.id: pair for pair in config.pairs}
        seen = {one.pair_id: one for one in sightings.since(session, 0)}
        said = reviews.everything(session)
        names = sorted({*configured, *seen, *why_not})
        return [
            _pair(name, configured.get(name), seen.get(name), why_not, said.get(name))
            for name in names
        ]

    async with opened(config) as journal:
        return Pairs(mode=config.mode.value, pairs=await journal.read(work))


async def pair(config: Config, name: str) -> PairShown:
    """One pair with both venues' rules and what is known of it. UsageError names the nearest."""

    now_ms = wall_ms()

    def work(session: Session) -> PairShown:
        one, said = sightings.one(session, name), reviews.of(session, name)
        configured = next((pair for pair in config.pairs if pair.id == name), None)
        if one is None and configured is None:
            known = sightings.pair_ids(session) | {pair.id for pair in config.pairs}
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else "`lockstep pairs list` lists them"
            raise UsageError(f"ID: expected a pair, found {name!r}: {hint}")
        markets = _markets(one, configured)
        words = [t for v, m in markets.items() if (t := terms.of(session, v, m)) is not None]
        told = details(one, words) if one is not None else {}
        return PairShown(
            pair=_pair(name, configured, one, _why_not(session, now_ms), said),
            rules=[_rules(venue, market, words) for venue, market in markets.items()],
            evidence=[str(item["text"]) for item in told.get("evidence", [])],
            review=review_shown(said, markets),
            max_size=told.get("max_size"),
            capped_by=told.get("capped_by"),
        )

    async with opened(config) as journal:
        return await journal.read(work)


def review_shown(said: Review | None, markets: Mapping[Venue, str]) -> ReviewShown | None:
    """A person's word; an approval holds for the markets that were compared, a rejection always."""
    if said is None:
        return None
    rejected = said.verdict is ReviewVerdict.REJECTED
    return ReviewShown(
        verdict=said.verdict.value,
        by=f"{said.act.actor} ({said.act.origin})",
        at=iso(said.act.at_ms),
        why=said.why,
        holds=rejected or said.approves(markets),
    )


def _seen(row: Json) -> Seen:
    verdict = row["verdict"]
    return Seen(
        pair_id=row["pair_id"],
        title=row["title"],
        confidence=row["confidence"],
        state=row["state"],
        roi=row["roi"],
        profit=row["profit"],
        size=row["size"],
        cost=row["cost"],
        fees=row["fees"],
        legs={v: f"{leg['outcome']} {usd(exact(leg['price']))}" for v, leg in row["legs"].items()},
        seen_at=row["seen_at"],
        tradable=bool(verdict["ok"]),
        reason=str(verdict["code"]),
        verdict=str(verdict["text"]),
    )


def _funnel(session: Session, config: Config, cards: Cards, now_ms: int) -> Json:
    since_ms = now_ms - HOUR_MS
    return funnel(
        sightings.counted(session, since_ms),
        arbitrages.refusals(session, config.mode, since_ms),
        views.executed(session, config.mode, since_ms),
        cards.examples,
    )


def _pair(
    name: str,
    configured: ConfiguredPair | None,
    seen: Sighting | None,
    why_not: dict[str, str],
    said: Review | None,
) -> PairLine:
    card = seen.sighting.get("card") if seen else None
    card = card if isinstance(card, dict) else {}
    confidence = configured.confidence if configured else str(card.get("confidence", "")).lower()
    markets = _markets(seen, configured)
    if said is not None and said.approves(markets):
        confidence = "reviewed"
    reasons = _reasons(name, confidence, why_not.get(name), said, seen=seen is not None)
    return PairLine(
        id=name,
        title=configured.title if configured else str(card.get("title", "")),
        confidence=confidence,
        markets={venue.value: market for venue, market in markets.items()},
        listed=not reasons,
        why_not="; ".join(reasons),
    )


def _reasons(
    name: str, confidence: str, unlisted: str | None, said: Review | None, *, seen: bool
) -> list[str]:
    """Why no entry of the pair is made now, one clause each; none where it is traded."""
    if said is not None and said.verdict is ReviewVerdict.REJECTED:
        return [f"rejected by {said.act.actor}: {said.why}"]
    reasons = [unlisted] if unlisted is not None else []
    if not seen and not reasons:
        reasons.append("no executor has seen both books yet")
    if confidence in UNREVIEWED:
        reasons.append(f"nobody has approved it: lockstep pairs approve {name}")
    return reasons


def _markets(seen: Sighting | None, configured: ConfiguredPair | None) -> dict[Venue, str]:
    if configured is not None:
        polymarket = configured.polymarket.condition_id
        return {Venue.POLYMARKET: polymarket, Venue.KALSHI: configured.kalshi.ticker}
    card = seen.sighting.get("card") if seen else None
    legs = card.get("legs", {}) if isinstance(card, dict) else {}
    return {Venue(venue): str(leg["market"]) for venue, leg in legs.items()}


def _rules(venue: Venue, market: str, read: list[Terms]) -> Rules:
    one = next((told for told in read if told.venue is venue), None)
    return Rules(
        venue=venue.value,
        market=market,
        title=one.title if one else "",
        text=one.rules if one else "",
        url=(one.url or None) if one else None,
        closes_at=iso(one.closes_at_ms) if one else None,
        settles_at=iso(one.settles_at_ms) if one else None,
    )


def _why_not(session: Session, now_ms: int) -> dict[str, str]:
    """Why running executors do not follow pairs, by pair."""
    alive = presence.reports(session, now_ms - presence.ALIVE_MS)
    return {name: str(why) for one in alive for name, why in _unlisted(one).items()}


def _unlisted(one: Presence) -> dict[str, object]:
    told = one.report.get("unlisted")
    return told if isinstance(told, dict) else {}


def _number(one: Presence, name: str) -> int:
    value = one.report.get(name)
    return value if isinstance(value, int) else 0
