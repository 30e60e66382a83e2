"""From the outbox to the chat: what arrives, how often, and through which troubles."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config import Config
from app.wiring import wall_ms
from domain.money import usd
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from store import outbox
from store.alarms import Alarm
from store.audit import Act
from store.journal import Journal
from store.states import Severity
from tests.notify.deals import Bought, close, conclude, enter, hold, sell_back
from tests.notify.harness import (
    ADA,
    BOB,
    GROUP,
    OTHER,
    Telegram,
    drained,
    notifier_config,
    notifying,
)

EVEN = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: Bought("3", "1.74")}
HALF = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: None}
CHATS = f"[{GROUP}, {OTHER}, {BOB}]"


@pytest.fixture
async def wide(here: Telegram, tmp_path: Path) -> Config:
    """Three chats."""
    return notifier_config(here, tmp_path, chats=CHATS)


@pytest.fixture
def numbers() -> Callable[[], str]:
    count = itertools.count(1)
    return lambda: str(next(count))


async def halt(journal: Journal, reason: str) -> None:
    """One message that rings: a halt with this reason."""
    await journal.resume(Act("ada", "test", wall_ms()))
    await journal.halt(reason, Act("ada", "test", wall_ms()))


async def test_a_trade_is_one_message_that_is_edited_through_its_life(
    here: Telegram, journal: Journal, config: Config
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        await here.shows(GROUP, "✅ EXECUTED")
        await journal.set_phase(arb_id, Phase.SETTLING, wall_ms())
        for venue, cash in ((Venue.POLYMARKET, "3"), (Venue.KALSHI, "0")):
            await journal.record_payout(arb_id, venue, usd(cash), wall_ms())
        await conclude(journal, arb_id, Phase.SETTLED, TradeStatus.SUCCESS)
        await here.shows(GROUP, "🏁 SETTLED")
        await drained(journal)
    [message] = [m for m in here.messages(GROUP) if arb_id in m.texts[-1]]
    assert "✅ EXECUTED" in message.texts[0]
    assert message.pings
    assert "🏁 SETTLED" in message.texts[-1]
    assert not any("SETTLED" in text or "EXECUTED" in text for text in here.texts(OTHER))


async def test_what_is_critical_is_a_new_message_that_rings(
    here: Telegram, journal: Journal, config: Config
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, HALF)
        await journal.set_phase(arb_id, Phase.UNWINDING, wall_ms(), status=TradeStatus.PARTIAL)
        alarm = Alarm(f"unhedged:{arb_id}", "UNHEDGED", Severity.RED, "no bid", arb_id)
        await journal.raise_alarm(alarm, wall_ms())
        text = await here.shows(GROUP, "🚨 UNHEDGED — One leg is naked")
        assert "Exposed: Poly 3 shares YES" in text
        await journal.raise_alarm(alarm, wall_ms() + 60_000)
        await here.until(lambda: _ringing(here, "One leg is naked") == 2)
        await sell_back(journal, arb_id, Venue.POLYMARKET, "3", "1.2")
        await journal.close_alarm(alarm.key, "sold back", wall_ms())
        await here.shows(GROUP, "✔️ OVER — UNHEDGED")
        await here.shows(GROUP, "⚠️ PARTIAL FILL — Rolled back")
        await drained(journal)
    cards = [m for m in here.messages(GROUP) if "PARTIAL FILL" in m.texts[-1]]
    assert len(cards) == 1


def _ringing(here: Telegram, words: str) -> int:
    return sum(m.pings and words in m.texts[0] for m in here.messages(GROUP))


async def test_a_restart_sends_nothing_twice_and_forgets_nothing(
    here: Telegram, journal: Journal, config: Config
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        await halt(journal, "first")
        await here.shows(GROUP, "first")
        await drained(journal)
    before = len(here.messages(GROUP))
    await halt(journal, "while nobody sent")
    async with notifying(config, journal):
        await here.shows(GROUP, "while nobody sent")
        await close(journal, arb_id)
        await here.shows(GROUP, "📕 CLOSED")
        await drained(journal)
    # The halt and the end of the one before; the card was edited.
    assert len(here.messages(GROUP)) == before + 2


async def test_a_new_chat_is_not_told_what_was_before_its_time(
    here: Telegram, journal: Journal, config: Config, wide: Config
) -> None:
    await halt(journal, "long ago")
    async with notifying(config, journal):
        await here.shows(GROUP, "ALIVE")
        await halt(journal, "yesterday")
        await here.shows(GROUP, "yesterday")
    async with notifying(wide, journal):
        await halt(journal, "today")
        for chat in (GROUP, OTHER, BOB):
            await here.shows(chat, "today")
        await drained(journal)
    halts = {chat: [t for t in here.texts(chat) if "HALTED —" in t] for chat in (GROUP, OTHER)}
    assert [text.split("\n")[2] for text in halts[GROUP]] == [
        "By ada (test): yesterday",
        "By ada (test): today",
    ]
    assert [text.split("\n")[2] for text in halts[OTHER]] == ["By ada (test): today"]


async def test_too_many_requests_pause_that_chat_only(
    here: Telegram, journal: Journal, wide: Config
) -> None:
    async with notifying(wide, journal):
        await here.shows(BOB, "ALIVE")
        await drained(journal)
        await here.script("429", chat=GROUP, seconds=4)
        began = time.monotonic()
        await halt(journal, "too many")
        await here.shows(OTHER, "too many")
        await here.shows(BOB, "too many")
        others = time.monotonic() - began
        await here.shows(GROUP, "too many")
        mine = time.monotonic() - began
        await drained(journal)
    assert mine >= 4
    assert others < mine
    assert sum("HALTED —" in text for text in here.texts(GROUP)) == 1


@pytest.mark.parametrize("do", ["hang_before", "error_before", "drop_before", "bad_page"])
async def test_what_was_not_done_is_sent_again_until_it_arrives(
    here: Telegram, journal: Journal, config: Config, do: str
) -> None:
    async with notifying(config, journal):
        await here.shows(GROUP, "ALIVE")
        await here.script(do, times=2, seconds=2)
        await halt(journal, "again")
        await here.shows(GROUP, "again")
        await drained(journal)
    assert sum("again" in text for text in here.texts(GROUP)) == 1


@pytest.mark.parametrize("do", ["hang_after", "error_after", "drop_after"])
async def test_a_lost_answer_may_double_a_message_and_the_second_says_so(
    here: Telegram, journal: Journal, config: Config, do: str
) -> None:
    """Telegram takes no key that would tell a repeat: better told twice than never."""
    async with notifying(config, journal):
        await here.shows(GROUP, "ALIVE")
        await drained(journal)
        await here.script(do, seconds=2)
        await halt(journal, "twice")
        await here.shows(GROUP, "Sent again: the first try was not answered")
        await drained(journal)
    assert [("Sent again" in text) for text in here.texts(GROUP) if "twice" in text] == [
        False,
        True,
    ]


@pytest.mark.parametrize("do", ["hang_after", "error_after", "drop_after"])
async def test_a_lost_answer_to_an_edit_doubles_nothing(
    here: Telegram, journal: Journal, config: Config, do: str
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        await here.shows(GROUP, "✅ EXECUTED")
        await drained(journal)
        await here.script(do, method="editMessageText", seconds=2)
        await close(journal, arb_id)
        await here.shows(GROUP, "📕 CLOSED")
        await drained(journal)
    [message] = [m for m in here.messages(GROUP) if arb_id in m.texts[-1]]
    assert "Sent again" not in message.texts[-1]


async def test_a_message_that_somebody_deleted_is_sent_anew(
    here: Telegram, journal: Journal, config: Config
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        await here.shows(GROUP, "✅ EXECUTED")
        [card] = [m for m in here.messages(GROUP) if arb_id in m.texts[-1]]
        await here.control("delete", chat=GROUP, message_id=card.number)
        await close(journal, arb_id)
        await here.shows(GROUP, "📕 CLOSED")
        await drained(journal)


async def test_a_chat_that_blocked_the_bot_holds_up_nobody(
    here: Telegram, journal: Journal, wide: Config
) -> None:
    await here.script("blocked", method="*", chat=BOB, times=0)
    async with notifying(wide, journal):
        await halt(journal, "blocked")
        await here.shows(GROUP, "blocked")
        await here.shows(OTHER, "blocked")
        await here.say(ADA, "/health")
        assert f"{BOB}: " in await here.shows(ADA, "bot was blocked by the user")
    assert here.texts(BOB) == []


async def test_hostile_words_arrive_as_words(
    here: Telegram, journal: Journal, config: Config
) -> None:
    title = 'a <b>bold</b> & <a href="http://evil">win</a>\u202e\x00\n/kill ' + "x" * 500
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN, title=title)
        await hold(journal, arb_id)
        await halt(journal, "<script>&amp;</script>" * 9)
        shown = await here.shows(GROUP, "✅ EXECUTED")
        await here.shows(GROUP, "🛑 HALTED")
        await drained(journal)
    line = shown.split("\n")[2]
    assert line.startswith('🏀 a <b>bold</b> & <a href="http://evil">win</a> /kill xxx')
    assert line.endswith("…")
    assert not set(line) & {"\u202e", "\x00"}


async def test_telegram_away_at_the_start_delays_nothing_but_messages(
    here: Telegram, journal: Journal, config: Config
) -> None:
    await here.script("error_before", method="*", times=6)
    async with notifying(config, journal):
        await halt(journal, "late")
        await here.shows(GROUP, "late", seconds=40)
        await drained(journal)


async def test_a_wrong_token_is_said_and_waited_for(
    here: Telegram, journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"LOCKSTEP_TELEGRAM__TOKEN": "123456:" + "w" * 30}
    async with notifying(notifier_config(here, tmp_path, more), journal):
        await halt(journal, "unheard")
        await here.until(lambda: "telegram.token: Telegram does not know it" in caplog.text)
    assert here.messages(GROUP) == []
    assert (await journal.read(outbox.backlog)).waiting > 0
