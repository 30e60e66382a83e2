"""The state that pages show, slice by slice, from what the journal says. docs/socket.md."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from api.wire import Json, Number, iso, text, usd
from domain.money import ZERO, Usd, floor_to, show_usd
from domain.policy import RANGES, ExecutorSettings
from domain.venue import Venue
from store import presence
from store.presence import Presence
from store.runbook import Deeds, wants
from store.settings import SavedSettings, SettingsVersion
from store.settings_values import FIELDS, as_text
from store.states import Severity
from store.tables import AlarmRow, AuditRow
from store.trade_log import DayStats
from store.views import Balance, Pulse, Survey

DEEDS = Deeds(resume="Resume", close="Accept loss now sells at any price, after a question")
"""The pages' own words on their buttons."""
SHORT = {Venue.POLYMARKET: "poly", Venue.KALSHI: "kalshi"}
PERCENT_STEP = Decimal("0.01")
LAG_MS_MAX = 60_000
FRESH = frozenset({"live", "delayed"})
NO_NOTIFIER: Json = {
    "state": "off",
    "lag_ms": 0,
    "waiting": 0,
    "detail": "not configured (docs/telegram.md)",
}


def settings(saved: SavedSettings, executors: Iterable[Presence], *, numbers: bool) -> Json:
    """All settings, with the version and which executor has which one in force. The seed's socket
    says amounts as `numbers`; REST says them as strings. `meta.exact` is always text."""
    exact = as_text(saved.settings)
    values: Json = dict(exact)
    if numbers:
        values = {name: _number(saved.settings, name) for name in FIELDS}
    return values | {"meta": settings_meta(saved, executors)}


def settings_meta(saved: SavedSettings, executors: Iterable[Presence]) -> Json:
    """Version, author, exact amounts, what each may be, and what is active where."""
    exact = {name: str(value) for name, value in as_text(saved.settings).items()}
    del exact["enabled"]
    return {
        "version": saved.version,
        "saved_at": saved.updated_at,
        "saved_by": saved.updated_by,
        "origin": saved.origin,
        "exact": exact,
        "ranges": {
            name: {"least": str(allowed.least), "above": allowed.above}
            for name, allowed in RANGES.items()
        },
        "active": [
            {"executor": one.name, "version": version, "at": iso(_whole(one, "settings_at_ms"))}
            for one in executors
            if (version := _whole(one, "settings_version")) is not None
        ],
    }


def settings_version(entry: SettingsVersion) -> Json:
    """One entry of the history."""
    return {
        "version": entry.version,
        "at": iso(entry.at_ms),
        "actor": entry.actor,
        "origin": entry.origin,
        "changes": entry.changes,
        "settings": as_text(entry.settings),
    }


def run_state(pulse: Pulse, *, alive: bool) -> Json:
    """OFF, RUNNING, PAUSED or HALTED; since when, by whom and why."""
    state = pulse.run_state
    if state.halted:
        since, by, reason = state.since_ms, state.by, state.reason
    else:
        since, by, reason = pulse.switched_ms, pulse.switched_by, ""
    return {
        "state": state.word(alive=alive),
        "since": iso(since),
        "by": by,
        "reason": reason or "",
    }


def balances(found: dict[Venue, Balance], executors: Iterable[Presence] = ()) -> Json | None:
    """Cash per venue, how it is bound, and what is still to come; None before the first report of
    both."""
    if set(found) != set(Venue):
        return None
    told: Json = {}
    owed = _owed(executors)
    for venue, balance in found.items():
        told[SHORT[venue]] = Number(balance.cash)
        told[f"{SHORT[venue]}_exact"] = usd(balance.cash)
    detail = {
        SHORT[venue]: {
            "free": usd(balance.free),
            "in_orders": usd(balance.in_orders),
            "in_positions": usd(balance.in_positions),
            "awaiting_settlement": usd(Usd(balance.unsettled + owed[venue])) if owed else None,
            "as_of": iso(balance.as_of_ms),
        }
        for venue, balance in found.items()
    }
    least = min(found, key=lambda venue: found[venue].free)
    free = show_usd(found[least].free)
    cap = f"{least.value.capitalize()} caps the next trade: {free} is free there"
    total = sum((balance.cash for balance in found.values()), start=ZERO)
    return told | {
        "total": usd(total),
        "detail": detail,
        "cap": {"venue": least.value, "free": usd(found[least].free), "text": f"{cap}."},
    }


def _owed(executors: Iterable[Presence]) -> dict[Venue, Decimal] | None:
    """What each venue owes for answered questions, by the executor that asked; None while none
    has."""
    for one in executors:
        owed = one.report.get("owed")
        if isinstance(owed, dict):
            return {venue: Decimal(str(owed[venue.value])) for venue in Venue}
    return None


def stats(survey: Survey) -> Json:
    """The seed's three numbers of the UTC day, and the exact ones beside them."""
    day = survey.stats
    return {
        "trades": day.trades,
        "pnl": Number(day.pnl),
        "wins": day.wins,
        "detail": {
            "day": day.day,
            "logged": day.logged,
            "pnl": usd(day.pnl),
            "win_rate": win_rate(day),
            "fees": usd(survey.fees_today),
            "loss_used": usd(day.realised_loss + day.at_risk),
            "at_risk": usd(day.at_risk),
            "realised_loss": usd(day.realised_loss),
            "guaranteed": {
                "trades": day.guaranteed,
                "wins": day.guaranteed_wins,
                "pnl": usd(day.guaranteed_pnl),
            },
        },
    }


