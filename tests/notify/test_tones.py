"""Quiet hours and tones: a chat is told what it wants to hear, and what is critical always."""

from pathlib import Path

import pytest

from app.wiring import wall_ms
from domain.venue import Venue
from notify.jobs import Job, job_of
from notify.tones import Tones, hours, quiet_now
from store import alarms, outbox
from store.alarms import REPEAT_MS, Alarm
from store.audit import Act
from store.chats import Chat
from store.journal import Journal
from store.outbox import Message
from store.states import Severity, Tone
from tests.notify.deals import Bought, close, enter, hold
from tests.notify.harness import ADA, BOB, GROUP, Telegram, drained, notifier_config, notifying
from tests.notify.test_sender import halt

EVEN = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: Bought("3", "1.74")}
HOUR_MS = 3_600_000

HOURS = """
    typed          at     quiet
    22:00-07:00    21:59  no
    22:00-07:00    22:00  yes
    22:00-07:00    03:00  yes
    22:00-07:00    06:59  yes
    22:00-07:00    07:00  no
    9:30 - 12:15   09:29  no
    9:30 - 12:15   09:30  yes
    9:30 - 12:15   12:14  yes
    9:30 - 12:15   12:15  no
    00:00-23:59    12:00  yes
"""


@pytest.mark.parametrize("row", HOURS.strip().splitlines()[1:], ids=str.strip)
def test_quiet_hours_begin_with_their_first_minute_and_may_go_over_midnight(row: str) -> None:
    *typed, at, quiet = row.split()
    found = hours(" ".join(typed))
    assert found is not None
    hour, minute = at.split(":")
    for day in (0, 20_000):
        moment_ms = day * 24 * HOUR_MS + int(hour) * HOUR_MS + int(minute) * 60_000 + 59_999
        assert quiet_now(found, moment_ms) is (quiet == "yes")


@pytest.mark.parametrize("typed", ["", "22", "22:00", "24:00-07:00", "22:60-07:00", "8:00-8:00"])
def test_what_is_no_span_of_hours_is_none(typed: str) -> None:
    assert hours(typed) is None


def job(topic: str, **payload: object) -> Job:
    return job_of(Message(1, topic, {"arb_id": "arb-1", "alarm_id": 1, **payload}, 0, 1))


RED = {"severity": "red", "state": "open"}
TOLD = """
    message      tone    at     told  rings
    trade        on      12:00  yes   yes
    trade        on      23:00  yes   no
    trade        silent  12:00  yes   no
    trade        off     12:00  no    no
    amber        off     12:00  no    no
    red          off     12:00  yes   yes
    red          silent  23:00  yes   yes
    red-over     off     12:00  yes   yes
    halted       off     23:00  yes   yes
    resumed      off     12:00  no    no
    heartbeat    silent  12:00  yes   no
"""
JOBS = {
    "trade": (job("trade_event"), "trade"),
    "amber": (job("alarm", severity="amber", state="open"), "alarm"),
    "red": (job("alarm", **RED), "alarm"),
    "red-over": (job("alarm", severity="red", state="closed"), "alarm"),
    "halted": (job("halted"), "halted"),
    "resumed": (job("resumed"), "resumed"),
    "heartbeat": (job("heartbeat"), "heartbeat"),
}


@pytest.mark.parametrize("row", TOLD.strip().splitlines()[1:], ids=str.strip)
def test_what_is_critical_is_told_and_rings_whatever_is_set(row: str) -> None:
    name, tone, at, told, rings = row.split()
    message, kind = JOBS[name]
    chat = Chat(GROUP, 0, quiet=(22 * 60, 7 * 60), tones={kind: Tone(tone)})
    wishes = Tones(chat, int(at.split(":")[0]) * HOUR_MS)
    assert wishes.wanted(message) is (told == "yes")
    if told == "yes":
        assert wishes.rings(message) is (rings == "yes")


