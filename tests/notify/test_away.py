"""The server of the journal dies: said in the chat, once, and once more when it is back."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.wiring import wall_ms
from notify import away
from store.errors import JournalBusy
from store.journal import Journal
from store.place import SchemaAddress
from tests.notify.harness import GROUP, OTHER, Telegram, drained, notifier_config, notifying
from tests.notify.test_sender import halt
from tests.store.test_postgres_failing import dead, stopped
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgres
Gone = Callable[[Postgres], AbstractContextManager[None]]
CHATS = f"[{GROUP}, {OTHER}]"
AWAY, BACK = "JOURNAL AWAY — Its database cannot be read", "✔️ OVER — JOURNAL AWAY"


@pytest.fixture
def own_journal(own_server: Postgres) -> Iterator[Journal]:
    """On that server."""
    journal = Journal.open(SchemaAddress(own_server.url, "lockstep_sim"), wall_ms())
    yield journal
    journal.close()


def said(here: Telegram, chat: int) -> list[str]:
    """What the chat was told of the journal, oldest first."""
    return [text for text in here.texts(chat) if "JOURNAL AWAY" in text]


async def halted_anew(journal: Journal, reason: str) -> None:
    """A halt; a session from before the server died says once that it is gone."""
    try:
        await halt(journal, reason)
    except JournalBusy:
        await halt(journal, reason)


@pytest.mark.parametrize("gone", [dead, stopped])
async def test_a_journal_that_is_away_is_told_once_and_once_that_it_is_back(
    here: Telegram, own_server: Postgres, own_journal: Journal, tmp_path: Path, gone: Gone
) -> None:
    assert 5 <= away.AWAY_SECONDS <= 10
    async with notifying(notifier_config(here, tmp_path, chats=CHATS), own_journal):
        for chat in (GROUP, OTHER):
            await here.shows(chat, "ALIVE")
        await drained(own_journal)
        with gone(own_server):
            for chat in (GROUP, OTHER):
                await here.shows(chat, AWAY, seconds=40)
            await asyncio.sleep(5)
            assert [len(said(here, chat)) for chat in (GROUP, OTHER)] == [1, 1]
        for chat in (GROUP, OTHER):
            await here.shows(chat, BACK)
        await halted_anew(own_journal, "as before")
        await here.shows(GROUP, "as before")
        await drained(own_journal)
        assert [len(said(here, chat)) for chat in (GROUP, OTHER)] == [2, 2]
    first = [m for m in here.messages(GROUP) if AWAY in m.texts[0]]
    assert [m.pings for m in first] == [True]


async def test_a_restart_of_the_server_rings_for_nobody(
    here: Telegram, own_server: Postgres, own_journal: Journal, tmp_path: Path
) -> None:
    async with notifying(notifier_config(here, tmp_path), own_journal):
        await here.shows(GROUP, "ALIVE")
        own_server.stop()
        await asyncio.sleep(1)
        own_server.start()
        await asyncio.sleep(away.AWAY_SECONDS + 2)
        await halted_anew(own_journal, "later")
        await here.shows(GROUP, "later")
    assert said(here, GROUP) == []


@pytest.mark.parametrize(("do", "times"), [("429", 1), ("error_before", 2), ("drop_before", 2)])
async def test_a_telegram_in_trouble_gets_it_all_the_same_and_once(
    here: Telegram,
    own_server: Postgres,
    own_journal: Journal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    do: str,
    times: int,
) -> None:
    monkeypatch.setattr(away, "AWAY_SECONDS", 2.0)
    async with notifying(notifier_config(here, tmp_path), own_journal):
        await here.shows(GROUP, "ALIVE")
        await drained(own_journal)
        await here.script(do, times=times, seconds=2, chat=GROUP)
        own_server.stop(signal.SIGKILL)
        await here.shows(GROUP, AWAY)
        await asyncio.sleep(3)
        assert len(said(here, GROUP)) == 1


async def test_what_was_over_before_it_could_be_told_is_not_told(
    here: Telegram,
    own_server: Postgres,
    own_journal: Journal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(away, "AWAY_SECONDS", 2.0)
    async with notifying(notifier_config(here, tmp_path), own_journal):
        await here.shows(GROUP, "ALIVE")
        await drained(own_journal)
        await here.script("429", seconds=8, chat=GROUP)
        own_server.stop(signal.SIGKILL)
        await asyncio.sleep(4)
        own_server.start()
        await halted_anew(own_journal, "after it")
        await here.shows(GROUP, "after it")
        await drained(own_journal)
    assert said(here, GROUP) == []
