"""What a person may ask of the bot, what is done at once, and what needs a second step."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.config import Config
from app.wiring import wall_ms
from domain.venue import Mode, Venue
from notify.asked import STALE_SECONDS
from notify.ladder import Expired, Ladder
from store import audit, presence
from store.alarms import Alarm
from store.audit import Act
from store.journal import Journal
from store.states import Severity
from tests.notify.deals import Bought, enter, hold
from tests.notify.harness import ADA, BOB, EVE, GROUP, OTHER, Telegram, notifier_config, notifying
from tests.support.places import place

EVEN = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: Bought("3", "1.74")}


@pytest.fixture
def config(here: Telegram, tmp_path: Path) -> Config:
    return notifier_config(here, tmp_path)


@pytest.fixture
async def bot(here: Telegram, journal: Journal, config: Config) -> AsyncIterator[Telegram]:
    """A notifier that runs, on a journal where entries are enabled and an executor reports."""
    await switch(journal, enabled=True)
    async with notifying(config, journal):
        yield here


async def switch(journal: Journal, *, enabled: bool) -> None:
    saved = await journal.settings.load()
    await journal.settings.update(
        {"enabled": enabled}, saved.version, Act("test", "test", wall_ms())
    )


async def report(journal: Journal) -> None:
    """An executor lives."""
    now = wall_ms()
    await journal.write(now, lambda s: presence.report(s, "executor-1", {}, now))


async def audited(journal: Journal) -> list[tuple[str, str, str]]:
    """Who did what from where, oldest first, without what the tests did."""
    rows = await journal.read(lambda s: audit.page(s, 100))
    return [(r.actor, r.origin, r.action) for r in reversed(rows) if r.origin != "test"]


QUESTIONS = """
    /status         RUNNING
    /start          Open positions: 1
    /positions      pays at least $3.00: +$0.03
    /trades         SUCCESS +$0.03 guaranteed
    /profit         in 7 days
    /profit 2       in 2 days
    /profit 99      days: expected 1 to 31, found '99'
    /daily          Trades: 1 admitted, 1 logged, 1 with a gain
    /balance        Poly $9.15
    /limits         Trades today: 1 of 50
    /why            The last hour, by reason
    /why arb-1      EXECUTED
    /why zzz        expected the id of an arbitrage, found none
    /pairs          0 pairs are watched
    /health         outbox
    /version        Lockstep
    /help           /kill
    /dance          /dance is no command; /help lists them
    /status@lockstep_test_bot  RUNNING
