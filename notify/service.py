"""The notifier as one object: sender and listener over one journal."""

import asyncio
import logging
from collections.abc import Callable

from notify.away import Away
from notify.commands import Commands
from notify.listener import Listener
from notify.office import PostOffice
from notify.options import Options
from notify.ports import Steward
from notify.rings import Rings
from notify.wire import Wire
from store.journal import Journal

log = logging.getLogger(__name__)


async def serve(
    journal: Journal,
    steward: Steward,
    options: Options,
    wall_ms: Callable[[], int],
    ready: Callable[[], None],
) -> None:
    """Until cancelled. Telegram being away is no error: messages wait in the outbox."""
    wire = Wire(options)
    office = PostOffice(journal, wire, options, wall_ms)

    def said() -> list[str]:
        heard = f"❌ listening: {listener.trouble}" if listener.trouble else "✅ listening"
        told = [f"{s.chat.chat_id}: {s.health()}" for s in office.senders.values()]
        return [heard, *told]

    rings = Rings(journal, office.senders, wall_ms)
    commands = Commands(journal, steward, options, wall_ms, rings, said)
    listener = Listener(wire, options, commands)

    try:
        await office.open()
        ready()
        async with asyncio.TaskGroup() as group:
            group.create_task(office.run())
            group.create_task(Away(journal, office.senders, options.mode).run())
            group.create_task(listener.run())
    finally:
        await wire.close()
