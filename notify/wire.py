"""One call to Telegram and what came of it; everything else decides by these answers."""

import html
import os
import re
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from notify.options import Options

# The library's own word for "hand out waits as timedelta": it reads it each time it is asked.
os.environ["PTB_TIMEDELTA"] = "true"

CONNECT_SECONDS = 5
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Text:
    """A message to be: HTML, whether it rings, and its buttons as (label, data)."""

    html: str
    rings: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Telegram has it, as this message."""

    message_id: int


@dataclass(frozen=True, slots=True)
class TooFast:
    """Not accepted: this chat, and no other, waits."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """No usable answer. `maybe` says that the message may have arrived all the same."""

    why: str
    maybe: bool


@dataclass(frozen=True, slots=True)
class Vanished:
    """The message that was to be edited is not there any more."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be sent there until a person changes something: blocked, wrong token or id."""

    why: str


@dataclass(frozen=True, slots=True)
class Unsayable:
    """Telegram will never take this text."""

    why: str


Outcome = Arrived | TooFast | Lost | Vanished | Closed | Unsayable


@dataclass(slots=True)
class Wire:
    """A bot that never raises for what Telegram answers. Connections for news and for messages
    are apart, so that a long poll never holds up a message."""

    options: Options
    bot: Bot = field(init=False)
    _requests: tuple[HTTPXRequest, HTTPXRequest] = field(init=False)

    def __post_init__(self) -> None:
        """Build the bot; nothing leaves yet."""
        answer = self.options.answer_seconds
        self._requests = _request(answer, connections=8), _request(answer, connections=1)
        self.bot = Bot(
            self.options.token,
            base_url=self.options.base_url + "/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )

    async def close(self) -> None:
        """Let go of the connections."""
        for request in self._requests:
            await request.shutdown()

    async def send(self, chat_id: int, text: Text) -> Outcome:
        """A new message."""
        reply = None
        if text.reply_to is not None:
            reply = ReplyParameters(text.reply_to, allow_sending_without_reply=True)
        try:
            sent = await self.bot.send_message(
                chat_id,
                text.html,
                parse_mode=ParseMode.HTML,
                disable_notification=not text.rings,
                reply_markup=_markup(text),
                reply_parameters=reply,
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as bad:
            if "parse entities" not in bad.message:
                return _refused(bad)
            return await self._send_plainly(chat_id, text)
        except TelegramError as trouble:
            return outcome_of(trouble)
        return Arrived(sent.message_id)

    async def edit(self, chat_id: int, message_id: int, text: Text) -> Outcome:
        """The same message with other words; it does not ring."""
        try:
            edited = await self.bot.edit_message_text(
                text.html,
                chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(text),
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as bad:
            if "not modified" in bad.message:
                return Arrived(message_id)
            return _refused(bad)
        except TelegramError as trouble:
            return outcome_of(trouble)
        return Arrived(edited.message_id if isinstance(edited, Message) else message_id)

    async def _send_plainly(self, chat_id: int, text: Text) -> Outcome:
        """Without markup, where Telegram cannot read ours: bare words beat silence."""
        words = html.unescape(_TAG.sub("", text.html))
        try:
            sent = await self.bot.send_message(
                chat_id,
                words,
                disable_notification=not text.rings,
                reply_markup=_markup(text),
                link_preview_options=_NO_PREVIEW,
            )
        except TelegramError as trouble:
            return outcome_of(trouble)
        return Arrived(sent.message_id)


def _request(answer_seconds: int, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=answer_seconds,
        write_timeout=answer_seconds,
        pool_timeout=answer_seconds,
        httpx_kwargs={"trust_env": False, "follow_redirects": False},
    )


def _markup(text: Text) -> InlineKeyboardMarkup | None:
    if not text.buttons:
        return None
    row = [InlineKeyboardButton(label, callback_data=data) for label, data in text.buttons]
    return InlineKeyboardMarkup([row])


def _refused(bad: BadRequest) -> Outcome:
    said = bad.message.lower()
    if "message to edit not found" in said or "message can't be edited" in said:
        return Vanished()
    if "chat not found" in said or "not enough rights" in said:
        return Closed(bad.message)
    return Unsayable(bad.message)


def wait_of(trouble: RetryAfter) -> float:
    """How long Telegram asks to wait, in seconds."""
    wait = trouble.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def outcome_of(trouble: TelegramError) -> Outcome:
    """What an error of the library means for whoever wanted something of Telegram."""
    match trouble:
        case RetryAfter():
            return TooFast(wait_of(trouble))
        case BadRequest():
            return _refused(trouble)
        case Forbidden():
            return Closed(trouble.message)
        case InvalidToken():
            return Closed("telegram.token: Telegram does not know it")
        case ChatMigrated():
            return Closed(f"telegram.chats: the group is now {trouble.new_chat_id}, change it")
        case TimedOut() | NetworkError():
            return Lost(trouble.message, not isinstance(trouble.__cause__, _NEVER_LEFT))
    return Lost(trouble.message, True)
