"""Answers to questions: what is true now, read from the journal, changing nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from domain.money import ZERO
from domain.venue import Mode, Venue
from notify import board, cards, facts, notices, words
from notify.board import Board
from notify.options import Options
from notify.ports import Refusal
from store import arbitrages, events, positions, sightings, trade_log
from store.codec import ms_of, utc_day
from store.lookup import NotOne, the_one

HOUR_MS = 3_600_000
LISTED, ALARMS_LISTED, PAIRS_LISTED = 10, 5, 60
DAYS_MAX = 31

HELP = (
    ("status", "run state, money, positions, alarms"),
    ("positions", "what is held, and what it pays at least"),
    ("trades", "the last trades"),
    ("profit", "results by day: /profit 7"),
    ("daily", "today in numbers"),
    ("balance", "cash at both venues"),
    ("limits", "the settings in force, and how much of them is used"),
    ("why", "why an arbitrage is where it is: /why ID; without ID: why nothing trades"),
    ("pairs", "the pairs that are watched"),
    ("pause", "no new entries, at once"),
    ("kill", "halt every entry, at once; asks nothing"),
    ("resume", "let entries leave again: preview, then a button"),
    ("close", "sell both legs of one: /close ID; preview, then a button"),
    ("flatten", "sell everything: preview, then a button"),
    ("mute", "only what is critical rings: /mute 1h"),
    ("loud", "everything rings again"),
    ("quiet", "hours in which only what is critical rings: /quiet 22:00-07:00"),
    ("notify", "what this chat is told: /notify heartbeat off"),
    ("health", "is everything running"),
    ("version", "which program this is"),
    ("help", "this list"),
)


def status(seen: Board) -> str:
    """The state of everything in a few lines."""
    stats = seen.stats
    return words.lines(
        f"<b>{words.safe(seen.run_word)} · {words.MODES[seen.mode]}</b>",
        words.BAR,
        f"Today: {words.count(stats.logged, 'trade')}, {stats.wins} with a gain: "
        f"{words.result(stats.pnl, stats.not_final)}",
        f"Open positions: {len(seen.open)} · alarms: {len(seen.alarms)}",
        *(
            f"🔔 {a.id}: {words.safe(a.code)}: {words.safe(a.detail)}"
            for a in seen.alarms[:ALARMS_LISTED]
        ),
        words.rest(len(seen.alarms) - ALARMS_LISTED, "lockstep alarms list"),
        notices.balances(seen),
    )


def positions_held(session: Session, options: Options, now_ms: int) -> str:
    """Every open position with the least it pays."""
    rows = positions.listed(session, options.mode)
    told = []
    for row in rows[-LISTED:]:
        found = facts.read(session, row.arb_id)
        poly = f"{words.size(row.poly_size)} Poly {row.poly_side.upper()}"
        kalshi = f"{words.size(row.kalshi_size)} Kalshi {row.kalshi_side.upper()}"
        least = words.gain(min(found.payouts.values()))
        age = words.span(now_ms - found.state.opened_at_ms)
        told += [
            f"<b>{words.safe(row.event_title, words.TITLE_MAX)}</b>",
            f"{poly} + {kalshi} for {words.cost(found.outlay)}, open {age}",
            f"pays at least {least}: {words.signed(found.state.guaranteed)}",
            f"<code>{row.arb_id}</code>",
        ]
    head = f"<b>{words.count(len(rows), 'open position')} · {words.MODES[options.mode]}</b>"
    older = words.rest(len(rows) - LISTED, "lockstep positions")
    return words.lines(head, words.BAR, *(told or ["Nothing is held"]), older)


def trades(session: Session, options: Options, now_ms: int) -> str:
    """The last trades, newest first."""
    rows = trade_log.trades(session, options.mode, LISTED)
    told = [
        f"{words.clock(ms_of(row.timestamp), now_ms)} {row.status} {words.signed(row.pnl)}"
        f"{'' if row.final else ' guaranteed'} · {words.safe(row.event_title, 60)}"
        for row in rows
    ]
    head = f"<b>Last {len(rows)} trades · {words.MODES[options.mode]}</b>"
    return words.lines(head, words.BAR, *(told or ["No trade yet"]))


def profit(session: Session, options: Options, now_ms: int, wanted: tuple[str, ...]) -> str:
    """Results by UTC day, the newest first."""
    number = wanted[0] if wanted else "7"
    if not number.isdigit() or not 1 <= int(number) <= DAYS_MAX:
        raise Refusal(f"days: expected 1 to {DAYS_MAX}, found {number!r}; for example /profit 7")
    today = datetime.fromtimestamp(now_ms // 1000, UTC)
    days = [f"{today - timedelta(days=back):%Y-%m-%d}" for back in range(int(number))]
    stats = [trade_log.stats(session, options.mode, day) for day in days]
    total = sum((one.pnl for one in stats), start=ZERO)
    open_now = [one.not_final for one in stats if one.not_final is not None]
    told = [
        f"{s.day}: {words.count(s.logged, 'trade')}, {words.result(s.pnl, s.not_final)}"
        for s in stats
    ]
    mode = words.MODES[options.mode]
    head = f"<b>{words.signed(total)} in {words.count(int(number), 'day')} · {mode}</b>"
    pending = words.pending(sum(open_now, start=ZERO)) if open_now else None
    return words.lines(head, words.BAR, pending, *told)


def limits(seen: Board) -> str:
    """Every setting, and what the day has used of it."""
    now, stats = seen.settings, seen.stats
    used = stats.realised_loss + stats.at_risk
    return words.lines(
        f"<b>Settings version {seen.settings_version} · {words.MODES[seen.mode]}</b>",
        words.BAR,
        f"Bet: {words.cost(now.min_bet)} to {words.cost(now.max_bet)}",
        f"ROI: {words.percent(now.min_roi)} to {words.percent(now.max_roi)} "
        "(above: likely a mismatch)",
        f"Trades today: {stats.trades} of {now.max_daily_trades}",
        f"Loss today: {words.cost(used)} of {words.cost(now.max_daily_loss)}",
    )


def why(session: Session, options: Options, now_ms: int, wanted: tuple[str, ...]) -> str:
    """One arbitrage with its story; without an id what keeps the scanner from trading."""
    if wanted:
        arb_id = find(session, options.mode, wanted[0])
        happened = events.of_arbitrage(session, arb_id)
        told = [
            f"{words.clock(e.at_ms, now_ms)} {words.safe(_said(e))}" for e in happened[-LISTED:]
        ]
        before = words.rest(len(happened) - LISTED, f"lockstep show {arb_id}")
        card = cards.card(facts.read(session, arb_id), now_ms)
        return words.lines(card, "", before, *told)
    counts = sightings.counted(session, now_ms - HOUR_MS)
    refused = arbitrages.refusals(session, options.mode, now_ms - HOUR_MS)
    told = [f"{words.safe(name)}: {number}" for name, number in sorted(counts.items())]
    told += [f"refused at the gate, {words.safe(r)}: {n}" for r, n in sorted(refused.items())]
    return words.lines("<b>The last hour, by reason</b>", words.BAR, *(told or ["No look at all"]))


def _said(event: events.Event) -> str:
    phase, reason = event.detail.get("phase", event.kind), event.detail.get("reason")
    return f"{phase}: {reason}" if reason else str(phase)


def pairs(session: Session) -> str:
    """What is watched."""
    ids = sorted(sightings.pair_ids(session))
    told = ", ".join(words.safe(one, 40) for one in ids[:PAIRS_LISTED])
    return words.lines(
        f"<b>{len(ids)} pairs are watched</b>",
        told or "None: is an executor up?",
        words.rest(len(ids) - PAIRS_LISTED, "lockstep pairs list"),
    )


def health(seen: Board, senders: Callable[[], list[str]]) -> str:
    """Whether each part answers."""
    oldest = seen.backlog.oldest_ms
    lag = "nothing waits" if oldest is None else f"oldest waits {words.span(seen.now_ms - oldest)}"
    executors = [f"{e.name}, up {words.span(seen.now_ms - e.since_ms)}" for e in seen.executors]
    told = [
        f"{'✅' if executors else '❌'} executor: {'; '.join(executors) or 'none reports'}",
        f"{'✅' if seen.backlog.waiting == 0 else '⏳'} outbox: {seen.backlog.waiting} wait, {lag}",
        *senders(),
    ]
    for venue in Venue:
        balance = seen.balances.get(venue)
        age = None if balance is None else seen.now_ms - balance.as_of_ms
        said = "never reported" if age is None else f"answered {words.span(age)} ago"
        told.append(f"{'✅' if age is not None and age < 60_000 else '❌'} {venue}: {said}")
    return words.lines("<b>Health</b>", words.BAR, *told)


def help_text() -> str:
    """Every command."""
    told = [f"/{verb} — {words.safe(what)}" for verb, what in HELP]
    return words.lines("<b>Commands</b>", words.BAR, *told)


def read_board(session: Session, options: Options, now_ms: int) -> Board:
    """The board of now."""
    return board.read(session, options.mode, now_ms)


def today(session: Session, options: Options, now_ms: int) -> str:
    """The running day."""
    return notices.summary(board.read(session, options.mode, now_ms, utc_day(now_ms)))


def find(session: Session, mode: Mode, typed: str) -> str:
    """The arbitrage that an id or its beginning names; Refusal with what was meant otherwise."""
    try:
        return the_one(arbitrages.admitted(session, mode), typed)
    except NotOne as unclear:
        found, near = unclear.found, unclear.near
    if found:
        raise Refusal(f"{typed} is the beginning of {len(found)}: {', '.join(found[:LISTED])}")
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise Refusal(f"expected the id of an arbitrage, found none that begins with {typed!r}{hint}")
