"""When may an order that nobody has seen be declared never to have arrived, and when is the part of
an order that was seen all there will be of it?

Rule R3: only after a quarantine since the last byte, with repeated misses from two different
sources spread over it, and with the venue's own as-of time past it where the venue has one. A read
that failed is not a miss, and neither is one from before the order was sent.
"""

from dataclasses import dataclass

from domain.order import NotFilled, Rejection, Unknown


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
    """How long, how often and from how many sources an order must be missed (ms, counts)."""

    wait_ms: int
    misses: int = 3
    sources: int = 2
    needs_as_of: bool = False


def conclude_absent(
    observations: tuple[Observation, ...], sent_at_ms: int, now_ms: int, rule: Quarantine
) -> NotFilled | Unknown:
    """NotFilled(NEVER_ARRIVED) when every condition of the quarantine holds, else Unknown."""
    misses = [m for m in observations if m.found is False and m.at_ms >= sent_at_ms]
    times = [m.at_ms for m in misses] or [sent_at_ms]
    horizon = sent_at_ms + rule.wait_ms
    spread_ms = rule.wait_ms // 2
    checks = {
        f"{rule.wait_ms} ms since it was sent": now_ms >= horizon,
        f"{rule.misses} misses": len(misses) >= rule.misses,
        f"misses from {rule.sources} sources": len({m.source for m in misses}) >= rule.sources,
        f"misses spread over {spread_ms} ms": max(times) - min(times) >= spread_ms,
        "a miss after the quarantine": any(m.at_ms >= horizon for m in misses),
        "the venue's as-of time past the quarantine": not rule.needs_as_of
        or any((m.as_of_ms or 0) >= horizon for m in misses),
        "no sighting": all(seen.found is not True for seen in observations),
    }
    missing = [name for name, holds in checks.items() if not holds]
    if missing:
        return Unknown("still needed: " + ", ".join(missing))
    return NotFilled(
        Rejection.NEVER_ARRIVED,
        f"missed {len(misses)} times in {now_ms - sent_at_ms} ms",
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
        f"{rule.wait_ms} ms since it was sent": now_ms >= horizon,
        f"{rule.misses} misses of its own record": len(misses) >= rule.misses,
        f"misses spread over {spread_ms} ms": max(times) - min(times) >= spread_ms,
        "a miss after the quarantine": any(m.at_ms >= horizon for m in misses),
        "the venue's as-of time past the quarantine": not rule.needs_as_of
        or any((m.as_of_ms or 0) >= horizon for m in misses),
        "its trades listed after the quarantine": any(
            seen.found is True and seen.at_ms >= horizon for seen in observations
        ),
    }
    return ", ".join(name for name, holds in checks.items() if not holds) or None


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
