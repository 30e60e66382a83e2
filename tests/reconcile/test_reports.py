"""Whole reports on real exchanges: what is repaired, what halts, what a person's word settles."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, col, select

from activities.adopt import Adopter
from activities.reconcile import Reconciler, ReconcileReport
from app.workflow_list import WorkflowList
from domain.identity import client_order_id
from domain.money import usd
from domain.order import Filled, NotFilled, Rejection
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Mode, Venue
from store import reconciliation
from store.audit import Act
from store.tables import AlarmRow
from tests.support.books import alarms
from tests.support.saying import said
from tests.support.strangers import buy_by_hand
from tests.support.trading import QUICK, Trading
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import MarkResolved

SETTLE_MS = 200


@pytest.fixture
async def reconciler(desk: Trading) -> Reconciler:
    """That of the executor, with its first report behind it."""
    workflows = WorkflowList(desk.client, desk.task_queue, Bounds(cooldown_ms=0), QUICK)
    adopter = Adopter(desk.desk, workflows, Mode.SIM)
    made = Reconciler(desk.desk, workflows, adopter, Mode.SIM, SETTLE_MS)
    # Polymarket names whole seconds: a trade of an earlier test must not fall into ours.
    await asyncio.sleep(1)
    first = await made.report()
    assert first == ReconcileReport(None)
    return made


async def settled(desk: Trading, reconciler: Reconciler) -> tuple[str, ...]:
    """What is found once everything had time to show itself, and was found twice."""
    await asyncio.sleep(SETTLE_MS / 1000 + 0.05)
    await reconciler.report()
    return (await reconciler.report()).findings


def differences(desk: Trading) -> dict[str, int]:
    """How many the reconciler counted, by kind, those that were none left out."""
    return {
        labels[0][1]: n[0]
        for name, _, labels, n in desk.desk.tally.told()
        if name == "arb_differences" and n[0]
    }


async def test_trades_that_end_in_any_way_leave_nothing_to_find(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    snapshot = await desk.trade(pair)
    assert snapshot.phase == "HOLDING"
    assert await settled(desk, reconciler) == ()
    assert not (await desk.desk.journal.run_state()).halted


async def test_contracts_of_both_outcomes_are_expected_where_an_excess_was_neutralised(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    await desk.control.fault("polymarket", pair, "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=1, buy_opposite=True)
    held = await desk.trade(pair, gone="kalshi", bounds=bounds)
    assert held.phase == "HOLDING"
    assert held.polymarket.state.held == 0 < held.polymarket.state.neutral
    assert await settled(desk, reconciler) == ()
    await desk.control.resolve(pair, "no", "no")
    await handle_of(desk.client, held.arb_id).result()
    assert await settled(desk, reconciler) == ()


@pytest.mark.parametrize("venue", list(Venue))
async def test_a_manual_trade_is_named_halts_and_is_never_ours(
    desk: Trading, reconciler: Reconciler, pair: str, venue: Venue
) -> None:
    await desk.control.edge(pair, 8)
    await buy_by_hand(desk, venue, pair, contracts=5)
    found = await settled(desk, reconciler)
    assert any("is not ours" in one for one in found), found
    state = await desk.desk.journal.run_state()
    assert state.halted
    assert "FOREIGN_ORDER" in str(state.reason) or "DRIFT" in str(state.reason)
    assert alarms(desk.database)["FOREIGN_ORDER"] == 1
    assert alarms(desk.database)["POSITION_DRIFT"] == 1
    assert alarms(desk.database)["CASH_DRIFT"] == 1
    counted = {"FOREIGN_ORDER": 1, "POSITION_DRIFT": 1, "CASH_DRIFT": 1}
    assert differences(desk) == counted

    await desk.desk.journal.resume(Act("ann", "test", desk.desk.wall_ms()))
    assert await settled(desk, reconciler) == ()
    assert differences(desk) == counted, "each once"
    assert not (await desk.desk.journal.run_state()).halted
    assert sum(alarms(desk.database).values()) == 0


async def test_a_deposit_and_a_withdrawal_are_found_in_cash(
    desk: Trading, reconciler: Reconciler
) -> None:
    await desk.control.cash("kalshi", Decimal(-50))
    (found,) = await settled(desk, reconciler)
    assert "kalshi has" in found
    await desk.control.cash("kalshi", Decimal(50))
    assert await settled(desk, reconciler) == ()
    assert _closings(desk) == {"CASH_DRIFT": "a whole report does not show it any more"}
    assert (await desk.desk.journal.run_state()).halted, "only a person resumes"


async def test_a_key_like_ours_that_the_journal_lacks_asks_for_a_person(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    """As after an older copy of the journal was put back."""
    await desk.control.edge(pair, 8)
    key = client_order_id("an order of yesterday")
    await buy_by_hand(desk, Venue.KALSHI, pair, contracts=5, key=key)
    found = await settled(desk, reconciler)
    assert any("was an old one restored?" in one for one in found), found
    standing = await desk.desk.journal.read(reconciliation.read)
    assert standing.restored is not None
    assert standing.read_since_restored


async def test_a_fill_after_never_arrived_re_opens_the_trade_and_it_is_made_even(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    """Both reads hide the order beyond the quarantine; then the exchange shows that it filled."""
    await desk.control.fault("polymarket", pair, "buy", "kill")
    await desk.control.fault("kalshi", pair, "buy", "hang_before", params={"ms": 900})
    handle = await desk.reach(pair, Phase.RESOLVING)
    await handle.result()
    kalshi = f"{handle.id}/kalshi/entry/1"
    answer = (await desk.desk.journal.intent(kalshi)).answer
    assert isinstance(answer, NotFilled)
    assert answer.rejection is Rejection.NEVER_ARRIVED
    order = (await desk.desk.journal.intent(kalshi)).order
    late = await desk.desk.venues[Venue.KALSHI].place(
        replace(order, not_after_ms=2**53), (await desk.desk.journal.intent(kalshi)).identity, _now
    )
    assert isinstance(late, Filled), late

    report = await reconciler.report()
    assert report.repaired == (kalshi, handle.id), report
    assert differences(desk)["MISSING_FILL"] == 1
    successor = handle_of(desk.client, names.workflow_id(handle.id, 1))
    ended = await desk.until_at_rest(successor, seconds=12)
    assert ended.phase in ("FLAT", "HOLDING"), ended.story
    assert ended.kalshi.state.bought == order.size
    if ended.phase == "HOLDING":
        assert ended.polymarket.state.held >= ended.kalshi.state.held == order.size, ended.story
    assert abs(await _held_at_kalshi(desk, pair)) == ended.kalshi.state.held
    assert await settled(desk, reconciler) == ()
    assert sum(alarms(desk.database).values()) == 0, "its late fill is over, too"


async def test_a_late_fill_of_what_a_person_resolved_is_kept_until_he_says_more(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    """He said that it was dealt with: selling what turns up could sell what he sold."""
    await desk.control.fault("polymarket", pair, "buy", "kill")
    await desk.control.fault("kalshi", pair, "buy", "drop_before")
    handle = await desk.open(pair)
    await desk.control.fault("kalshi", "*", "read", "error_before", times=0)
    try:
        await desk.until(
            handle, lambda s: s.phase == "RESOLVING" and not s.polymarket.state.unknown
        )
        word = MarkResolved("ann", "bought nothing, ticket 7", usd(1))
        await said(handle, names.MARK_RESOLVED, word)
    finally:
        await desk.control.clear_faults()
    assert not alarms(desk.database)
    kalshi = f"{handle.id}/kalshi/entry/1"
    intent = await desk.desk.journal.intent(kalshi)
    assert isinstance(intent.answer, NotFilled)
    assert "ticket 7" in intent.answer.detail
    assert await settled(desk, reconciler) == ()
    late = await desk.desk.venues[Venue.KALSHI].place(
        replace(intent.order, not_after_ms=2**53), intent.identity, _now
    )
    assert isinstance(late, Filled), late

    report = await reconciler.report()
    assert report.repaired == (kalshi, handle.id), report
    assert differences(desk)["MISSING_FILL"] == 1
    successor = handle_of(desk.client, names.workflow_id(handle.id, 1))
    kept = await desk.until_phase(successor, "HOLDING", "FLAT", "UNWINDING", "NEEDS_OPERATOR")
    assert kept.phase == "HOLDING", kept.story
    assert kept.kalshi.state.held == intent.order.size
    assert alarms(desk.database)["LATE_FILL"] == 1
    again = MarkResolved("ann", "sold on the site, ticket 8", usd(2))
    await said(successor, names.MARK_RESOLVED, again)
    events = await desk.desk.journal.events(handle.id)
    assert events[-1].detail["moved_by_hand"] == "3"


async def test_a_report_that_cannot_be_read_whole_changes_nothing(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    await desk.control.cash("kalshi", Decimal(-50))
    await desk.control.fault("polymarket", "*", "read", "error_before", times=0)
    try:
        report = await reconciler.report()
        assert report.rejected is not None
        assert report.findings == ()
        assert alarms(desk.database) == {"RECONCILE_REJECTED": 1}
    finally:
        await desk.control.clear_faults()
        await desk.control.cash("kalshi", Decimal(50))
    assert await settled(desk, reconciler) == ()
    assert sum(alarms(desk.database).values()) == 0


async def test_an_answered_question_that_cannot_be_read_is_no_finding(
    desk: Trading, reconciler: Reconciler, pair: str
) -> None:
    """The position is gone since its market paid; the read that would say so fails."""
    handle = await desk.hold(pair)
    assert await settled(desk, reconciler) == ()
    await desk.control.fault("kalshi", pair, "read", "error_before", times=0)
    try:
        await desk.control.resolve(pair, "yes", "yes")
        rejected = 0
        while rejected < 2:
            report = await reconciler.report()
            assert report.findings == ()
            rejected += report.rejected is not None
        assert alarms(desk.database) == {"RECONCILE_REJECTED": 1}
        assert not (await desk.desk.journal.run_state()).halted
    finally:
        await desk.control.clear_faults()
    await handle.result()
    assert await settled(desk, reconciler) == ()
    assert sum(alarms(desk.database).values()) == 0


async def _now() -> NotFilled | None:
    return None


async def _held_at_kalshi(desk: Trading, pair: str) -> Decimal:
    ledger = (await desk.control.state())["kalshi"]
    rows: Any = ledger["positions"]
    return sum(
        (Decimal(row["size"]) for row in rows if row["asset"] == desk.pairs[pair].ticker),
        start=Decimal(0),
    )


def _closings(desk: Trading) -> dict[str, str | None]:
    def read(session: Session) -> dict[str, str | None]:
        rows = session.exec(select(AlarmRow).where(col(AlarmRow.closed_ms).is_not(None)))
        return {row.code: row.evidence for row in rows}

    return desk.desk.journal.database.read_here(read)
