"""How an order leaves: written down, marked as sent, then the first byte. Once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

from activities import measured
from activities.desk import Desk
from activities.messages import Ticket
from domain.order import Answer, NotFilled, Order, Purpose, Rejection, Unknown
from store.errors import JournalBusy
from store.failpoints import Point, hit
from store.intents import AlreadySent, Leave, MaySend, StoredIntent
from store.lease import FIRST_BYTE_MS

log = logging.getLogger(__name__)

HEARTBEAT_S = 0.25
KEEP_S, KEEP_PAUSE_S = 3, 0.1
"""How long an answer is held for a journal that does not write: what the server waits for an order
is longer (workflows.options)."""


async def send_once(desk: Desk, ticket: Ticket) -> Answer:
    """Send the order unless it was sent before; then what is known of it, or Unknown.

    The answer is in the journal before anybody is told of it. The journal is asked once, by the
    transaction that marks the order as sent.
    """
    order = ticket.order
    leave: Leave | None = None
    left_ms: int | None = None

    async def first_byte() -> NotFilled | None:
        nonlocal leave, left_ms
        hit(Point.AFTER_INTENT, order.venue, order.purpose, order.action)
        asked_ms = desk.wall_ms()
        if order.purpose is Purpose.ENTRY and (shut := desk.doors.against_entries(asked_ms)):
            return NotFilled(Rejection.FENCED, shut)
        leave = await desk.journal.mark_sent(order.intent_id, asked_ms, desk.claim(), desk.killed())
        match leave:
            case MaySend(sent_at_ms):
                hit(Point.BEFORE_FIRST_BYTE, order.venue, order.purpose, order.action)
                if (now_ms := desk.wall_ms()) <= sent_at_ms + FIRST_BYTE_MS:
                    left_ms = now_ms
                    measured.left(desk, order, asked_ms)
                    return None
                # This process stood still: its lease may have run out, so another may be sending.
                return NotFilled(Rejection.NOT_SENT, "paused between the last gate and the send")
            case NotFilled():
                return leave
            case AlreadySent():
                return NotFilled(Rejection.FENCED, "it was sent before")

    answer = await desk.venues[order.venue].place(order, ticket.identity, first_byte)
    if leave is None and isinstance(answer, NotFilled):
        # This attempt ended before the last gate. It proves nothing of an earlier one.
        if answer.rejection is Rejection.NOT_SENT:
            now_ms = desk.wall_ms()
            desk.doors.answered(order.venue, answer, now_ms, now_ms)
        known = await desk.journal.withdraw(order.intent_id, desk.wall_ms(), answer)
        return known.answer or _sent_before(order)
    if isinstance(leave, AlreadySent):
        known = await desk.journal.intent(order.intent_id)
        return known.answer or _sent_before(order)
    measured.answered(desk, order, answer, left_ms)
    if left_ms is not None:
        desk.doors.answered(order.venue, answer, left_ms, desk.wall_ms())
    hit(Point.ANSWERED, order.venue, order.purpose, order.action)
    stored = await _keep(desk, order, answer)
    hit(Point.RECORDED, order.venue, order.purpose, order.action)
    assert stored.answer is not None, f"{order.intent_id} was just answered"
    log.info("%s: %s", order.intent_id, type(stored.answer).__name__)
    return stored.answer


async def _keep(desk: Desk, order: Order, answer: Answer) -> StoredIntent:
    """Write the answer down, again while the journal is away for a moment: it may be the only proof
    there will be, since a killed order need not be listed anywhere. JournalBusy after KEEP_S."""
    clock = asyncio.get_running_loop().time
    patience = clock() + KEEP_S
    while True:
        try:
            return await desk.journal.record_answer(order.intent_id, answer, desk.wall_ms())
        except JournalBusy as busy:
            if clock() > patience:
                raise
            log.warning("%s: its answer waits for the journal: %s", order.intent_id, busy)
        await asyncio.sleep(KEEP_PAUSE_S)


def _sent_before(order: Order) -> Unknown:
    return Unknown(f"{order.intent_id} was sent before; only its venue knows the answer")


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Tell the server that this process lives, until the block ends."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_S)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
