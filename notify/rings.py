"""What a chat may set about itself; kept in the journal and in force at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from notify.chat import ChatSender
from store import chats
from store.chats import Chat
from store.journal import Journal
from store.states import Tone


@dataclass(frozen=True, slots=True)
class Rings:
    """The senders by chat; every method answers None for a chat that is told nothing."""

    journal: Journal
    senders: Mapping[int, ChatSender]
    wall_ms: Callable[[], int]

    def of(self, chat_id: int) -> Chat | None:
        """What the chat has set."""
        sender = self.senders.get(chat_id)
        return None if sender is None else sender.chat

    async def mute(self, chat_id: int, until_ms: int) -> Chat | None:
        """Until then nothing but what is critical rings; 0 ends it."""
        return await self._change(chat_id, lambda chat: replace(chat, muted_until_ms=until_ms))

    async def quiet(self, chat_id: int, hours: tuple[int, int] | None) -> Chat | None:
        """Every day between these minutes (UTC) nothing but what is critical rings."""
        return await self._change(chat_id, lambda chat: replace(chat, quiet=hours))

    async def tone(self, chat_id: int, kind: str, tone: Tone) -> Chat | None:
        """How messages of this kind are told."""
        return await self._change(
            chat_id, lambda chat: replace(chat, tones={**chat.tones, kind: tone})
        )

    async def _change(self, chat_id: int, change: Callable[[Chat], Chat]) -> Chat | None:
        sender = self.senders.get(chat_id)
        if sender is None:
            return None
        sender.chat = wanted = change(sender.chat)
        await self.journal.write(self.wall_ms(), lambda s: chats.keep_wishes(s, wanted))
        return wanted
