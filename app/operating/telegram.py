"""What the doctor finds at Telegram: whether the token is known, and each chat can be told."""

import asyncio
from urllib.parse import urlsplit

from telegram.constants import ChatAction
from telegram.error import TelegramError

from app.config import Config
from app.links import journal_exists, wall_ms
from app.notifier import notifier_options
from app.operating.checks import bad, ok, warn
from app.operating.office import opened
from app.operating.outputs import Check
from notify.wire import Closed, Lost, TooFast, Unsayable, Vanished, Wire, outcome_of
from store import outbox

NOTIFIER = "lockstep run notifier"
WAITS_MS_MAX = 60_000


async def examine(config: Config) -> list[Check]:
    """The bot, then its chats; without a token there is nothing to be well."""
    section = config.telegram
    if section.token is None:
        return [ok("telegram", "not set up, so nothing is sent (docs/telegram.md)")]
    wire = Wire(notifier_options(config))
    try:
        checks = [await _bot(wire)]
        if checks[0].state == "ok":
            checks += await _webhook(wire)
            checks += [await _chat(wire, chat) for chat in section.chats]
    finally:
        await wire.close()
    if await asyncio.to_thread(journal_exists, config):
        checks.append(await _sender(config))
    return checks


async def _bot(wire: Wire) -> Check:
    try:
        me = await wire.bot.get_me()
    except TelegramError as trouble:
        return _bot_trouble(wire, trouble)
    return ok("telegram", f"the bot is @{me.username}")


def _bot_trouble(wire: Wire, trouble: TelegramError) -> Check:
    base = wire.options.base_url
    match outcome_of(trouble):
        case Closed(_) | Unsayable(_):
            said = (
                f"telegram.token: {base} does not know it; ask @BotFather for the bot's token "
                "and set it by telegram.token_file"
            )
            return bad("telegram", said, "lockstep config show --origin")
        case TooFast(seconds):
            return warn("telegram", f"{base} wants a pause of {seconds:.0f} s", "lockstep doctor")
        case _:
            return bad("telegram", f"{base} does not answer: {trouble}", f"curl -sv {base}")


async def _webhook(wire: Wire) -> list[Check]:
    """A webhook would take what people write; it may be somebody's, so that it is left alone."""
    try:
        url = (await wire.bot.get_webhook_info()).url
    except TelegramError as trouble:
        return [_bot_trouble(wire, trouble)]
    if not url:
        return []
    said = f"what people write goes to {urlsplit(url).netloc}, and nothing of it is heard here"
    repair = f"curl '{wire.options.base_url}/bot<token>/deleteWebhook'"
    return [bad("telegram webhook", said, repair)]


async def _chat(wire: Wire, chat_id: int) -> Check:
    """Looked up, and then shown that somebody types: only that tells whether it may be written
    to, and it leaves nothing behind."""
    name = f"telegram chat {chat_id}"
    try:
        chat = await wire.bot.get_chat(chat_id)
        await wire.bot.send_chat_action(chat_id, ChatAction.TYPING)
    except TelegramError as trouble:
        return _chat_trouble(name, wire, trouble)
    return ok(name, f"{chat.effective_name or chat.type} can be written to")


def _chat_trouble(name: str, wire: Wire, trouble: TelegramError) -> Check:
    match outcome_of(trouble):
        case Closed(why) | Unsayable(why):
            said = (
                f"telegram.chats: {why}. Add the bot to it, or unblock it there, and write "
                "/start: the log then names the chat's id"
            )
            return bad(name, said, "lockstep logs --process notifier")
        case Lost(why, _):
            base = wire.options.base_url
            return bad(name, f"{base} does not answer: {why}", f"curl -sv {base}")
        case TooFast(seconds):
            return warn(name, f"Telegram wants a pause of {seconds:.0f} s", "lockstep doctor")
        case Vanished():
            return bad(name, str(trouble), "lockstep config show --origin")
        case arrived:
            raise AssertionError(f"an error of Telegram is no {arrived}")


async def _sender(config: Config) -> Check:
    """Whether somebody fetches what waits to be sent."""
    async with opened(config) as journal:
        backlog = await journal.read(outbox.backlog)
    waited_ms = 0 if backlog.oldest_ms is None else wall_ms() - backlog.oldest_ms
    said = f"{backlog.waiting} messages wait, the oldest for {waited_ms // 1000} s"
    if waited_ms > WAITS_MS_MAX:
        return warn("notifier", said, NOTIFIER)
    return ok("notifier", said if backlog.waiting else "no message waits")