def win_rate(day: DayStats) -> str | None:
    """Percent of the day's logged trades that gain, rounded down; None without trades."""
    if not day.logged:
        return None
    return text(floor_to(Decimal(day.wins * 100) / day.logged, PERCENT_STEP))


def venues(executors: Iterable[Presence]) -> Json:
    """How current each venue's books are, how long its last answer took, and why it takes no
    orders where it does not, by the executor that sends, else by the newest report."""
    unknown = {"state": "down", "book_at": None, "ping_ms": None, "shut": None}
    told: Json = {venue.value: {**unknown, "detail": "no executor"} for venue in Venue}
    one = presence.foremost(executors, "feeds")
    if one is None:
        return told
    feeds, pings, shut = one.report["feeds"], one.report.get("ping_ms"), one.report.get("shut")
    for name, feed in feeds.items() if isinstance(feeds, dict) else ():
        age = feed.get("age_ms")
        told[name] = {
            "state": "down" if feed.get("state") == "down" else "up",
            "book_at": None if age is None else iso(one.seen_ms - age),
            "ping_ms": pings.get(name) if isinstance(pings, dict) else None,
            "shut": shut.get(name) if isinstance(shut, dict) else None,
            "detail": feed.get("reason", ""),
        }
    return told


def feeds_fresh(executors: Iterable[Presence]) -> bool:
    """Whether a book of each venue came within ten seconds, by the executor that sends."""
    one = presence.foremost(executors, "feeds")
    feeds = {} if one is None else one.report["feeds"]
    assert isinstance(feeds, dict), "whoever tells feeds tells them by venue"
    return all(feeds.get(venue, {}).get("state") in FRESH for venue in Venue)


def services(survey: Survey, temporal: Json, now_ms: int, *, notifies: bool) -> Json:
    """Temporal, executors and notifier; whether there is to be one is what `notifies` says."""
    number = len(survey.executors)
    looks = sum(_whole(one, "checks_per_s") or 0 for one in survey.executors)
    executor = {
        "state": "up" if number else "down",
        "detail": f"{number} running, {looks} checks/s" if number else "no report for 5 s",
    }
    return {
        "temporal": temporal,
        "executor": executor,
        "notifier": _notifier(survey, now_ms) if notifies else NO_NOTIFIER,
    }


def _notifier(survey: Survey, now_ms: int) -> Json:
    waiting, oldest = survey.backlog.waiting, survey.backlog.oldest_ms
    lag_ms = 0 if oldest is None else max(now_ms - oldest, 0)
    late = lag_ms >= LAG_MS_MAX
    return {
        "state": "down" if late else "up",
        "lag_ms": lag_ms,
        "waiting": waiting,
        "detail": "messages are not fetched" if late else "",
    }


def scanner(executors: tuple[Presence, ...], best: Json | None) -> Json | None:
    """What the scanners do; None where none reports."""
    if not executors:
        return None
    last = max((_whole(one, "last_opportunity_ms") or 0 for one in executors), default=0)
    return {
        "pairs": sum(_whole(one, "listed") or 0 for one in executors),
        "checks_per_s": str(sum(_whole(one, "checks_per_s") or 0 for one in executors)),
        "cycle_at": iso(max(one.seen_ms for one in executors)),
        "best_edge": best,
        "last_opportunity_at": iso(last or None),
    }


def executor(one: Presence) -> Json:
    """One executor's report without what it counts for graphs: /metrics has that."""
    seen = {name: value for name, value in one.report.items() if name != "tally"}
    return {"name": one.name, "seen_ms": one.seen_ms, **seen}


def alarm(row: AlarmRow) -> Json:
    """One alarm from its opening to its evidence."""
    return {
        "id": row.id,
        "key": row.key,
        "code": row.code,
        "severity": row.severity,
        "arb_id": row.arb_id,
        "detail": row.detail,
        "opened_at": iso(row.opened_ms),
        "repeated_at": iso(row.repeated_ms),
        "repeats": row.repeats,
        "acknowledged_at": iso(row.acknowledged_ms),
        "acknowledged_by": row.acknowledged_by,
        "closed_at": iso(row.closed_ms),
        "evidence": row.evidence,
    }


def alarm_told(row: AlarmRow, titles: Mapping[str, str]) -> Json:
    """The alarm with the question of its trade, and what it wants of its reader while it is
    open."""
    want = wants(row.code, row.id, DEEDS, loud=row.severity == Severity.RED)
    title = None if row.arb_id is None else titles.get(row.arb_id)
    return alarm(row) | {"title": title, "wants": None if row.closed_ms is not None else want}


def alarms(found: Iterable[AlarmRow], titles: Mapping[str, str]) -> dict[str, Json]:
    """Open alarms by id, which is text on pages."""
    return {str(row.id): alarm_told(row, titles) | {"id": str(row.id)} for row in found}


def audit_row(row: AuditRow, detail: Json) -> Json:
    """One row of the audit trail."""
    return {
        "id": row.id,
        "at": iso(row.at_ms),
        "actor": row.actor,
        "origin": row.origin,
        "action": row.action,
        "subject": row.subject,
        "detail": detail,
        "hash": row.hash,
    }


def _whole(one: Presence, name: str) -> int | None:
    value = one.report.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(values: ExecutorSettings, name: str) -> object:
    value = getattr(values, name)
    return Number(value) if isinstance(value, Decimal) else value
