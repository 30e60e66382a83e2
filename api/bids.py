"""The bids that an executor saw last, and until when each of these books was known to be true."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.wire import Json
from domain.venue import Instrument, Venue
from store.presence import Presence
from store.sightings import Sighting

Levels = tuple[tuple[Decimal, Decimal], ...]

OLD_MS = 10_000
"""How old (ms) a book may be before what selling into it brings is no figure of now. From here on
the venue's tile says stale, and no living feed lets a book get so old: after five quiet seconds it
asks the venue itself."""


@dataclass(frozen=True, slots=True)
class Bids:
    """By token: (price, size) levels, best first, of the books that are not old; `true_ms` is when
    each book, old ones too, was last known to be true (wall-clock ms)."""

    levels: Mapping[str, Levels]
    true_ms: Mapping[str, int]

    def old(self, token: str) -> bool:
        """Whether its book was seen and is too old to sell by."""
        return token in self.true_ms and token not in self.levels


NO_BIDS = Bids({}, {})


def bids_of(
    seen: Sighting | None,
    executors: Iterable[Presence],
    instruments: Iterable[Instrument],
    now_ms: int,
) -> Bids:
    """The bids of these instruments, by the last look at their pair. A stream tells what changes:
    while it lives, a book of which it told nothing is as true as what it told last. `executors`
    are those that live."""
    if seen is None:
        return NO_BIDS
    bids, read_ms = _part(seen, "bids"), _part(seen, "bids_ms")
    told_ms = _told_ms(next((one for one in executors if one.name == seen.executor), None))
    levels, true_ms = {}, {}
    for one in instruments:
        if one.token in bids:
            # An executor of another version does not tell when; it wrote the look down then.
            own_ms = read_ms.get(one.token, seen.at_ms)
            true_ms[one.token] = max(own_ms, told_ms.get(one.venue, own_ms))
            if now_ms - true_ms[one.token] <= OLD_MS:
                levels[one.token] = tuple(
                    (Decimal(price), Decimal(size)) for price, size in bids[one.token]
                )
    return Bids(levels, true_ms)


def _told_ms(one: Presence | None) -> dict[Venue, int]:
    """When each stream that nothing is wrong with last told a book, by its executor's report."""
    feeds = {} if one is None else one.report.get("feeds")
    if one is None or not isinstance(feeds, dict):
        return {}
    return {
        Venue(name): one.seen_ms - feed["age_ms"]
        for name, feed in feeds.items()
        if feed.get("age_ms") is not None and not feed.get("reason")
    }


def _part(seen: Sighting, name: str) -> Json:
    part: Any = seen.sighting.get(name, {})
    assert isinstance(part, dict), f"expected an object {name} of {seen.pair_id}"
    return part
