"""A journal that is busy when it is to be told that a message has arrived."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notify import chat
from store.errors import JournalBusy
from store.journal import Journal
from tests.notify.harness import GROUP, Telegram, drained, notifier_config, notifying
from tests.notify.test_sender import halt


@pytest.fixture
def busy_once(journal: Journal, here: Telegram, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first note of what has arrived finds the journal busy; the list then says so."""
    write, found = journal.write, list[str]()

    async def refusing(now_ms: int, work: Callable[..., Any], *turn: Any) -> Any:
        note = f"{chat.ChatSender.__name__}._note." in work.__qualname__
        if note and here.texts(GROUP) and not found:
            found.append("busy")
            raise JournalBusy("another process holds the lock")
        return await write(now_ms, work, *turn)

    monkeypatch.setattr(journal, "write", refusing)
    monkeypatch.setattr(chat, "BUSY_SECONDS", 0.05)
    return found


async def test_a_message_that_has_arrived_is_not_sent_again(
    here: Telegram, journal: Journal, busy_once: list[str], tmp_path: Path
) -> None:
    async with notifying(notifier_config(here, tmp_path), journal):
        await halt(journal, "first")
        await here.shows(GROUP, "first")
        await drained(journal)
        assert busy_once == ["busy"]
        await halt(journal, "second")
        await here.shows(GROUP, "second")
        await drained(journal)
    halts = [text for text in here.texts(GROUP) if "By ada (test): " in text]
    assert [sum(word in text for text in halts) for word in ("first", "second")] == [1, 1], halts
