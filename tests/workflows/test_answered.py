"""A question that is answered while one leg is naked, by one venue alone, or without its cash."""

import asyncio
import threading
import time
from decimal import Decimal

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateStage

from activities import answers
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.support.books import alarms, assert_books_balance
from tests.support.places import snapshot
from tests.support.trading import FEW_TRIES, Trading
from workflows import names, story
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import CloseRequest, HoldRequest, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]


async def naked(desk: Trading, pair: str, held: Venue) -> tuple[Handle, Snapshot]:
    """One leg is held, nobody buys it for more than a cent, and a person was called."""
    if held is Venue.KALSHI:
        await desk.control.fault("kalshi", pair, "sell", "kill", times=0)
    handle = await desk.reach(
        pair, Phase.NEEDS_OPERATOR, gone=held.sibling, polymarket_bid="0.01", bounds=FEW_TRIES
    )
    return handle, await desk.until_phase(handle, Phase.NEEDS_OPERATOR)


@pytest.mark.parametrize("held", list(Venue))
@pytest.mark.parametrize("answer", ["yes", "no", "half"])
async def test_a_naked_leg_is_paid_by_its_venue_and_the_alarm_closes_on_that(
    steady: Trading, pair: str, held: Venue, answer: str
) -> None:
    handle, stuck = await naked(steady, pair, held)
    assert alarms(steady.database) == {"UNHEDGED": 1}
    kalshi = "yes" if answer == "half" else answer
    await steady.control.resolve(pair, answer, kalshi)
    ended = await handle.result()
    assert (ended.phase, ended.status) == (Phase.SETTLED, TradeStatus.PARTIAL)
    leg = stuck.polymarket.state if held is Venue.POLYMARKET else stuck.kalshi.state
    (verdict,) = ended.verdicts
    assert verdict.venue is held
    wins = {"yes": Decimal(held is Venue.POLYMARKET), "no": Decimal(held is Venue.KALSHI)}
    pays = Decimal("0.5") if (answer, held) == ("half", Venue.POLYMARKET) else wins[kalshi]
    assert verdict.cash == pays * leg.held
    assert ended.realised_profit == verdict.cash - leg.paid
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_a_payout_that_the_journal_cannot_write_down_yet_is_found_by_its_phase(
    steady: Trading, pair: str
) -> None:
    handle = await steady.hold(pair)
    journal, free = steady.desk.journal, threading.Event()
    busy = asyncio.create_task(journal.write(steady.desk.wall_ms(), lambda _: free.wait(60)))
    try:
        await steady.control.resolve(pair)
        await steady.until_found(handle, "ArbPhase = 'SETTLING' AND ExecutionStatus = 'Running'")
    finally:
        free.set()
    assert await busy
    assert (await handle.result()).phase == Phase.SETTLED
    assert (await handle.describe()).typed_search_attributes[story.PHASE] == "SETTLED"
    await assert_books_balance(steady)


async def test_one_venue_that_has_not_paid_keeps_an_uneven_pair_open(
    steady: Trading, pair: str
) -> None:
    """Both hold something: the trade ends when both have paid, not before."""
    await steady.control.fault("kalshi", pair, "buy", "partial", params={"size": "10"})
    await steady.control.fault("kalshi", pair, "buy", "kill", times=0)
    await steady.control.fault("polymarket", pair, "sell", "kill", times=0)
    handle = await steady.reach(pair, Phase.NEEDS_OPERATOR, bounds=FEW_TRIES)
    stuck = await steady.until_phase(handle, Phase.NEEDS_OPERATOR)
    assert stuck.kalshi.state.held == 10 < stuck.polymarket.state.held
    await steady.control.resolve(pair, polymarket="yes", kalshi=None)
    with pytest.raises(TimeoutError):
        await steady.until(handle, lambda snapshot: snapshot.phase.ended, seconds=1)
    await steady.control.resolve(pair, polymarket=None, kalshi="yes")
    ended = await handle.result()
    assert ended.phase == Phase.SETTLED
    assert {verdict.venue for verdict in ended.verdicts} == set(Venue)
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_a_close_that_the_answer_overtakes_ends_settled(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair, bounds=FEW_TRIES)
    await steady.control.fault("kalshi", pair, "sell", "kill", times=0)
    stuck = await handle.execute_update(
        names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot
    )
    assert stuck.phase == Phase.NEEDS_OPERATOR
    assert stuck.polymarket.state.held == 0 < stuck.kalshi.state.held
    await steady.control.resolve(pair, "no", "no")
    ended = await handle.result()
    assert (ended.phase, ended.status) == (Phase.SETTLED, TradeStatus.PARTIAL)
    assert [verdict.cash for verdict in ended.verdicts] == [stuck.kalshi.state.held]
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_a_naked_leg_that_a_person_keeps_is_paid_too(steady: Trading, pair: str) -> None:
    handle, _ = await naked(steady, pair, Venue.POLYMARKET)
    await handle.execute_update(ArbitrageWorkflow.hold, HoldRequest("ann"))
    await steady.until_phase(handle, Phase.HOLDING)
    await steady.control.resolve(pair, "yes", "yes")
    ended = await handle.result()
    assert (ended.phase, len(ended.verdicts)) == (Phase.SETTLED, 1)
    assert not alarms(steady.database)


