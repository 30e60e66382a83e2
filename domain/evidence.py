"""When may an order that nobody sees be declared never to have arrived, and when is the part of an
order that was seen all there will be of it?

Rule R3: only after a quarantine since the last byte, with repeated misses from two different
sources spread over it, of which the list of the account's trades is one after the quarantine, and
with the venue's own as-of time past it where the venue has one. A read that failed is not a miss,
and neither is one from before the order was sent.
"""

from collections import Counter
from dataclasses import dataclass

from domain.order import NotFilled, Rejection, Unknown
from domain.venue import Venue

TRADES = {Venue.POLYMARKET: "trades", Venue.KALSHI: "kalshi fills"}
"""The source of each venue that lists trades. Only its miss says that nothing was matched: the
record of an order vanishes with its end, and a stream may be silent while it is connected."""
STREAMS = {Venue.POLYMARKET: "user stream", Venue.KALSHI: "kalshi stream"}
"""The source of each venue that tells by itself. Nobody can ask it: the next process's was not
connected when the order was sent, and never misses what an earlier one's told."""
FAILURE_MAX = 120
_AS_OF = "lists that the venue calls complete up to then"
_SAID = {True: "shown", False: "not there", None: "not readable"}


@dataclass(frozen=True, slots=True)
class Observation:
    """One read that looked for an order: which source, when, and what came of it.

    `found` is None where the read failed. `as_of_ms` is the time up to which the venue vouches
    for the answer, where it says so (Kalshi's user_data_timestamp).
    """

    source: str
    at_ms: int
    found: bool | None
    as_of_ms: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """How long, how often and from how many sources an order must be missed (ms, counts), and by
    which of them after that wait; "" where each will do."""

    wait_ms: int
    misses: int = 3
    sources: int = 2
    needs_as_of: bool = False
    must: str = ""


def conclude_absent(
    observations: tuple[Observation, ...], sent_at_ms: int, now_ms: int, rule: Quarantine
) -> NotFilled | Unknown:
    """NotFilled(NEVER_ARRIVED) when every condition of the quarantine holds, else Unknown.

    An order whose record was shown and is gone counts as one that was sent when it was last shown,
    and whoever showed it must miss it. A trade of it that was shown once is never forgotten.
    """
    sightings = [seen for seen in observations if seen.found is True]
    start_ms = max([sent_at_ms, *(seen.at_ms for seen in sightings)])
    misses = [m for m in observations if m.found is False and m.at_ms >= start_ms]
    times = [m.at_ms for m in misses] or [start_ms]
    horizon = start_ms + rule.wait_ms
    spread_ms = rule.wait_ms // 2
    last = [m for m in misses if m.at_ms >= horizon]
    listed = [m for m in last if rule.must in ("", m.source)]
    whose = f" of {rule.must!r}" if rule.must else ""
    shown = "it was last shown" if sightings else "it was sent"
    checks = {
        f"{_span(rule.wait_ms)} since {shown}": now_ms >= horizon,
        f"{rule.misses} answers that it is not there": len(misses) >= rule.misses,
        f"answers of {rule.sources} sources": len({m.source for m in misses}) >= rule.sources,
        f"answers {_span(spread_ms)} apart": max(times) - min(times) >= spread_ms,
        f"an answer{whose} after {_span(rule.wait_ms)}": bool(listed),
        _AS_OF: not rule.needs_as_of or any((m.as_of_ms or 0) >= horizon for m in listed),
        "an answer of who showed it": _asked_since(observations) <= {m.source for m in last},
        "no trade of it shown": all(rule.must not in ("", seen.source) for seen in sightings),
    }
    missing = [name for name, holds in checks.items() if not holds]
    if missing:
        return Unknown("it counts as never arrived only with " + ", ".join(missing))
    return NotFilled(
        Rejection.NEVER_ARRIVED,
        f"not there {len(misses)} times in {now_ms - start_ms} ms since {shown}",
    )


def rest_needs(
    observations: tuple[Observation, ...], sent_at_ms: int, now_ms: int, rule: Quarantine
) -> str | None:
    """What is still needed before the trades that are listed of an order are all there will be of
    it; None where nothing is.

    Its own record must be gone: a source that shows orders misses it again and again, as an order
    that nobody has seen is missed, and its trades are still listed after the quarantine.
    """
    misses = [m for m in _gone(observations) if m.at_ms >= sent_at_ms]
    times = [m.at_ms for m in misses] or [sent_at_ms]
    horizon = sent_at_ms + rule.wait_ms
    spread_ms = rule.wait_ms // 2
    checks = {
        f"{_span(rule.wait_ms)} since it was sent": now_ms >= horizon,
        f"{rule.misses} answers that its own record is gone": len(misses) >= rule.misses,
        f"answers {_span(spread_ms)} apart": max(times) - min(times) >= spread_ms,
        f"an answer after {_span(rule.wait_ms)}": any(m.at_ms >= horizon for m in misses),
        _AS_OF: not rule.needs_as_of or any((m.as_of_ms or 0) >= horizon for m in misses),
        f"its trades listed after {_span(rule.wait_ms)}": any(
            seen.found is True and seen.at_ms >= horizon for seen in observations
        ),
    }
    return ", ".join(name for name, holds in checks.items() if not holds) or None


def asked(observations: tuple[Observation, ...]) -> str:
    """What was asked about an order, how often, and what it said, for a person."""
    counts: dict[str, Counter[bool | None]] = {}
    for one in observations:
        counts.setdefault(one.source, Counter())[one.found] += 1
    alike: dict[str, list[str]] = {}
    for source, found in counts.items():
        said = ", ".join(f"{_SAID[key]} {_times(n)}" for key, n in found.items())
        alike.setdefault(said, []).append(source)
    told = [
        f"{', '.join(sources)}: {said}{' each' if len(sources) > 1 else ''}"
        for said, sources in alike.items()
    ]
    failures = [one.detail for one in observations if one.found is None and one.detail]
    last = f"; the last failure: {failures[-1][:FAILURE_MAX]}" if failures else ""
    return f"asked {'; '.join(told)}{last}" if told else "nothing could be asked yet"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _span(ms: int) -> str:
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms} ms"


def _gone(observations: tuple[Observation, ...]) -> list[Observation]:
    """The misses of each source since it last showed the order."""
    since: dict[str, list[Observation]] = {}
    for seen in sorted(observations, key=lambda one: one.at_ms):
        misses = since.setdefault(seen.source, [])
        if seen.found is True:
            misses.clear()
        elif seen.found is False:
            misses.append(seen)
    return [miss for misses in since.values() for miss in misses]


def _asked_since(observations: tuple[Observation, ...]) -> set[str]:
    """The sources that showed the order and were asked again: a stream tells, and is not asked."""
    shown: dict[str, int] = {}
    for seen in observations:
        if seen.found is True and seen.source not in STREAMS.values():
            shown[seen.source] = max(seen.at_ms, shown.get(seen.source, seen.at_ms))
    return {
        one.source for one in observations if one.source in shown and one.at_ms > shown[one.source]
    }
