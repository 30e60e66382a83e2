"""One chat's sender: one message at a time, at Telegram's pace, until each has arrived."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from notify import words
from notify.compose import Composed, again, compose
from notify.jobs import DROP_MS, TRADE, Job, Lane, Queue
from notify.options import Options
from notify.pace import Pace, Total
from notify.tones import Tones
from notify.wire import (
    Arrived,
    Closed,
    Lost,
    Outcome,
    Text,
    TooFast,
    Unsayable,
    Vanished,
    Wire,
)
from store import chats
from store.chats import Chat
from store.errors import JournalBusy, NotJournaled
from store.journal import Journal
from store.outbox import Message

log = logging.getLogger(__name__)

BACKOFF_SECONDS = (1, 2, 5, 10, 20, 40, 60)
CLOSED_SECONDS = 60
IDLE_SECONDS = 5.0
MIN_SECONDS = 0.01
BUSY_SECONDS = 1.0
GRACE_SECONDS = 2.0


class ChatSender:
    """Sends what waits for one chat. Whatever happens to another chat is nothing to it."""

    def __init__(
        self,
        journal: Journal,
        wire: Wire,
        options: Options,
        chat: Chat,
        everyone: Sequence[Chat],
        total: Total,
        wall_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._wire = wire
        self._options = options
        self._everyone = everyone
        self._wall_ms = wall_ms
        self._pace = Pace(chat.chat_id, total)
        self._wake = asyncio.Event()
        self.chat = chat
        self.queue = Queue()
        self.provisional: set[str] = set()
        self._unnoted: tuple[Job, int | None] | None = None
        self.trouble: str | None = None
        self.seen_id = chat.since_id

    def take_in(self, rows: Sequence[Message]) -> None:
        """New rows, oldest first."""
        for row in rows:
            self.queue.take_in(row)
            self.seen_id = row.id
        self._wake.set()

    def refresh(self, arb_id: str) -> None:
        """Write the card of an arbitrage anew."""
        self.queue.refresh(arb_id, self._wall_ms())
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; a message on its way then still arrives and is noted."""
        while True:
            step = asyncio.create_task(self._step())
            try:
                await asyncio.shield(step)
            except (JournalBusy, SQLAlchemyError) as trouble:
                log.warning("chat %s: the journal is not usable: %s", self.chat.chat_id, trouble)
                await asyncio.sleep(BUSY_SECONDS)
            except asyncio.CancelledError:
                self._wake.set()
                await asyncio.wait({step}, timeout=GRACE_SECONDS)
                step.cancel()
                await asyncio.gather(step, return_exceptions=True)
                raise

    def health(self) -> str:
        """How it stands, in a few words."""
        oldest = self.queue.oldest_ms()
        if oldest is None:
            return "ok"
        waiting = f"{len(self.queue.jobs)} wait, for {words.span(self._wall_ms() - oldest)}"
        return waiting if self.trouble is None else f"{waiting}: {self.trouble}"

    async def say(self, html: str, holds: Callable[[], bool]) -> bool:
        """A message that rings and needs no journal, tried for as long as it `holds`; whether
        the chat has got it, or may have."""
        text, tries, maybe = Text(html, rings=True), 0, False
        while holds():
            if (wait := self._pace.wait()) > 0:
                await asyncio.sleep(min(wait, BUSY_SECONDS))
                continue
            self._pace.note()
            match await self._wire.send(self.chat.chat_id, again(text) if maybe else text):
                case Arrived():
                    return True
                case TooFast(seconds):
                    self._pace.pause(seconds)
                case Lost(_, unsure):
                    maybe = maybe or unsure
                    self._pace.pause(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])
                    tries += 1
                case refused:
                    log.error("chat %s was not told directly: %s", self.chat.chat_id, refused)
                    self._pace.pause(CLOSED_SECONDS)
        return maybe

    async def _step(self) -> None:
        if self._unnoted is not None:
            await self._note(*self._unnoted)
        if self.queue.told:
            await self._note_untold()
        job = self.queue.next(time.monotonic())
        if job is None:
            due = self.queue.due()
            await self._sleep(IDLE_SECONDS if due is None else due - time.monotonic())
            return
        wait = self._pace.wait()
        if wait > 0:
            await self._sleep(wait)
            return
        del self.queue.jobs[job.key]
        try:
            await self._tell(job)
        except BaseException:
            # What has arrived and could not be noted is noted by the next step, and not sent again.
            if self._unnoted is None or self._unnoted[0] is not job:
                self.queue.put_back(job)
            raise

    async def _tell(self, job: Job) -> None:
        """One job, once; what did not arrive goes back into the queue."""
        now_ms, chat_id, subject = self._wall_ms(), self.chat.chat_id, job.subject
        if now_ms - job.created_ms > DROP_MS:
            log.warning("chat %s: gave up on %s after a day", chat_id, job.key)
            await self._note(job, None)
            return

        tones = Tones(self.chat, now_ms)
        if not tones.wanted(job):
            await self._note(job, None)
            return

        def read(session: Session) -> tuple[Composed, int | None]:
            made = compose(session, job, self._options.mode, now_ms)
            if subject is None or not made.edits:
                return made, None
            return made, chats.message_of(session, chat_id, subject)

        try:
            made, known = await self._journal.read(read)
        except NotJournaled as missing:
            log.warning("chat %s: %s is not told: %s", chat_id, job.key, missing)
            await self._note(job, None)
            return
        self._watch(job, made)
        if not job.ids and (known is None or made.provisional):
            return
        self._pace.note()
        self.queue.last[job.key] = time.monotonic()
        if known is None:
            text = made.text if tones.rings(job) else replace(made.text, rings=False)
            outcome = await self._wire.send(chat_id, text)
        else:
            outcome = await self._wire.edit(chat_id, known, made.text)
        await self._decide(job, outcome, edited=known is not None)

    async def _decide(self, job: Job, outcome: Outcome, *, edited: bool) -> None:
        match outcome:
            case Arrived(message_id):
                self.trouble = None
                await self._note(job, message_id)
            case Vanished():
                await self._forget(job)
                self.queue.last.pop(job.key, None)
                self.queue.put_back(job)
            case TooFast(seconds):
                self._pace.pause(seconds)
                self.queue.put_back(job)
            case Lost(why, maybe):
                self.trouble = why
                job.again = job.again or (maybe and not edited)
                self._pace.pause(BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS) - 1)])
                job.attempts += 1
                self.queue.put_back(job)
            case Closed(why):
                if self.trouble != why:
                    log.error("chat %s cannot be written to: %s", self.chat.chat_id, why)
                self.trouble = why
                self._pace.pause(CLOSED_SECONDS)
                self.queue.put_back(job)
            case Unsayable(why):
                log.error("chat %s: Telegram refuses %s: %s", self.chat.chat_id, job.key, why)
                await self._note(job, None)

    def _watch(self, job: Job, made: Composed) -> None:
        if job.topic == TRADE and job.subject is not None:
            watch = self.provisional.add if made.provisional else self.provisional.discard
            watch(job.subject)

    async def _note(self, job: Job, message_id: int | None) -> None:
        """Its rows have been told here; kept for the next step where the journal is busy, so that
        what has arrived is not sent again."""
        self._unnoted = (job, message_id)
        now_ms, chat_id, subject = self._wall_ms(), self.chat.chat_id, job.subject
        untold, self.queue.told = self.queue.told, []
        job.ids += untold

        def write(session: Session) -> None:
            chats.delivered(session, chat_id, job.ids, self._everyone, now_ms)
            if message_id is not None and subject is not None:
                chats.keep_message(session, chat_id, subject, message_id, now_ms)

        await self._journal.write(now_ms, write)
        self._unnoted = None

    async def _note_untold(self) -> None:
        """Rows that need no message are noted alone once nothing else takes them along."""
        if not self.queue.jobs:
            ids, self.queue.told = self.queue.told, []
            await self._note(Job("", {}, None, Lane.PROGRESS, self._wall_ms(), ids), None)

    async def _forget(self, job: Job) -> None:
        chat_id, subject = self.chat.chat_id, job.subject
        assert subject is not None, "only a message of a subject is edited"
        await self._journal.write(
            self._wall_ms(), lambda s: chats.forget_message(s, chat_id, subject)
        )

    async def _sleep(self, seconds: float) -> None:
        """Until then, or until something new waits."""
        self._wake.clear()
        try:
            async with asyncio.timeout(max(seconds, MIN_SECONDS)):
                await self._wake.wait()
        except TimeoutError:
            return
