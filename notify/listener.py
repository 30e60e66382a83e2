"""Long polling: hears what is asked, answers those whom the list knows, keeps silent to others."""

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass, field

import structlog
from telegram import BotCommand, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from notify import answers
from notify.asked import Asked, asked, role_of
from notify.commands import Commands
from notify.options import Options
from notify.wire import Lost, Text, TooFast, Wire, wait_of

log = logging.getLogger(__name__)

WAITS_SECONDS = (1, 2, 5, 10, 30)
REMEMBERED = 1_000
TRIES = 3
HEARD = ["message", "callback_query"]


@dataclass(slots=True)
class Listener:
    """One poller for one token. `trouble` says why nothing is heard, None while it is."""

    wire: Wire
    options: Options
    commands: Commands
    trouble: str | None = None
    _seen: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _offset: int = 0
    _failures: int = 0

    async def run(self) -> None:
        """Until cancelled. Each question is answered on its own: a slow one holds up nobody."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._introduce())
            while True:
                for update in await self._poll():
                    if update.update_id in self._seen:
                        continue
                    self._seen.append(update.update_id)
                    group.create_task(self._hear(update))

    async def _poll(self) -> list[Update]:
        """News, lowest number first; waits after trouble, longer each time."""
        try:
            found = await self.wire.bot.get_updates(
                offset=self._offset,
                timeout=self.options.poll_seconds,
                allowed_updates=HEARD,
            )
        except TelegramError as trouble:
            await self._wait(trouble)
            return []
        if self._failures:
            log.info("telegram is heard again")
        self.trouble, self._failures = None, 0
        news = sorted(found, key=lambda update: update.update_id)
        if news:
            self._offset = max(self._offset, news[-1].update_id + 1)
        return news

    async def _wait(self, trouble: TelegramError) -> None:
        said = str(trouble)
        if isinstance(trouble, InvalidToken):
            said = "telegram.token: Telegram does not know it"
        if isinstance(trouble, Conflict):
            said = "another process polls with this token: stop it, one token has one poller"
            if "webhook" in str(trouble):
                said = "a webhook takes what people write: `lockstep doctor` says where it leads"
        if said != self.trouble:
            log.warning("telegram is not heard: %s", said)
        self.trouble = said
        pause: float = WAITS_SECONDS[min(self._failures, len(WAITS_SECONDS) - 1)]
        if isinstance(trouble, RetryAfter):
            pause = max(pause, wait_of(trouble))
        self._failures += 1
        await asyncio.sleep(pause)

    async def _hear(self, update: Update) -> None:
        heard = asked(update, time.time())
        if heard is None:
            return
        role = role_of(heard, self.options)
        if role is None:
            log.warning("not answered: user %s in chat %s", heard.user_id, heard.chat_id)
            return
        log.info("asked: %s by user %s in chat %s", heard.verb, heard.user_id, heard.chat_id)
        try:
            with structlog.contextvars.bound_contextvars(
                correlation_id=f"telegram-{heard.update_id}"
            ):
                text = await self.commands.answer(heard, role)
        except Exception:
            # The listener outlives any one question; the person is told that it failed.
            log.exception("no answer to %s", heard.verb)
            text = Text("⚠️ That failed here. Nothing is known to have changed: look at /status")
        await self._reply(heard, text)

    async def _reply(self, heard: Asked, text: Text) -> None:
        if heard.press_id is not None:
            try:
                await self.wire.bot.answer_callback_query(heard.press_id)
            except TelegramError as trouble:
                log.warning("a press could not be acknowledged: %s", trouble)
        for attempt in range(TRIES):
            outcome = await self.wire.send(heard.chat_id, text)
            match outcome:
                case TooFast(seconds):
                    await asyncio.sleep(seconds)
                case Lost():
                    await asyncio.sleep(WAITS_SECONDS[attempt])
                case _:
                    return

    async def _introduce(self) -> None:
        """The menu of commands; only a convenience, so that a failure is only logged."""
        menu = [BotCommand(verb, what[:256]) for verb, what in answers.HELP]
        try:
            await self.wire.bot.set_my_commands(menu)
        except TelegramError as trouble:
            log.warning("the menu of commands could not be set: %s", trouble)
