"""Messages about the system: alarms, halts, settings, the daily summary and the heartbeat."""

from collections.abc import Mapping, Sequence

from domain.money import tidy
from domain.venue import Mode
from notify import words
from notify.board import Board
from store.runbook import Deeds, wants

SETTINGS_CHANGED, ALARM, HALTED, RESUMED = "settings_changed", "alarm", "halted", "resumed"
DAILY, HEARTBEAT = "daily", "heartbeat"

_ALARMS = {
    "UNHEDGED": "🚨 UNHEDGED — One leg is naked",
    "GHOST_FILL": "👻 GHOST FILL — The venue took a fill back",
    "UNKNOWN_LEG": "❓ UNKNOWN LEG — The venue has not answered",
    "PROVISIONAL_STUCK": "⏳ NOT SETTLING — A fill stays provisional",
    "RESOLUTION_MISMATCH": "🚨 RESOLUTION MISMATCH — The venues paid differently",
    "ONE_VENUE_ANSWERED": "🚨 ONE VENUE ANSWERED — The other leg may be a bet",
    "NOT_REDEEMED": "💵 NOT REDEEMED — Cash waits at Polymarket",
    "LATE_FILL": "🚨 LATE FILL — An order filled that was concluded not filled",
    "JOURNAL_CONFLICT": "🚨 JOURNAL CONFLICT — Entries are halted",
    "JOURNAL_RESTORED": "🚨 JOURNAL RESTORED — Entries are halted",
    "LOGIN_LOCKOUT": "🔒 LOGIN LOCKOUT — Somebody tries passwords at the dashboard",
}
_DEEDS = Deeds(resume="/resume", close="Close… sells within the loss that it shows first")


def alarm(payload: Mapping[str, object], mode: Mode, about: Sequence[str] = ()) -> str:
    """One alarm: opened, repeated, or over. `about` is the trade that it is about, in lines."""
    code = str(payload["code"])
    open_now = payload["state"] == "open"
    loud = payload["severity"] == "red"
    name = _ALARMS.get(code, f"{'🚨' if loud else '⚠️'} {words.safe(code.replace('_', ' '))}")
    name = name if loud else name.replace("🚨", "⚠️")
    if not open_now:
        name = f"✔️ OVER — {words.safe(code.replace('_', ' '))}"
    repeats = int(str(payload.get("repeats") or 0))
    said = payload["detail"] if open_now else payload["evidence"]
    arb_id, number = payload.get("arb_id"), payload["alarm_id"]
    want = wants(code, number, _DEEDS, loud=loud) if open_now else None
    return words.lines(
        f"<b>{name} · {words.MODES[mode]}</b>",
        words.BAR,
        *about,
        words.safe(tidy(str(said)), 600),
        f"\n➡️ {want}\n" if want else None,
        f"Raised {words.count(repeats, 'more time')}" if repeats and open_now else None,
        f"<code>{words.safe(arb_id)}</code>" if arb_id else None,
        f"Alarm {number}",
    )


def journal_away(mode: Mode) -> str:
    """What needs the journal, which is everything."""
    return words.lines(
        f"<b>🚨 JOURNAL AWAY — Its database cannot be read · {words.MODES[mode]}</b>",
        words.BAR,
        "Until it answers no order leaves: nothing is bought, and what is naked is not sold back.",
        "Messages of what happens meanwhile come once it is back.",
        "",
        "➡️ Start the database, or mend the way to it: lockstep doctor",
    )


def journal_back(lasted_ms: int, mode: Mode) -> str:
    """After `journal_away`, once."""
    return words.lines(
        f"<b>✔️ OVER — JOURNAL AWAY · {words.MODES[mode]}</b>",
        words.BAR,
        f"Its database answers again, after {words.span(lasted_ms)}.",
        "/health says how everything stands",
    )