async def test_a_tone_is_per_chat_and_outlives_a_restart(
    here: Telegram, journal: Journal, tmp_path: Path
) -> None:
    config = notifier_config(here, tmp_path, chats=f"[{GROUP}, {BOB}]")
    async with notifying(config, journal):
        await here.say(ADA, "/notify trade off", chat=GROUP)
        assert "trade: off" in await here.shows(GROUP, "What this chat is told")
        await here.say(ADA, "/quiet 00:00-23:59", chat=GROUP)
        await here.shows(GROUP, "Quiet hours of this chat: 00:00–23:59 UTC")
    async with notifying(config, journal):
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        assert "EXECUTED" in await here.shows(BOB, arb_id)
        await halt(journal, "the books look wrong")
        await here.shows(GROUP, "the books look wrong")
        await journal.raise_alarm(Alarm("k", "DISK", Severity.RED, "full"), wall_ms())
        await here.shows(GROUP, "full")
        await drained(journal)
        await here.say(ADA, "/notify", chat=GROUP)
        assert "trade: off" in await here.shows(GROUP, "What this chat is told")
    assert not any("EXECUTED" in text for text in here.texts(GROUP))
    critical = [m for m in here.messages(GROUP) if "HALTED" in m.texts[0] or "full" in m.texts[0]]
    assert [m.pings for m in critical] == [True, True]


async def test_what_is_switched_off_waits_for_nobody(
    here: Telegram, journal: Journal, tmp_path: Path
) -> None:
    """It counts as told, so that no alarm says that messages are stuck."""
    async with notifying(notifier_config(here, tmp_path), journal):
        await here.say(ADA, "/notify trade off", chat=GROUP)
        await here.shows(GROUP, "trade: off")
        arb_id = await enter(journal, EVEN)
        await hold(journal, arb_id)
        await drained(journal)
        await here.say(ADA, "/notify trade on", chat=GROUP)
        await here.shows(GROUP, "trade: on")
        await close(journal, arb_id)
        await here.shows(GROUP, "📕 CLOSED")
    assert not any("EXECUTED" in text for text in here.texts(GROUP))
    assert (await journal.read(outbox.backlog)).waiting == 0


async def test_what_cannot_be_set_is_named_with_what_can(
    here: Telegram, journal: Journal, tmp_path: Path
) -> None:
    async with notifying(notifier_config(here, tmp_path), journal):
        await here.say(ADA, "/notify trades off", chat=GROUP)
        found = await here.shows(GROUP, "notify: expected one of trade, alarm, settings")
        assert "found 'trades off'" in found
        await here.say(ADA, "/notify trade loudly", chat=GROUP)
        await here.shows(GROUP, "and one of on, silent, off, found 'trade loudly'")
        await here.say(ADA, "/quiet 25:00-07:00", chat=GROUP)
        await here.shows(GROUP, "quiet: expected hours in UTC such as 22:00-07:00, or off")
        await here.say(ADA, "/quiet off")
        await here.shows(ADA, "this chat is told nothing by itself")
        await here.say(BOB, "/notify trade off", chat=GROUP)
        await here.shows(GROUP, "you may look, /notify needs the role trader")


async def test_a_red_alarm_rings_again_while_nobody_has_seen_it_and_nothing_raises_it(
    here: Telegram, journal: Journal, tmp_path: Path
) -> None:
    """The chat is new: what was told before its time does not reach it."""
    alarm = Alarm("k", "DISK", Severity.RED, "full")
    number = await journal.raise_alarm(alarm, wall_ms() - REPEAT_MS)
    async with notifying(notifier_config(here, tmp_path), journal):
        await here.shows(GROUP, "full")
        await drained(journal)
    assert [m.pings for m in here.messages(GROUP) if "full" in m.texts[0]] == [True]
    await journal.acknowledge_alarm(number, Act("ada", "test", wall_ms()))
    later_ms = wall_ms() + 2 * REPEAT_MS
    assert await journal.read(lambda s: alarms.silent(s, later_ms)) == []
