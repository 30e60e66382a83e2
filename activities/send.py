"""How an order leaves: written down, marked as sent, then the first byte. Once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

from activities.desk import Desk
from activities.messages import Ticket
from domain.order import Answer, NotFilled, Rejection, Unknown

HEARTBEAT_S = 0.25


async def send_once(desk: Desk, ticket: Ticket) -> Answer:
    """Send the order unless its intent was sent before; then its recorded answer, or Unknown.

    The answer is in the journal before anybody is told of it.
    """
    order = ticket.order
    row = await desk.journal.intent(order.intent_id)
    if row.answer is not None:
        return row.answer
    if row.sent_ms is not None:
        return Unknown(f"{order.intent_id} was sent before; only its venue knows the answer")

    async def first_byte() -> NotFilled | None:
        now_ms = desk.wall_ms()
        if now_ms > order.not_after_ms:
            late = now_ms - order.not_after_ms
            return NotFilled(Rejection.TOO_LATE, f"{late} ms past its deadline")
        barred = await desk.journal.mark_sent(order.intent_id, now_ms)
        return NotFilled(Rejection.FENCED, barred) if barred else None

    async with heartbeating():
        answer = await desk.venues[order.venue].place(order, ticket.identity, first_byte)
    await desk.journal.record_answer(order.intent_id, answer, desk.wall_ms())
    return answer


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