def halted(payload: Mapping[str, object], mode: Mode, open_positions: int) -> str:
    """What a halt stops, what it does not, and what is true after it."""
    return words.lines(
        f"<b>🛑 HALTED — No new entry leaves · {words.MODES[mode]}</b>",
        words.BAR,
        f"By {_who(payload)}: {words.safe(tidy(str(payload['reason'])))}",
        "",
        "Stopped: every new entry, at the last gate, also after a restart.",
        "Goes on: running trades finish, unhedged legs are sold back, closing works.",
        f"Stays: {words.count(open_positions, 'open position')}.",
        "",
        "/resume lets entries leave again; /flatten sells everything",
    )


def resumed(payload: Mapping[str, object], mode: Mode, board: Board) -> str:
    """The halt is over; whether entries leave now is the switch's affair."""
    return words.lines(
        f"<b>▶️ RESUMED — The halt is over · {words.MODES[mode]}</b>",
        words.BAR,
        f"By {_who(payload)}. It was: {words.safe(tidy(str(payload['reason'])))}",
        f"Now: {words.safe(board.run_word)}",
    )


def settings_changed(payload: Mapping[str, object], mode: Mode) -> str:
    """Who changed what from what; the switch of trading is a headline of its own."""
    changes = payload["changes"]
    assert isinstance(changes, dict), f"expected changes, found {changes!r}"
    head = f"⚙️ SETTINGS — Version {payload['version']}"
    if "enabled" in changes:
        on = changes["enabled"][1]
        head = "▶️ ENABLED — Entries may leave" if on else "⏸ PAUSED — No new entry leaves"
    return words.lines(
        f"<b>{head} · {words.MODES[mode]}</b>",
        words.BAR,
        f"By {_who(payload)}",
        *(f"{words.safe(name)}: {_set(old)} → {_set(new)}" for name, (old, new) in changes.items()),
    )


def summary(board: Board) -> str:
    """One day in numbers, and what is open at its end."""
    stats = board.stats
    limit = board.settings.max_daily_loss
    used = stats.realised_loss + stats.at_risk
    return words.lines(
        f"<b>📅 {stats.day} — {words.signed(stats.pnl)} · {words.MODES[board.mode]}</b>",
        words.BAR,
        f"Trades: {stats.trades} admitted, {stats.logged} logged, {stats.wins} with a gain",
        f"Result after fees of {words.cost(board.fees)}: "
        f"{words.result(stats.pnl, stats.not_final)}",
        f"Daily loss used: {words.cost(used)} of {words.cost(limit)}",
        f"Open positions: {len(board.open)}",
        f"Alarms open: {len(board.alarms)}",
        "",
        balances(board),
        f"State: {words.safe(board.run_word)}",
        f"Audit: <code>{board.audit_head[:16]}</code>",
    )


def heartbeat(board: Board) -> str:
    """A sign of life: its absence means that something is down."""
    return words.lines(
        f"<b>💓 ALIVE — {words.safe(board.run_word)} · {words.MODES[board.mode]}</b>",
        f"{words.count(len(board.open), 'open position')}, "
        f"{words.count(len(board.alarms), 'alarm')}, "
        f"{words.count(board.stats.trades, 'trade')} today: "
        f"{words.result(board.stats.pnl, board.stats.not_final)}",
        words.clock(board.now_ms, board.now_ms),
    )


def balances(board: Board) -> str:
    """Cash at both venues as they said it last."""
    told = [
        f"{words.NAMES[venue]} {words.gain(one.cash)} ({words.gain(one.free)} free)"
        for venue, one in board.balances.items()
    ]
    if not told:
        return "💳 Balances: not reported yet"
    as_of = min(one.as_of_ms for one in board.balances.values())
    return f"💳 Balances: {' | '.join(told)} · {words.clock(as_of, board.now_ms)}"


def _set(value: object) -> str:
    """The value of a setting."""
    return words.safe({True: "on", False: "off"}[value] if isinstance(value, bool) else value)


def _who(payload: Mapping[str, object]) -> str:
    return f"{words.safe(payload['by'])} ({words.safe(payload['origin'])})"
