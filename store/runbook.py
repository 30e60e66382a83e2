"""What each alarm wants of a person: the runbook in one line, for messages and pages alike."""

from dataclasses import dataclass

_HALTED = "Entries are halted."
WANTS = {
    "UNHEDGED": "It is tried again by itself. {close}",
    "UNKNOWN_LEG": "The venue is asked until it answers, and nothing is sold or sent before. "
    "Look at its status page",
    "PROVISIONAL_STUCK": "It is not sold before the chain confirms it. Look at the chain's status",
    "GHOST_FILL": "Nothing to do: the trade gets even again by itself",
    "LATE_FILL": "The trade is open again and gets even by itself: look that it does",
    "WORKFLOW_LOST": "Nothing to do: another workflow goes on with it",
    "RESOLUTION_MISMATCH": "The loss is booked. Claim at the venue; once it is settled say so: "
    'lockstep alarms ack {alarm} --evidence "…"',
    "ONE_VENUE_ANSWERED": "Keep the bet, or end it. Still open at Polymarket: {close}. Still open "
    "at Kalshi: sell it on its site, then mark the trade resolved",
    "NOT_REDEEMED": "Redeem it on Polymarket's site with the same wallet: until then the cash is "
    "missing for entries, and the trade stays open. It is over by itself",
    "JOURNAL_CONFLICT": "Report what lockstep logs --level error says, then {resume}",
    "JOURNAL_RESTORED": "Put the newer journal back, or lockstep confirm-restore",
    "LOST_ORDER": _HALTED + " Was an older journal put back? Then lockstep confirm-restore",
    "STRAY_WORKFLOW": _HALTED + " Was an older journal put back? Then lockstep confirm-restore",
    "FOREIGN_ORDER": _HALTED + " Find out who made it; {resume} accepts it",
    "FILL_NOT_AT_VENUE": _HALTED + " Ask the venue; {resume} only once it is explained",
    "FILL_CONTRADICTS": _HALTED + " Ask the venue; {resume} only once it is explained",
    "POSITION_DRIFT": _HALTED + " Was something traded or moved by hand? {resume} accepts it",
    "CASH_DRIFT": _HALTED + " Was cash moved, or a fee taken? {resume} accepts it",
    "RECONCILE_REJECTED": "Nothing to do if it passes; after three times no entry leaves: "
    "lockstep doctor",
    "MACHINE_UNFIT": "No entry leaves until it is mended; then they do so by themselves",
    "ACCOUNT_REFUSED": _HALTED + " lockstep doctor tries its keys, the venue's page tells the "
    "rest. What is unhedged there may have to be sold by hand. {resume} once it is mended",
    "TEMPORAL_DOWN": "No trade moves and nothing is sold back until it answers. An embedded "
    "server is started again and again, one of yours is for you to mend: lockstep doctor, and its "
    "log, say more",
    "OUTBOX_STUCK": "Trading goes on. The notifier's log says why",
    "LOGIN_LOCKOUT": "Was it you? lockstep login-url lets you in at once. Else find out who can "
    "reach the dashboard, and close that way",
}
"""By the code of an alarm; `{alarm}` is its number, and what a person does is in his own words."""
_WANTS_AMBER = {
    "UNHEDGED": "Nothing to do: it is being sold back",
    "UNKNOWN_LEG": "Nothing to do: the venue is asked until it answers, and nothing is sold or "
    "sent before",
    "ONE_VENUE_ANSWERED": "Nothing to do where both will answer alike: the page of the venue that "
    "waits says more. Else, still open at Polymarket: {close}. Still open at Kalshi: sell it on "
    "its site, then mark the trade resolved",
    "PROVISIONAL_STUCK": "Nothing to do: it is not sold before the chain confirms it",
    "TEMPORAL_DOWN": "Nothing to do: it is started again. No trade moves until it answers",
}


@dataclass(frozen=True, slots=True)
class Deeds:
    """How whoever reads it calls what he can do: `resume` ends a halt, `close` is the
    sentence of what sells by hand, and within which bound."""

    resume: str
    close: str


def wants(code: str, alarm: object, deeds: Deeds, *, loud: bool) -> str | None:
    """What the open alarm with this number wants of its reader; None where nothing is known.
    `loud`: it is red."""
    told = WANTS.get(code)
    told = told if loud else _WANTS_AMBER.get(code, told)
    if told is None:
        return None
    return told.format(alarm=alarm, resume=deeds.resume, close=deeds.close)