async def rings(desk: Trading, *codes: str) -> list[dict[str, object]]:
    """The open alarms once they are these and no others."""
    deadline = time.monotonic() + 20
    while set(alarms(desk.database)) != set(codes):
        assert time.monotonic() < deadline, f"expected {codes}, found {alarms(desk.database)}"
        await asyncio.sleep(0.05)
    return [
        dict(row) for row in snapshot(desk.database, "alarms")["alarms"] if not row["closed_ms"]
    ]


async def looked(desk: Trading, handle: Handle) -> None:
    """Several looks at what is held have passed."""
    await desk.until_at_rest(handle)
    await asyncio.sleep(1)


async def test_a_part_paid_by_one_venue_alone_is_a_bet_and_rings_until_the_other_answers(
    steady: Trading, pair: str
) -> None:
    handle = await steady.hold(pair)
    held = (await steady.until_at_rest(handle)).kalshi.state.held
    await steady.control.resolve(pair, "half", kalshi=None)
    (told,) = await rings(steady, "ONE_VENUE_ANSWERED")
    assert (told["severity"], told["arb_id"]) == ("red", handle.id)
    assert "Kalshi has not answered" in str(told["detail"])
    assert f"${held / 2:.2f}" in str(told["detail"])
    assert f"${held / 2 + held:.2f}" in str(told["detail"])
    await steady.control.resolve(pair, None, "no")
    assert (await handle.result()).phase == Phase.SETTLED
    assert alarms(steady.database) == {"RESOLUTION_MISMATCH": 1}
    await assert_books_balance(steady)


async def test_what_kalshi_left_open_can_be_closed_and_that_ends_its_alarm(
    steady: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ALONE_MS", 0)
    handle = await steady.hold(pair, bounds=FEW_TRIES)
    await steady.control.resolve(pair, polymarket=None, kalshi="yes")
    await rings(steady, "ONE_VENUE_ANSWERED")
    close = CloseRequest("ann")
    await handle.start_update(
        names.CLOSE_POSITION, close, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    ended = await handle.result()
    assert ended.polymarket.state.held == 0 < ended.kalshi.state.held
    assert [verdict.venue for verdict in ended.verdicts] == [Venue.KALSHI]
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_a_whole_answer_of_one_venue_rings_once_its_sibling_stays_open_for_a_day(
    steady: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await steady.hold(pair)
    await steady.control.resolve(pair, "yes", kalshi=None)
    await looked(steady, handle)
    assert not alarms(steady.database)
    monkeypatch.setattr(answers, "ALONE_MS", 500)
    (told,) = await rings(steady, "ONE_VENUE_ANSWERED")
    assert told["severity"] == "amber"
    await looked(steady, handle)
    (again,) = await rings(steady, "ONE_VENUE_ANSWERED")
    assert again["repeats"] == 0, "amber is told once a day"
    await steady.control.resolve(pair, None, "yes")
    assert (await handle.result()).phase == Phase.SETTLED
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_a_win_that_nobody_redeems_rings_until_it_is_redeemed(
    steady: Trading, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await steady.hold(pair)
    held = (await steady.until_at_rest(handle)).polymarket.state.held
    await steady.control.knobs("polymarket", redeem_ms=10_000)
    try:
        await steady.control.resolve(pair, "yes", "yes")
        await looked(steady, handle)
        assert not alarms(steady.database)
        monkeypatch.setattr(answers, "REDEEM_MS", 500)
        (told,) = await rings(steady, "NOT_REDEEMED")
        assert (told["severity"], told["arb_id"]) == ("amber", handle.id)
        assert f"${held:.2f}" in str(told["detail"])
        assert (await handle.result()).phase == Phase.SETTLED
    finally:
        await steady.control.knobs("polymarket", redeem_ms=0)
    assert not alarms(steady.database)
    await assert_books_balance(steady)
