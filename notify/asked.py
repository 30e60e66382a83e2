"""What somebody wrote or pressed, and whether it counts: who, where, how old."""

from dataclasses import dataclass

from telegram import Update

from notify.options import Options, Role

STALE_SECONDS = 60
REDUCES_RISK = frozenset({"kill", "pause", "close", "flatten"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One command or one press. `age` is in seconds, None for a press: Telegram does not say when
    a button was pressed, so that its offer's own minute counts."""

    update_id: int
    user_id: int
    chat_id: int
    verb: str
    words: tuple[str, ...]
    age: float | None
    press_id: str | None = None
    message_id: int | None = None

    @property
    def stale(self) -> bool:
        """Whether it waited too long to be done unseen; what reduces risk is never too late."""
        old = self.age is not None and self.age > STALE_SECONDS
        return old and self.verb not in REDUCES_RISK


def asked(update: Update, now: float) -> Asked | None:
    """The command of a message or the data of a button; None for everything else. What was
    forwarded, edited or posted by a bot is nobody's word."""
    query = update.callback_query
    if query is not None and query.data and query.message is not None:
        verb, _, rest = query.data.partition(":")
        chat = query.message.chat.id
        number = query.message.message_id
        return Asked(
            update.update_id, query.from_user.id, chat, verb, (rest,), None, query.id, number
        )
    message = update.message
    if message is None or message.from_user is None or not message.text:
        return None
    if message.forward_origin is not None or message.from_user.is_bot or message.via_bot:
        return None
    first, *rest_words = message.text.split()
    if not first.startswith("/"):
        return None
    verb = first[1:].partition("@")[0].lower()
    age = now - message.date.timestamp()
    user, chat = message.from_user.id, message.chat.id
    return Asked(update.update_id, user, chat, verb, tuple(rest_words), age)


def role_of(who: Asked, options: Options) -> Role | None:
    """What this person may do here; None for strangers, and for known people in strange chats."""
    at_home = who.chat_id in options.chats or who.chat_id == who.user_id
    return options.users.get(who.user_id) if at_home else None
