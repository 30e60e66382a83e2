"""How often: edits of one message, messages to one chat, to a group, and of the whole bot."""

import asyncio
import itertools
import time
from typing import Any

import pytest

from app.config import Config
from app.wiring import wall_ms
from domain.trade import Phase, TradeStatus
from notify.jobs import EDIT_SECONDS
from notify.pace import GROUP_MESSAGES, Pace, Total
from notify.wire import Wire
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from tests.notify.deals import enter
from tests.notify.harness import GROUP, Telegram, drained, notifying
from tests.notify.test_sender import HALF


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """When the sender turned to Telegram, in seconds, and with which text: the pace is its own,
    however long each way takes."""
    told: list[tuple[float, str]] = []
    for name in ("send", "edit"):
        real = getattr(Wire, name)

        async def noted(wire: Wire, *said: Any, real: Any = real) -> Any:
            told.append((time.monotonic(), str(said[-1])))
            return await real(wire, *said)

        monkeypatch.setattr(Wire, name, noted)
    return told


async def test_edits_of_one_message_keep_their_distance(
    here: Telegram, journal: Journal, config: Config, turned: list[tuple[float, str]]
) -> None:
    async with notifying(config, journal):
        arb_id = await enter(journal, HALF)
        partial = TradeStatus.PARTIAL
        await journal.set_phase(arb_id, Phase.RESOLVING, wall_ms(), status=partial)
        await here.shows(GROUP, "Asking the venue what happened")
        for phase in (Phase.UNWINDING, Phase.RESOLVING, Phase.NEEDS_OPERATOR):
            await journal.set_phase(arb_id, phase, wall_ms(), status=partial)
            await asyncio.sleep(0.6)
        await here.shows(GROUP, "A person is needed")
        await drained(journal)
    [card] = [m for m in here.messages(GROUP) if arb_id in m.texts[-1]]
    times = [at for at, said in turned if arb_id in said]
    assert len(times) == 1 + len(card.edited_ns) > 1
    assert min(b - a for a, b in itertools.pairwise(times)) >= EDIT_SECONDS - 0.01


async def test_one_chat_gets_one_message_a_second(
    here: Telegram, journal: Journal, config: Config, turned: list[tuple[float, str]]
) -> None:
    async with notifying(config, journal):
        for number in range(3):
            alarm = Alarm(str(number), "DISK", Severity.RED, "full")
            await journal.raise_alarm(alarm, wall_ms())
        await here.until(lambda: len(here.messages(GROUP)) == 3)
    assert len(turned) == 3
    assert min(b - a for (a, _), (b, _) in itertools.pairwise(turned)) >= 0.99


def test_a_group_gets_twenty_messages_a_minute() -> None:
    now = [100.0]
    pace = Pace(GROUP, Total(lambda: now[0]))
    for _ in range(GROUP_MESSAGES):
        assert pace.wait() == 0
        pace.note()
        now[0] += 1
    assert pace.wait() == pytest.approx(40)
    now[0] += 40.1
    assert pace.wait() == 0


def test_the_whole_bot_sends_thirty_a_second() -> None:
    total = Total(lambda: 100.0)
    paces = [Pace(number, total) for number in range(1, 40)]
    for pace in paces[:30]:
        assert pace.wait() == 0
        pace.note()
    assert paces[30].wait() == pytest.approx(1)
