"""What is measured of an order on its way, by the wall clock in whole milliseconds."""

from activities.desk import Desk
from domain.opportunity import Refused
from domain.order import Answer, Filled, NotFilled, Order, Purpose
from domain.trade import Phase
from store.gate import Granted

US_PER_MS = 1_000
PHASES = {
    Purpose.ENTRY: Phase.PLACING,
    Purpose.COMPLETE: Phase.UNWINDING,
    Purpose.UNWIND: Phase.UNWINDING,
    Purpose.CLOSE: Phase.CLOSING,
}
"""Of the trade while such an order is on its way."""


def judged(desk: Desk, verdict: Granted | Refused, asked_ms: int) -> None:
    """What the gate said, and how long its transaction was waited for."""
    word = verdict.reason.value if isinstance(verdict, Refused) else "granted"
    desk.tally.count("arb_gate", verdict=word)
    desk.tally.took("arb_journal_seconds", (desk.wall_ms() - asked_ms) * US_PER_MS, act="reserve")


def left(desk: Desk, order: Order, asked_ms: int) -> None:
    """The first byte leaves now; the journal was `asked_ms` ago asked for leave. An entry was
    created when the later of both books was read."""
    now_ms = desk.wall_ms()
    venue = order.venue.value
    if order.purpose is Purpose.ENTRY:
        since_seen_us = (now_ms - order.created_at_ms) * US_PER_MS
        desk.tally.took("arb_signal_to_send_seconds", since_seen_us, venue=venue)
    desk.tally.took("arb_journal_seconds", (now_ms - asked_ms) * US_PER_MS, act="mark_sent")


def answered(desk: Desk, order: Order, answer: Answer, left_ms: int | None) -> None:
    """What came of it; `left_ms` is None where no byte of it left."""
    venue, purpose = order.venue.value, order.purpose.value
    desk.tally.count("arb_orders", venue=venue, purpose=purpose, answer=_word(answer))
    if left_ms is not None:
        took_us = (desk.wall_ms() - left_ms) * US_PER_MS
        phase = PHASES[order.purpose].value
        desk.tally.took("arb_leg_seconds", took_us, venue=venue, purpose=purpose, phase=phase)


def _word(answer: Answer) -> str:
    match answer:
        case Filled():
            return "filled"
        case NotFilled():
            return answer.rejection.value
    return "unknown"
