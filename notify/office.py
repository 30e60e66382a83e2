"""The sender's loop: what the outbox has for each chat, cards that still change, signs of life."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from notify import notices
from notify.chat import ChatSender
from notify.options import Options
from notify.pace import Total
from notify.wire import Wire
from store import alarms, chats, outbox
from store.alarms import Alarm
from store.errors import JournalBusy
from store.journal import Journal
from store.outbox import Message
from store.states import Severity

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
REFRESH_SECONDS = 2.0
CLOCK_SECONDS = 20.0
AT_ONCE = 200
STUCK_MS = 60_000
STUCK = "outbox"


class PostOffice:
    """Every chat's sender, fed from the outbox."""

    def __init__(
        self, journal: Journal, wire: Wire, options: Options, wall_ms: Callable[[], int]
    ) -> None:
        self._journal = journal
        self._wire = wire
        self._options = options
        self._wall_ms = wall_ms
        self._stuck = False
        self.senders: dict[int, ChatSender] = {}

    async def open(self) -> None:
        """Meet the chats: a new one is told what happens from now on."""
        now_ms, wanted = self._wall_ms(), self._options.chats
        met = await self._journal.write(now_ms, lambda s: chats.meet(s, wanted, now_ms))
        total = Total(time.monotonic)
        for chat in met:
            self.senders[chat.chat_id] = ChatSender(
                self._journal, self._wire, self._options, chat, met, total, self._wall_ms
            )

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for sender in self.senders.values():
                group.create_task(sender.run())
            group.create_task(self._every(LOOK_SECONDS, self._look))
            group.create_task(self._every(REFRESH_SECONDS, self._refresh))
            group.create_task(self._every(CLOCK_SECONDS, self._tick))

    async def _look(self) -> None:
        """Hand each chat what it has not got yet."""
        senders = list(self.senders.values())

        def read(session: Session) -> list[list[Message]]:
            return [chats.undelivered(session, s.chat, s.seen_id, AT_ONCE) for s in senders]

        for sender, rows in zip(senders, await self._journal.read(read), strict=True):
            if rows:
                sender.take_in(rows)

    async def _refresh(self) -> None:
        """Fills become final without a row of the outbox: look at the cards that wait for it."""
        for sender in self.senders.values():
            for arb_id in list(sender.provisional):
                sender.refresh(arb_id)

    async def _tick(self) -> None:
        """The summary of yesterday, a sign of life, red alarms that nobody has seen, and an alarm
        where messages do not leave."""
        now_ms = self._wall_ms()
        signs = list(self._signs(now_ms))
        known = {sender.queue.oldest_ms() for sender in self.senders.values()}
        waiting = [oldest for oldest in known if oldest is not None]
        stuck = bool(waiting) and now_ms - min(waiting) > STUCK_MS
        was_stuck, self._stuck = self._stuck, stuck

        def write(session: Session) -> None:
            for key, topic, payload in signs:
                outbox.put(session, key, topic, payload, now_ms)
            alarms.ring(session, now_ms)
            if stuck and not was_stuck:
                detail = "; ".join(f"{s.chat.chat_id}: {s.health()}" for s in self.senders.values())
                alarm = Alarm(STUCK, "OUTBOX_STUCK", Severity.AMBER, f"chats {detail}")
                alarms.raise_alarm(session, alarm, now_ms)
            elif was_stuck and not stuck:
                alarms.close(session, STUCK, "every message has left", now_ms)

        def due(session: Session) -> bool:
            return _missing(session, signs) or bool(alarms.silent(session, now_ms))

        if stuck != was_stuck or await self._journal.read(due):
            await self._journal.write(now_ms, write)

    def _signs(self, now_ms: int) -> Iterable[tuple[str, str, dict[str, object]]]:
        turn = now_ms // self._options.heartbeat_ms
        yield f"heartbeat/{turn}", notices.HEARTBEAT, {"turn": turn}
        moment = datetime.fromtimestamp(now_ms // 1000, UTC)
        if moment.hour >= self._options.daily_hour:
            day = f"{moment - timedelta(days=1):%Y-%m-%d}"
            yield f"daily/{day}", notices.DAILY, {"day": day}

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await act()
            except (JournalBusy, SQLAlchemyError) as trouble:
                log.warning("the journal could not be used: %s", trouble)
            await asyncio.sleep(seconds)


def _missing(session: Session, signs: Iterable[tuple[str, str, dict[str, object]]]) -> bool:
    return any(not outbox.known(session, key) for key, _, _ in signs)
