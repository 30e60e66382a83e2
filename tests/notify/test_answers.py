"""What a chat is answered from a journal that holds more than a message shows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api import slices
from domain.venue import Mode
from notify import answers
from notify.options import Options
from store import presence, sightings, views
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from tests.store.builders import NOW, an_act, ready
from tests.store.test_trade_logger import locked

OPTIONS = Options(token="1:x", base_url="", chats=(), users={}, mode=Mode.SIM, version="test")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An open journal with cash at both venues."""
    opened = await ready(tmp_path / "journal.db")
    yield opened
    opened.close()


async def test_a_list_that_is_cut_says_how_much_is_left_out_and_where_it_is(
    journal: Journal,
) -> None:
    for number in range(12):
        request = await locked(journal, f"k{number}")
        await journal.raise_alarm(Alarm(f"{number}", "DISK", Severity.AMBER, "full"), NOW)
    looks: dict[str, dict[str, object]] = {f"p{number:02d}": {"card": {}} for number in range(61)}
    await journal.write(NOW, lambda s: sightings.keep(s, "test", looks, (), NOW))
    board = await journal.read(lambda s: answers.read_board(s, OPTIONS, NOW))
    assert "…and 7 more: lockstep alarms list" in answers.status(board)
    held = await journal.read(lambda s: answers.positions_held(s, OPTIONS, NOW))
    assert held.endswith(f"<code>{request.arb_id}</code>\n…and 2 more: lockstep positions")
    watched = await journal.read(answers.pairs)
    assert watched.endswith(", p59\n…and 1 more: lockstep pairs list")


async def test_a_list_that_is_whole_says_nothing_of_more(journal: Journal) -> None:
    request = await locked(journal)
    told = [
        await journal.read(lambda s: answers.positions_held(s, OPTIONS, NOW)),
        answers.status(await journal.read(lambda s: answers.read_board(s, OPTIONS, NOW))),
        await journal.read(answers.pairs),
        await journal.read(lambda s: answers.why(s, OPTIONS, NOW, (request.arb_id,))),
    ]
    assert "more:" not in "".join(told)


# Whether entries are enabled, whether they are halted, whether an executor reports, and what a chat
# says of that; its first word is what page and command say.
RUN_STATES = """
    on   -       yes  RUNNING
    on   -       -    OFF (no executor reports)
    off  -       yes  PAUSED
    off  -       -    OFF (no executor reports; entries are paused)
    on   halted  yes  HALTED (the moon is full)
    off  halted  -    HALTED (the moon is full)
"""


@pytest.mark.parametrize("row", RUN_STATES.strip().splitlines(), ids=str.strip)
async def test_the_run_state_is_the_word_of_pages_and_commands(journal: Journal, row: str) -> None:
    enabled, halted, reports, said = row.strip().split(maxsplit=3)
    if enabled == "off":
        saved = await journal.settings.load()
        await journal.settings.update({"enabled": False}, saved.version, an_act())
    if halted != "-":
        await journal.halt("the moon is full", an_act())
    if reports == "yes":
        await journal.write(NOW, lambda s: presence.report(s, "executor-1", {}, NOW))
    board = await journal.read(lambda s: answers.read_board(s, OPTIONS, NOW))
    assert board.run_word == said
    pulse = await journal.read(lambda s: views.pulse(s, Mode.SIM, 0, 0))
    shown = slices.run_state(pulse, alive=bool(board.executors))
    assert shown["state"] == said.split()[0]
