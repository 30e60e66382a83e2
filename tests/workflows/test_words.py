"""A person's last words on a leg that could not be sold: keep it, or say that it was dealt with."""

import time
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.money import usd
from domain.trade import Phase, TradeStatus
from tests.support.books import alarms, assert_books_balance
from tests.support.saying import said
from tests.support.trading import FEW_TRIES, QUICK, Trading
from tests.workflows.test_operator import close, refusal_of, sales, stuck
from workflows import names
from workflows.snapshot import HoldRequest, MarkResolved, Snapshot


async def test_a_kept_leg_is_held_uneven_under_its_alarm_until_it_is_closed(
    steady: Trading, pair: str
) -> None:
    handle = await stuck(steady, pair)
    await handle.execute_update(names.HOLD, HoldRequest("ann"), result_type=Snapshot)
    held = await steady.until_phase(handle, Phase.HOLDING)
    assert held.status == TradeStatus.PARTIAL
    assert held.polymarket.state.held > 0 == held.kalshi.state.held
    assert alarms(steady.database)["UNHEDGED"] == 1
    assert (await close(handle, loss_max=None)).phase == Phase.FLAT
    assert not alarms(steady.database)
    await assert_books_balance(steady)


async def test_who_keeps_what_a_close_could_not_sell_has_nothing_more_sold(
    steady: Trading, pair: str
) -> None:
    handle = await stuck(steady, pair)
    assert (await close(handle, loss_max=usd("0.01"))).closing
    before = await sales(steady, handle.id)
    kept: Snapshot = await handle.execute_update(
        names.HOLD, HoldRequest("ann, who takes over"), result_type=Snapshot
    )
    assert not kept.closing
    held = await steady.until_phase(handle, Phase.HOLDING)
    assert await sales(steady, handle.id) == before
    assert held.budget_left is not None
    assert alarms(steady.database)["UNHEDGED"] == 1
    assert (await close(handle, loss_max=None)).phase == Phase.FLAT
    await assert_books_balance(steady)


async def test_a_whole_pair_that_a_close_could_not_sell_is_held_again(
    steady: Trading, pair: str
) -> None:
    handle = await steady.hold(pair, bounds=FEW_TRIES)
    assert (await close(handle, loss_max=usd("0.01"))).phase == Phase.NEEDS_OPERATOR
    await handle.execute_update(names.HOLD, HoldRequest("ann"))
    held = await steady.until_phase(handle, Phase.HOLDING)
    assert held.polymarket.state.held == held.kalshi.state.held > 0
    assert not alarms(steady.database)
    assert (await close(handle, loss_max=None)).phase == Phase.FLAT


async def test_what_was_dealt_with_by_hand_ends_with_the_cash_that_it_brought(
    steady: Trading, pair: str
) -> None:
    handle = await stuck(steady, pair)
    word = MarkResolved("ann", "sold by hand, ticket 4711", usd("3.25"))
    ended = await said(handle, names.MARK_RESOLVED, word)
    assert ended.phase == Phase.FLAT
    paid = ended.polymarket.state.paid + ended.kalshi.state.paid
    assert ended.realised_profit == usd("3.25") - paid
    assert any("ticket 4711 (resolved by ann)" in line.said for line in ended.story)
    assert not alarms(steady.database)


async def test_words_out_of_season_or_without_evidence_are_refused(
    steady: Trading, pair: str
) -> None:
    handle = await steady.hold(pair)
    with pytest.raises(WorkflowUpdateFailedError) as early:
        await handle.execute_update(names.HOLD, HoldRequest("ann"))
    assert refusal_of(early) == (
        "WrongPhase: HOLDING: there is not an uneven pair to keep; "
        "possible in NEEDS_OPERATOR, UNWINDING"
    )
    with pytest.raises(WorkflowUpdateFailedError) as sound:
        await handle.execute_update(names.MARK_RESOLVED, MarkResolved("ann", "x", usd(0)))
    assert refusal_of(sound).startswith("WrongPhase: HOLDING: there is not anything to resolve")


async def test_a_word_without_evidence_ends_nothing(steady: Trading, pair: str) -> None:
    handle = await stuck(steady, pair)
    with pytest.raises(WorkflowUpdateFailedError) as silent:
        await handle.execute_update(names.MARK_RESOLVED, MarkResolved("ann", "  ", usd(0)))
    assert refusal_of(silent).startswith("BadRequest: evidence: expected what was done")
    assert (await close(handle, loss_max=None)).phase == Phase.FLAT
    await assert_books_balance(steady)


async def test_a_leg_that_a_person_took_over_ends_by_his_word(steady: Trading, pair: str) -> None:
    handle = await stuck(steady, pair)
    waiting = await handle.query(names.SNAPSHOT, result_type=Snapshot)
    assert waiting.budget_left is not None
    await handle.execute_update(names.HOLD, HoldRequest("ann, who takes over"))
    kept = await steady.until_phase(handle, Phase.HOLDING)
    assert kept.next_try_ms is None
    word = MarkResolved("ann", "sold by hand, ticket 12", usd("2.50"))
    ended = await said(handle, names.MARK_RESOLVED, word)
    assert ended.phase == Phase.FLAT
    paid = ended.polymarket.state.paid + ended.kalshi.state.paid
    assert ended.realised_profit == usd("2.50") - paid
    assert not alarms(steady.database)


async def test_a_leg_that_waits_for_a_person_says_when_it_is_tried_again(
    steady: Trading, pair: str
) -> None:
    slow = replace(QUICK, unwind_pause_ms_max=60_000)
    handle = await steady.reach(
        pair,
        Phase.NEEDS_OPERATOR,
        gone="kalshi",
        polymarket_bid="0.01",
        bounds=FEW_TRIES,
        timing=slow,
    )
    waiting = await handle.query(names.SNAPSHOT, result_type=Snapshot)
    assert waiting.next_try_ms is not None
    assert 0 < waiting.next_try_ms - time.time_ns() // 1_000_000 <= 60_000
    assert (await close(handle, loss_max=None)).phase == Phase.FLAT
    await assert_books_balance(steady)
