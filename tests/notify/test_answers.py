"""What a chat is answered from a journal that holds more than a message shows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api import slices
from domain.money import usd
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from notify import answers, notices
from notify.options import Options
from store import presence, sightings, views
from store.alarms import Alarm
from store.journal import Journal
from store.lifecycle import Conclusion
from store.states import Severity
from tests.store.builders import NOW, an_act, ready
from tests.store.test_trade_logger import locked

DAY_MS = 86_400_000
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


async def test_a_sum_says_what_of_it_is_guaranteed_and_not_final(journal: Journal) -> None:
    """Two pairs are held, of which one was paid out: 0.90 are earned, 0.90 are not yet."""
    await locked(journal, "held")
    paid = await locked(journal, "paid")
    for outcome in ("none", "one"):
        if outcome == "one":
            await pay_out(journal, paid.arb_id)
        board = await journal.read(lambda s: answers.read_board(s, OPTIONS, NOW))
        figure = {"none": "+$1.80", "one": "+$0.90"}[outcome]
        said = f"+$1.80, {figure} of it guaranteed and not final"
        assert f"Today: 2 trades, 2 with a gain: {said}" in answers.status(board)
        assert f"2 trades today: {said}" in notices.heartbeat(board)
        assert f": {said}" in notices.summary(board)
        told = await journal.read(lambda s: answers.profit(s, OPTIONS, NOW, ("2",)))
        assert "<b>+$1.80 in 2 days" in told
        assert f"\n{figure} of it guaranteed and not final\n" in told
        assert f"2026-09-21: 2 trades, {said}" in told
        assert told.endswith("2026-09-20: 0 trades, +$0.00")


async def test_when_all_of_a_sum_is_final_it_says_nothing_of_guarantees(journal: Journal) -> None:
    paid = await locked(journal)
    await pay_out(journal, paid.arb_id)
    board = await journal.read(lambda s: answers.read_board(s, OPTIONS, NOW))
    told = [
        answers.status(board),
        notices.heartbeat(board),
        notices.summary(board),
        await journal.read(lambda s: answers.profit(s, OPTIONS, NOW, ())),
    ]
    assert all("+$0.90" in one for one in told)
    assert "guaranteed" not in "".join(told)


async def pay_out(journal: Journal, arb_id: str) -> None:
    """The question of a held pair is answered NO, and both venues have paid."""
    await journal.set_phase(arb_id, Phase.SETTLING, NOW + 70)
    await journal.record_payout(arb_id, Venue.KALSHI, usd("10"), NOW + 80)
    await journal.record_payout(arb_id, Venue.POLYMARKET, usd("0"), NOW + 80)
    end = Conclusion(arb_id, Phase.SETTLED, TradeStatus.SUCCESS, "resolved NO", {}, NOW + 90)
    await journal.conclude(end)


async def test_what_was_not_today_is_told_with_its_date(journal: Journal) -> None:
    """Dates are UTC, as every time in a chat is."""
    request = await locked(journal)
    for now_ms, at in ((NOW, ""), (NOW + DAY_MS, "2026-09-21 ")):
        board = await journal.read(lambda s, n=now_ms: answers.read_board(s, OPTIONS, n))  # type: ignore[misc]
        assert f" · {at}14:13:20 UTC" in notices.balances(board)
        logged = await journal.read(lambda s, n=now_ms: answers.trades(s, OPTIONS, n))  # type: ignore[misc]
        assert f"\n{at}14:13:20 UTC SUCCESS +$0.90 guaranteed" in logged
        told = await journal.read(
            lambda s, n=now_ms: answers.why(s, OPTIONS, n, (request.arb_id,))  # type: ignore[misc]
        )
        assert f"⏱ Sent {at}14:13:20 UTC" in told
        assert f"$1000.00 · {at}14:13:20 UTC" in told
        assert f"\n{at}14:13:20 UTC HOLDING" in told
