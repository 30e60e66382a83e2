"""What the journal keeps of answers that a trade waits with: since when each is known, and the
alarms about one that stands alone or waits to be redeemed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from domain.answers import ALONE, UNREDEEMED
from store import alarms, events, lifecycle, outbox
from store.alarms import Alarm
from store.arbitrages import row_of

KIND = "answered"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when each venue has its answer, and when each open alarm was told last (ms)."""

    since: Mapping[str, int]
    told: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class News:
    """What is to be written down: `since` with the `reason` for it, alarms that are `due`, and the
    keys of those that are `over`."""

    since: Mapping[str, int]
    reason: str
    due: Sequence[Alarm]
    over: Sequence[str]


def waiting(session: Session, arb_id: str) -> Waiting:
    """As it is kept now."""
    found = events.latest(session, arb_id, KIND)
    since = found.detail["since"] if found else {}
    assert isinstance(since, dict), f"expected times by venue, found {since!r}"
    ours = [row for key in keys(arb_id) if (row := alarms.opened(session, key)) is not None]
    return Waiting(since, {row.key: row.repeated_ms for row in ours})


def tell(session: Session, arb_id: str, news: News, now_ms: int) -> None:
    """Write it down, unless the trade has ended, which has closed its alarms."""
    if row_of(session, arb_id).closed_ms is not None:
        return
    before = waiting(session, arb_id)
    if news.since != before.since:
        detail = {"reason": news.reason, "since": news.since}
        lifecycle.note(session, arb_id, KIND, detail, now_ms)
    for alarm in news.due:
        alarms.raise_alarm(session, alarm, now_ms)
    for key in news.over:
        alarms.close(session, key, news.reason, now_ms)
    if news.over or any(alarm.key not in before.told for alarm in news.due):
        told = {"arb_id": arb_id}  # its card says so, too
        outbox.put(session, f"answers/{arb_id}/{now_ms}", "trade_event", told, now_ms)


def close_all(session: Session, arb_id: str, evidence: str, now_ms: int) -> None:
    """The arbitrage has ended: it waits for no answer and no cash any more."""
    for key in keys(arb_id):
        alarms.close(session, key, evidence, now_ms)


def keys(arb_id: str) -> tuple[str, str]:
    """Of both alarms."""
    return f"{ALONE}{arb_id}", f"{UNREDEEMED}{arb_id}"
