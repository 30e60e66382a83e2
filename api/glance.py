"""What one look at the journal reads for pages and graphs, each in one consistent state."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from api.cards import funnel
from api.wire import Json
from domain.terms import Terms
from domain.venue import Mode
from store import alarms, arbitrages, sightings, terms, views, watch
from store.presence import ALIVE_MS
from store.sightings import Sighting
from store.views import Survey
from store.watch import Watched

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything but the open arbitrages: sightings and words are those written since a time,
    `titles` the questions of alarms by arbitrage."""

    survey: Survey
    watched: Watched
    seen: list[Sighting]
    pair_ids: set[str]
    words: list[tuple[int, Terms]]
    titles: dict[str, str]


def around(session: Session, mode: Mode, now_ms: int, seen_ms: int, words_ms: int) -> Glance:
    """As of now."""
    survey = views.survey(session, mode, now_ms, now_ms - ALIVE_MS)
    return Glance(
        survey=survey,
        watched=watch.look(session),
        seen=sightings.since(session, seen_ms),
        pair_ids=sightings.pair_ids(session),
        words=terms.since(session, words_ms),
        titles=alarms.titles(session, survey.alarms),
    )


def funnels(session: Session, mode: Mode, now_ms: int, examples: Mapping[str, list[Json]]) -> Json:
    """The skip funnel of an hour and of a day."""
    told = {}
    for name, span in (("1h", HOUR_MS), ("24h", 24 * HOUR_MS)):
        counts = sightings.counted(session, now_ms - span)
        admitted = views.executed(session, mode, now_ms - span)
        refused = arbitrages.refusals(session, mode, now_ms - span)
        told[name] = funnel(counts, refused, admitted, examples)
    return told
