"""Messages about the system: alarms, halts, settings, the daily summary and the heartbeat."""

from collections.abc import Mapping, Sequence

from domain.money import tidy
from domain.venue import Mode
from notify import words
from notify.board import Board

SETTINGS_CHANGED, ALARM, HALTED, RESUMED = "settings_changed", "alarm", "halted", "resumed"
DAILY, HEARTBEAT = "daily", "heartbeat"

_ALARMS = {
    "UNHEDGED": "🚨 UNHEDGED — One leg is naked",
    "GHOST_FILL": "👻 GHOST FILL — The venue took a fill back",
    "UNKNOWN_LEG": "❓ UNKNOWN LEG — The venue has not answered",
    "PROVISIONAL_STUCK": "⏳ NOT SETTLING — A fill stays provisional",
    "RESOLUTION_MISMATCH": "🚨 RESOLUTION MISMATCH — The venues paid differently",
    "LATE_FILL": "🚨 LATE FILL — An order filled that was concluded not filled",
    "JOURNAL_CONFLICT": "🚨 JOURNAL CONFLICT — Entries are halted",
    "JOURNAL_RESTORED": "🚨 JOURNAL RESTORED — Entries are halted",
    "LOGIN_LOCKOUT": "🔒 LOGIN LOCKOUT — Somebody tries passwords at the dashboard",
}
_HALTED = "Entries are halted."
WANTS = {
    "UNHEDGED": "It is tried again by itself. Close… sells within the loss that it shows first",
    "UNKNOWN_LEG": "The venue is asked until it answers, and nothing is sold or sent before. "
    "Look at its status page",
    "PROVISIONAL_STUCK": "It is not sold before the chain confirms it. Look at the chain's status",
    "GHOST_FILL": "Nothing to do: the trade gets even again by itself",
    "LATE_FILL": "The trade is open again and gets even by itself: look that it does",
    "WORKFLOW_LOST": "Nothing to do: another workflow goes on with it",
    "RESOLUTION_MISMATCH": "The loss is booked. Claim at the venue; once it is settled say so: "
    'lockstep alarms ack {alarm} --evidence "…"',
    "JOURNAL_CONFLICT": "Report what lockstep logs --level error says, then /resume",
    "JOURNAL_RESTORED": "Put the newer journal back, or lockstep confirm-restore",
    "LOST_ORDER": f"{_HALTED} Was an older journal put back? Then lockstep confirm-restore",
    "STRAY_WORKFLOW": f"{_HALTED} Was an older journal put back? Then lockstep confirm-restore",
    "FOREIGN_ORDER": f"{_HALTED} Find out who made it; /resume accepts it",
    "FILL_NOT_AT_VENUE": f"{_HALTED} Ask the venue; /resume only once it is explained",
    "FILL_CONTRADICTS": f"{_HALTED} Ask the venue; /resume only once it is explained",
    "POSITION_DRIFT": f"{_HALTED} Was something traded or moved by hand? /resume accepts it",
    "CASH_DRIFT": f"{_HALTED} Was cash moved, or a fee taken? /resume accepts it",
    "RECONCILE_REJECTED": "Nothing to do if it passes; after three times no entry leaves: "
    "lockstep doctor",
    "MACHINE_UNFIT": "No entry leaves until it is mended; then they do so by themselves",
    "ACCOUNT_REFUSED": f"{_HALTED} lockstep doctor tries its keys, the venue's page tells the "
    "rest. What is unhedged there may have to be sold by hand. /resume once it is mended",
    "TEMPORAL_DOWN": "No trade moves and nothing is sold back until it answers. It is started "
    "again and again; lockstep doctor, and its log, say more",
    "OUTBOX_STUCK": "Trading goes on. The notifier's log says why",
    "LOGIN_LOCKOUT": "Was it you? lockstep login-url lets you in at once. Else find out who can "
    "reach the dashboard, and close that way",
}
"""What each alarm wants of a person: the runbook in one line."""
_WANTS_AMBER = {
    "UNHEDGED": "Nothing to do: it is being sold back",
    "UNKNOWN_LEG": "Nothing to do: the venue is asked until it answers, and nothing is sold or "
    "sent before",
    "PROVISIONAL_STUCK": "Nothing to do: it is not sold before the chain confirms it",
    "TEMPORAL_DOWN": "Nothing to do: it is started again. No trade moves until it answers",
}


def wants(code: str, *, loud: bool) -> str | None:
    """What an open alarm wants of whoever reads it."""
    told = WANTS.get(code)
    return told if loud else _WANTS_AMBER.get(code, told)


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
    arb_id, want = payload.get("arb_id"), wants(code, loud=loud)
    return words.lines(
        f"<b>{name} · {words.MODES[mode]}</b>",
        words.BAR,
        *about,
        words.safe(tidy(str(said)), 600),
        f"\n➡️ {want.format(alarm=payload['alarm_id'])}\n" if want and open_now else None,
        f"Raised {words.count(repeats, 'more time')}" if repeats and open_now else None,
        f"<code>{words.safe(arb_id)}</code>" if arb_id else None,
        f"Alarm {payload['alarm_id']}",
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
