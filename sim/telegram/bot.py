"""One bot's world: the chats it knows, the messages in them, the updates that wait for it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sim.telegram.markup import BadText, plain
from sim.telegram.script import Rule, Script

BUTTON_BYTES = 64
POLL_SECONDS_MAX = 50
UPDATES_AT_ONCE = 100
GIFTS = (
    "unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
    "gifts_from_channels",
)  # fmt: skip


class Refused(Exception):
    """An answer other than OK: the code of HTTP, Telegram's description."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


@dataclass(slots=True)
class Message:
    """One message of the bot; `texts` holds every version of it, `pings` whether it rang."""

    chat: int
    number: int
    texts: list[str]
    pings: bool
    buttons: list[list[dict[str, str]]]
    sent_ns: int
    edited_ns: list[int] = field(default_factory=list)
    reply_to: int | None = None


@dataclass(slots=True)
class Bot:
    """The state behind one token. `clock` is the wall clock in seconds."""

    token: str
    chats: set[int]
    clock: Callable[[], float] = time.time
    script: Script = field(default_factory=Script)
    messages: list[Message] = field(default_factory=list)
    calls: list[dict[str, object]] = field(default_factory=list)
    answers: list[dict[str, object]] = field(default_factory=list)
    menus: list[dict[str, object]] = field(default_factory=list)
    webhook: str = ""
    _updates: list[dict[str, object]] = field(default_factory=list)
    _confirmed: list[dict[str, object]] = field(default_factory=list)
    _numbers: int = 100
    _polling: int = 0
    _ending: bool = False
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, what: Mapping[str, object]) -> int:
        """A person types; returns the update's number. `ago` seconds make it an old message,
        `forwarded` one that somebody else wrote."""
        user, chat = int(str(what["user"])), int(str(what.get("chat", what["user"])))
        ago = int(str(what.get("ago", 0)))
        message = {
            "message_id": self._number(),
            "date": int(self.clock()) - ago,
            "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup"},
            "from": {"id": user, "is_bot": False, "first_name": f"User {user}"},
            "text": str(what["text"]),
        }
        if what.get("forwarded"):
            origin = {"type": "hidden_user", "sender_user_name": "x", "date": 1}
            message["forward_origin"] = origin
        return self._update("edited_message" if what.get("edited") else "message", message)

    def press(self, what: Mapping[str, object]) -> int:
        """A person presses the button named `label` under the bot's newest message with it."""
        user, label = int(str(what["user"])), str(what["label"])
        for message in reversed(self.messages):
            for button in (one for row in message.buttons for one in row):
                if label in button["text"]:
                    return self._press(user, message, button["callback_data"])
        raise ValueError(f"label: expected a button of a message, found {label!r}")

    def _press(self, user: int, message: Message, data: str) -> int:
        kind = "private" if message.chat > 0 else "supergroup"
        return self._update(
            "callback_query",
            {
                "id": str(self._number()),
                "from": {"id": user, "is_bot": False, "first_name": f"User {user}"},
                "chat_instance": "1",
                "data": data,
                "message": {
                    "message_id": message.number,
                    "date": message.sent_ns // 1_000_000_000,
                    "chat": {"id": message.chat, "type": kind},
                    "text": message.texts[-1],
                },
            },
        )

    def send(self, given: Mapping[str, object]) -> dict[str, object]:
        """sendMessage."""
        chat, text = self._chat(given), self._text(given)
        number = self._number()
        reply = given.get("reply_parameters")
        message = Message(
            chat,
            number,
            [text],
            not given.get("disable_notification"),
            _buttons(given.get("reply_markup")),
            time.time_ns(),
            reply_to=int(str(reply["message_id"])) if isinstance(reply, dict) else None,
        )
        self.messages.append(message)
        return self._told(message)

    def edit(self, given: Mapping[str, object]) -> dict[str, object]:
        """editMessageText."""
        chat, text = self._chat(given), self._text(given)
        number = int(str(given["message_id"]))
        for message in self.messages:
            if (message.chat, message.number) == (chat, number):
                break
        else:
            raise Refused(400, "Bad Request: message to edit not found")
        buttons = _buttons(given.get("reply_markup"))
        if (message.texts[-1], message.buttons) == (text, buttons):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        message.texts.append(text)
        message.buttons = buttons
        message.edited_ns.append(time.time_ns())
        return self._told(message)

    async def updates(self, given: Mapping[str, object], rule: Rule | None) -> list[object]:
        """getUpdates: waits as long as asked; a second poller makes the first one end with 409,
        and a webhook everyone."""
        if self.webhook:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook "
                "to delete the webhook first",
            )
        self._polling += 1
        mine = self._polling
        self._arrived.set()
        offset = int(str(given.get("offset", 0)))
        timeout = min(int(str(given.get("timeout", 0))), POLL_SECONDS_MAX)
        self._confirmed += [one for one in self._updates if int(str(one["update_id"])) < offset]
        self._updates = [one for one in self._updates if int(str(one["update_id"])) >= offset]
        deadline = time.monotonic() + timeout
        while not self._updates and not self._ending and (left := deadline - time.monotonic()) > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                break
            if self._polling != mine:
                raise Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one "
                    "bot instance is running",
                )
        found: list[object] = list(self._updates[:UPDATES_AT_ONCE])
        if rule is not None and rule.do == "duplicate":
            found = [*self._confirmed[-UPDATES_AT_ONCE:], *found]
        if rule is not None and rule.do == "out_of_order":
            found.reverse()
        return found

    def end(self) -> None:
        """Answer whoever polls now: the server stops."""
        self._ending = True
        self._arrived.set()

    def deleted(self, chat: int, number: int) -> None:
        """A person removes a message of the bot."""
        self.messages = [m for m in self.messages if (m.chat, m.number) != (chat, number)]

    def chat(self, given: Mapping[str, object]) -> dict[str, object]:
        """getChat."""
        chat = self._chat(given)
        private = chat > 0
        return {
            "id": chat,
            "type": "private" if private else "supergroup",
            **({"first_name": f"User {chat}"} if private else {"title": f"Group {-chat}"}),
            "accent_color_id": 0,
            "max_reaction_count": 1,
            "accepted_gift_types": dict.fromkeys(GIFTS, True),
        }

    def webhook_info(self) -> dict[str, object]:
        """getWebhookInfo."""
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }

    def act(self, given: Mapping[str, object]) -> bool:
        """sendChatAction."""
        self._chat(given)
        return True

    def _update(self, kind: str, content: dict[str, object]) -> int:
        number = self._number()
        self._updates.append({"update_id": number, kind: content})
        self._arrived.set()
        return number

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _chat(self, given: Mapping[str, object]) -> int:
        chat = int(str(given["chat_id"]))
        if chat not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        return chat

    def _text(self, given: Mapping[str, object]) -> str:
        mode = given.get("parse_mode")
        try:
            return plain(str(given.get("text", "")), None if mode is None else str(mode))
        except BadText as bad:
            raise Refused(400, f"Bad Request: {bad}") from None

    def _told(self, message: Message) -> dict[str, object]:
        return {
            "message_id": message.number,
            "date": message.sent_ns // 1_000_000_000,
            "chat": {
                "id": message.chat,
                "type": "private" if message.chat > 0 else "supergroup",
            },
            "text": message.texts[-1],
        }


def _buttons(markup: object) -> list[list[dict[str, str]]]:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for button in (one for row in rows for one in row):
        if len(str(button.get("callback_data", "")).encode()) > BUTTON_BYTES:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return [[dict(one) for one in row] for row in rows]