"""


async def test_every_question_has_its_answer(bot: Telegram, journal: Journal) -> None:
    arb_id = await enter(journal, EVEN)
    await hold(journal, arb_id)
    await report(journal)
    for row in QUESTIONS.strip().split("\n"):
        asked, _, expected = row.strip().partition("  ")
        await report(journal)
        before = len(bot.messages(BOB))
        await bot.say(BOB, asked)
        await bot.until(lambda seen=before: len(bot.messages(BOB)) > seen)  # type: ignore[misc]
        assert expected.strip() in bot.texts(BOB)[-1], asked


async def test_kill_acts_at_once_and_offers_to_sell_everything(
    bot: Telegram, journal: Journal, config: Config
) -> None:
    began = time.monotonic()
    await bot.say(ADA, "/kill the moon is full")
    while not (await journal.run_state()).halted:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.01)
    state = await journal.run_state()
    assert (state.reason, state.by) == ("the moon is full", f"telegram:{ADA}")
    await bot.shows(ADA, "🛑 Halted: the moon is full")
    await bot.shows(GROUP, "🛑 HALTED — No new entry leaves")
    await bot.press(ADA, "Flatten")
    await bot.shows(ADA, "Nothing is open: there is nothing to sell")
    assert await audited(journal) == [(f"telegram:{ADA}", "telegram", "halt")]


async def test_pause_acts_at_once(bot: Telegram, journal: Journal, config: Config) -> None:
    await bot.say(ADA, "/pause")
    await bot.shows(ADA, "⏸ Paused: no new entry leaves")
    assert not (await journal.run_state()).enabled
    await bot.shows(GROUP, "⏸ PAUSED — No new entry leaves")
    assert await audited(journal) == [(f"telegram:{ADA}", "telegram", "save_settings")]


async def test_resume_previews_and_needs_its_button(
    bot: Telegram, journal: Journal, config: Config
) -> None:
    await report(journal)
    await bot.say(ADA, "/kill x")
    await bot.shows(ADA, "Halted")
    await report(journal)
    await bot.say(ADA, "/resume")
    preview = await bot.shows(ADA, "Resume?")
    assert "Now: halted (x)" in preview
    assert "$5.00 to $10.00 each" in preview
    assert (await journal.run_state()).halted
    await report(journal)
    await bot.press(ADA, "Confirm resume")
    await bot.shows(ADA, "Resumed: entries may leave")
    assert not (await journal.run_state()).halted
    await bot.press(ADA, "Confirm resume")
    await bot.shows(ADA, "This button was used already")
    assert [action for _, _, action in await audited(journal)] == ["halt", "resume"]


async def test_resume_switches_entries_on_after_a_pause(bot: Telegram, journal: Journal) -> None:
    await bot.say(ADA, "/pause")
    await bot.shows(ADA, "Paused")
    await report(journal)
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "Now: paused")
    await report(journal)
    await bot.press(ADA, "Confirm resume")
    await bot.shows(ADA, "Enabled: entries may leave")
    assert (await journal.run_state()).enabled


async def test_a_preview_of_another_state_confirms_nothing(bot: Telegram, journal: Journal) -> None:
    await bot.say(ADA, "/kill x")
    await bot.shows(ADA, "Halted")
    await report(journal)
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "Resume?")
    await journal.resume(Act("bob", "test", wall_ms()))
    await journal.halt("something else", Act("bob", "test", wall_ms()))
    await report(journal)
    await bot.press(ADA, "Confirm resume")
    await bot.shows(ADA, "The run state has changed meanwhile")
    assert (await journal.run_state()).reason == "something else"


async def test_cancel_takes_the_button_back(bot: Telegram, journal: Journal) -> None:
    await bot.say(ADA, "/kill x")
    await bot.shows(ADA, "Halted")
    await report(journal)
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "Resume?")
    await bot.press(ADA, "Cancel")
    await bot.shows(ADA, "Cancelled: nothing was changed")
    await bot.press(ADA, "Confirm resume")
    await bot.shows(ADA, "This button was used already")
    assert (await journal.run_state()).halted


async def test_what_stands_against_resuming_is_said(
    bot: Telegram, journal: Journal, config: Config
) -> None:
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "Entries may leave already")
    await bot.say(ADA, "/kill x")
    await bot.shows(ADA, "Halted")
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "No executor reports: start `lockstep run` first")
    (config.data_dir / "KILL").write_text("by hand\n")
    await bot.say(ADA, "/resume")
    await bot.shows(ADA, "by hand. Remove it there, or use `lockstep unkill`")


async def test_a_viewer_looks_and_does_not_act(bot: Telegram, journal: Journal) -> None:
    for verb in ("kill", "pause", "resume", "flatten", "close arb-1", "mute 1h"):
        await bot.say(BOB, f"/{verb}")
        await bot.shows(BOB, f"you may look, /{verb.split()[0]} needs the role trader")
    assert (await journal.run_state()).stopped is None


async def test_strangers_get_silence(
    bot: Telegram, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.say(EVE, "/kill")
    await bot.say(EVE, "/status", chat=GROUP)
    await bot.say(ADA, "/kill", chat=OTHER)
    await bot.until(lambda: f"not answered: user {ADA} in chat {OTHER}" in caplog.text)
    assert f"not answered: user {EVE} in chat {EVE}" in caplog.text
    assert bot.texts(EVE) == bot.texts(OTHER) == []
    assert (await journal.run_state()).stopped is None


@pytest.mark.parametrize("how", ["forwarded", "edited"])
async def test_words_of_others_and_changed_words_count_for_nothing(
    bot: Telegram, journal: Journal, how: str
) -> None:
    await bot.say(ADA, "/kill", **{how: True})
    await bot.say(ADA, "/version")
    await bot.shows(ADA, "Lockstep")
    assert (await journal.run_state()).stopped is None


async def test_another_persons_button_does_nothing(bot: Telegram, journal: Journal) -> None:
    await bot.say(ADA, "/kill x")
    await bot.shows(ADA, "Halted")
    await report(journal)
    await bot.say(ADA, "/resume", chat=GROUP)
    await bot.shows(GROUP, "Resume?")
    await bot.press(EVE, "Confirm resume")
    await bot.press(BOB, "Confirm resume")
    await bot.shows(GROUP, "you may look")
    assert (await journal.run_state()).halted


async def test_old_commands_are_refused_unless_they_reduce_risk(
    bot: Telegram, journal: Journal
) -> None:
    await bot.say(ADA, "/kill late", ago=STALE_SECONDS * 60)
    await bot.shows(ADA, "Halted: late")
    await report(journal)
    await bot.say(ADA, "/resume", ago=STALE_SECONDS + 30)
    await bot.shows(ADA, "Not done: /resume is 1 min old")
    await bot.say(ADA, "/status", ago=7_200)
    await bot.shows(ADA, "Not done: /status is 2 h old")
    await bot.say(ADA, "/flatten", ago=7_200)
    await bot.shows(ADA, "Nothing is open")
    assert (await journal.run_state()).halted


async def test_updates_that_come_twice_or_out_of_order_are_done_once(
    bot: Telegram, journal: Journal, config: Config
) -> None:
    await bot.script("out_of_order", method="getUpdates", times=2)
    await bot.script("duplicate", method="getUpdates", times=0)
    await bot.say(ADA, "/pause")
    await bot.say(ADA, "/kill once")
    await bot.shows(ADA, "Halted: once")
    await bot.shows(ADA, "Paused")
    await bot.say(ADA, "/version")
    await bot.shows(ADA, "Lockstep")
    assert sorted(action for _, _, action in await audited(journal)) == ["halt", "save_settings"]


async def test_listening_goes_on_after_every_trouble(bot: Telegram, journal: Journal) -> None:
    for do in ("conflict", "error_before", "drop_before", "bad_page", "429"):
        await bot.script(do, method="getUpdates")
    await bot.say(ADA, "/kill heard")
    await bot.shows(ADA, "Halted: heard", seconds=60)


async def test_a_webhook_is_told_apart_from_another_poller(
    bot: Telegram, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.control("webhook", url="https://hooks.example.org/x")
    await bot.say(ADA, "/status")
    await bot.until(lambda: "a webhook takes what people write" in caplog.text)
    await bot.control("webhook", url="")
    await bot.shows(ADA, "Today:", seconds=60)


async def test_muting_leaves_what_is_critical_ringing(bot: Telegram, journal: Journal) -> None:
    await bot.say(ADA, "/mute 3w", chat=GROUP)
    await bot.shows(GROUP, "mute: expected a time such as 30m, 1h or 2d, found '3w'")
    await bot.say(ADA, "/mute 2h")
    await bot.shows(ADA, "this chat is told nothing by itself")
    await bot.say(ADA, "/mute 2h", chat=GROUP)
    await bot.shows(GROUP, "For 2 h only what is critical rings")
    arb_id = await enter(journal, EVEN)
    await hold(journal, arb_id)
    await bot.shows(GROUP, "✅ EXECUTED")
    await journal.raise_alarm(Alarm("k", "DISK", Severity.RED, "full"), wall_ms())
    await bot.shows(GROUP, "full")
    rings = {m.texts[0].split(" ")[0]: m.pings for m in bot.messages(GROUP)}
    assert rings["✅"] is False
    assert rings["🚨"] is True


async def test_a_red_alarm_is_seen_by_its_button(bot: Telegram, journal: Journal) -> None:
    number = await journal.raise_alarm(Alarm("k", "DISK", Severity.RED, "full"), wall_ms())
    await bot.shows(GROUP, "full")
    await bot.press(ADA, "Seen")
    await bot.shows(GROUP, f"Alarm {number} is seen by telegram:{ADA}")


async def test_real_money_is_never_switched_on_from_a_chat(here: Telegram, tmp_path: Path) -> None:
    config = notifier_config(here, tmp_path).model_copy(update={"mode": Mode.LIVE})
    journal = Journal.open(place(config.database_path), wall_ms())
    try:
        async with notifying(config, journal):
            await report(journal)
            await here.say(ADA, "/resume")
            await here.shows(ADA, "Real money is switched on at the dashboard or the machine")
            for words in ("/arm", "/live", "/enable", "/mode live", "/unkill"):
                await here.say(ADA, words)
                await here.shows(ADA, f"{words.split()[0]} is no command")
        assert not (await journal.run_state()).enabled
    finally:
        journal.close()


def test_a_button_lasts_a_minute() -> None:
    now = [0.0]
    ladder = Ladder(lambda: now[0])
    (_, cancel), (_, confirm) = ladder.offer(ADA, "close", "arb-1", "7", None)
    assert max(len(cancel), len(confirm)) <= 64
    nonce = confirm.partition(":")[2]
    now[0] = 60.5
    with pytest.raises(Expired, match="lasted 60 s"):
        ladder.take(ADA, nonce)
    with pytest.raises(Expired, match="used already"):
        ladder.take(ADA, nonce)
