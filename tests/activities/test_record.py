"""Where an arbitrage stands, told by workers of which one may have stood still meanwhile."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from activities.desk import report
from activities.record import write_down
from domain.order import Filled, NotFilled, Rejection
from domain.standing import Standing
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store.alarms import open_alarms
from store.arbitrages import ArbitrageState
from store.errors import StillOpen
from tests.domain.tables import rows
from tests.store.builders import NOW, a_fill, admitted, an_act, ready

# Words in the order in which they reach the journal: run, length of its history, phase.
TOLD = """
    first                second               third                journal says
    one 10 RESOLVING     one 20 HOLDING       -                    HOLDING
    one 20 HOLDING       one 12 RESOLVING     -                    HOLDING
    one 20 HOLDING       one 12 UNWINDING     -                    HOLDING
    one 20 HOLDING       one 20 RESOLVING     -                    RESOLVING
    one 20 HOLDING       one 31 RESOLVING     -                    RESOLVING
    one 20 HOLDING       two 4 RESOLVING      -                    RESOLVING
    one 20 HOLDING       two 4 RESOLVING      two 9 HOLDING        HOLDING
    one 20 RESOLVING     one 12 RESOLVING     one 14 HOLDING       RESOLVING
"""


@pytest.mark.parametrize(("first", "second", "third", "says"), rows(TOLD))
async def test_a_worker_that_was_overtaken_says_nothing_any_more(
    tmp_path: Path, first: str, second: str, third: str, says: str
) -> None:
    journal = await ready(tmp_path / "journal.db")
    arb_id = (await admitted(journal)).arb_id
    for number, told in enumerate(one for one in (first, second, third) if one != "-"):
        standing = _standing(await journal.arbitrage(arb_id), *told.split())
        now_ms = NOW + 1_000 * (number + 1)
        await journal.write(now_ms, partial(write_down, standing=standing, now_ms=now_ms))
    assert (await journal.arbitrage(arb_id)).phase == says
    journal.close()


async def test_another_try_leaves_an_alarm_red_and_seen(tmp_path: Path) -> None:
    journal = await ready(tmp_path / "journal.db")
    arb_id = (await admitted(journal)).arb_id
    tries = ("RESOLVING", "UNWINDING", "NEEDS_OPERATOR", "UNWINDING", "NEEDS_OPERATOR")
    for number, phase in enumerate(tries):
        standing = _standing(await journal.arbitrage(arb_id), "one", str(number), phase)
        now_ms = NOW + 1_000 * number
        await journal.write(now_ms, partial(write_down, standing=standing, now_ms=now_ms))
        if number == 2:
            [alarm] = await journal.read(open_alarms)
            assert alarm.id is not None
            await journal.acknowledge_alarm(alarm.id, an_act(now_ms))
    [alarm] = await journal.read(open_alarms)
    assert (alarm.code, alarm.severity, alarm.acknowledged_by) == ("UNHEDGED", "red", "ada")
    journal.close()


@pytest.mark.parametrize("knows", [True, False])
async def test_a_late_fill_is_over_once_who_counts_it_finds_the_trade_even(
    tmp_path: Path, knows: bool
) -> None:
    journal = await ready(tmp_path / "journal.db")
    request = await admitted(journal)
    polymarket, kalshi = (order for order, _ in request.orders)
    lost = NotFilled(Rejection.NEVER_ARRIVED, "missed 5 times")
    for order, answer in ((polymarket, Filled("1", (a_fill(polymarket),))), (kalshi, lost)):
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, answer, NOW + 2)
    before = await journal.arbitrage(request.arb_id)
    await journal.record_answer(kalshi.intent_id, Filled("2", (a_fill(kalshi),)), NOW + 90_000)
    late = [alarm.code for alarm in await journal.read(open_alarms)]
    assert late == ["LATE_FILL"]
    after = await journal.arbitrage(request.arb_id) if knows else before
    for number, phase in enumerate(("RESOLVING", "HOLDING", "SETTLING", "SETTLED")):
        standing = _standing(after, "one", str(number), phase)
        now_ms = NOW + 91_000 + number
        with nullcontext() if knows or number < 2 else pytest.raises(StillOpen):
            await journal.write(now_ms, partial(write_down, standing=standing, now_ms=now_ms))
    assert (await journal.arbitrage(request.arb_id)).phase == ("SETTLED" if knows else "HOLDING")
    assert [alarm.code for alarm in await journal.read(open_alarms)] == ([] if knows else late)
    journal.close()


async def test_what_was_paid_is_written_down_once_whatever_comes_later(tmp_path: Path) -> None:
    """A report that was lost is said again: what it said is in the journal."""
    journal = await ready(tmp_path / "journal.db")
    request = await admitted(journal)
    for order, _ in request.orders:
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, Filled("1", (a_fill(order),)), NOW + 2)
    state = await journal.arbitrage(request.arb_id)
    for number, phase in enumerate(("RESOLVING", "HOLDING", "SETTLING", "SETTLED", "SETTLED")):
        if number == 4:
            more = a_fill(request.orders[0][0], trade="t2", contracts="1")
            await journal.record_fills((more,), NOW + 8)
        standing = _standing(state, "one", str(number), phase)
        await journal.write(NOW + 9, partial(write_down, standing=standing, now_ms=NOW + 9))
    assert (await journal.arbitrage(request.arb_id)).phase == "SETTLED"
    journal.close()


def _standing(state: ArbitrageState, run_id: str, history: str, phase: str) -> Standing:
    return Standing(
        arb_id=state.arb_id,
        revision=1,
        opportunity=state.opportunity,
        mode=Mode.SIM,
        phase=Phase(phase),
        status=TradeStatus.SUCCESS,
        polymarket=report(state, Venue.POLYMARKET),
        kalshi=report(state, Venue.KALSHI),
        locked=False,
        settled=True,
        profit=None,
        reason="as it was told",
        run_id=run_id,
        history=int(history),
    )
