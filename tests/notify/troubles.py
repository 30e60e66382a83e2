"""What a phone is told while a trade is on its way or in trouble: its message, then the alarms."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from temporalio.client import WorkflowUpdateStage

from activities import answers, worries
from activities.reconcile import ReconcileReport
from app.demo.control import Control
from domain.answers import Answered
from domain.money import usd
from domain.order import Filled
from domain.trade import Phase
from domain.venue import Venue
from notify import notices
from store import anchors
from store.answers import KIND
from store.audit import Act
from store.errors import JournalConflict
from tests.notify.differences import DIFFERENCES
from tests.notify.stage import (
    PAIR,
    SETTLE_MS,
    alarm,
    at_work,
    card,
    card_of,
    last,
    later,
    leaves_at_once,
    reconciler,
    told,
    until,
    written,
)
from tests.support.books import alarms
from tests.support.desk import open_desk
from tests.support.scene import Scene
from tests.support.strangers import buy_by_hand
from tests.support.trading import ORDER_MS, QUICK, Trading, sim_config
from tests.workflows.test_by_hand import unanswered
from workflows import names
from workflows.snapshot import CloseRequest

DIES_SECONDS = 60
RESTING = replace(QUICK, unwind_pause_ms=60_000, unwind_pause_ms_max=60_000)
"""After a sale that did not fill nothing happens for longer than a story takes."""


async def sent(scene: Scene) -> str:
    """Both orders have left, and no venue has answered."""
    async with at_work(scene) as desk:
        for venue in Venue:
            await desk.control.fault(venue, PAIR, "buy", "hang", params={"ms": ORDER_MS * 9 // 10})
        handle = await desk.open(PAIR)
        await until(lambda: desk.both_left(handle.id))
        return await card_of(desk.desk, handle.id)


async def _rings(desk: Trading) -> bool:
    return bool(alarms(desk.database))


async def refused(scene: Scene) -> str:
    """The gate says no: the pair is open already."""
    async with at_work(scene) as desk:
        await desk.hold(PAIR)
        again = await desk.open(PAIR, cents=9)
        await again.result()
        return await card(desk, again.id)


async def unknown(scene: Scene) -> str:
    """Kalshi's answer is lost, and it cannot be asked."""
    async with at_work(scene) as desk, unanswered(desk, PAIR) as handle:
        await until(lambda: _rings(desk))
        return told(await card_of(desk.desk, handle.id), await alarm(desk.desk, "UNKNOWN_LEG"))


async def selling_back(scene: Scene) -> str:
    """Kalshi kills its leg, and Polymarket the first sale."""
    async with at_work(scene) as desk:
        await desk.control.fault("kalshi", PAIR, "buy", "kill", times=0)
        await desk.control.fault("polymarket", PAIR, "sell", "kill", times=0)
        handle = await desk.reach(PAIR, Phase.UNWINDING, gone="kalshi", timing=RESTING)
        await desk.until(handle, lambda now: now.next_try_ms is not None)
        return await card(desk, handle.id)


async def closing(scene: Scene) -> str:
    """A person closes, and Polymarket kills the first sale."""
    async with at_work(scene) as desk:
        await desk.control.fault("polymarket", PAIR, "sell", "kill", times=0)
        handle = await desk.hold(PAIR, timing=RESTING)
        await handle.start_update(
            names.CLOSE_POSITION,
            CloseRequest("ada"),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
        await desk.until(handle, lambda now: now.next_try_ms is not None)
        return await card(desk, handle.id)


async def settling(scene: Scene) -> str:
    """Both venues have paid, and the executor dies before it has booked that."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
    with scene.process("P16/SETTLED:1") as dying:
        async with Control(scene.sim["urls"]["control"]) as control:
            await control.resolve(PAIR, "yes", "yes")
        await asyncio.to_thread(dying.process.wait, DIES_SECONDS)
    async with open_desk(await sim_config(scene.sim, scene.folder)) as desk:
        return await card_of(desk, handle.id)


async def not_settling(scene: Scene) -> str:
    """Polymarket's chain confirms nothing for twenty seconds, then for more than a minute."""
    async with at_work(scene) as desk, desk.slow_chain(60_000):
        handle = await desk.reach(PAIR, Phase.HOLDING)
        entry = await desk.desk.journal.intent(f"{handle.id}/polymarket/entry/1")
        assert isinstance(entry.answer, Filled), entry.answer
        await worries.about_fills(later(desk.desk, 20), entry, entry.answer.fills)
        amber = await alarm(desk.desk, "PROVISIONAL_STUCK")
        await worries.about_fills(later(desk.desk, 70), entry, entry.answer.fills)
        return told(amber, await alarm(desk.desk, "PROVISIONAL_STUCK"))


async def paid_differently(scene: Scene) -> str:
    """The venues answer the same question differently, and neither leg pays."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        await desk.control.resolve(PAIR, "no", "yes")
        await handle.result()
        return told(await card(desk, handle.id), await alarm(desk.desk, "RESOLUTION_MISMATCH"))


async def one_answered(scene: Scene) -> str:
    """Polymarket pays half, and Kalshi has not answered; then a plain answer stays alone."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        await desk.control.resolve(PAIR, "half", kalshi=None)
        await until(lambda: _rings(desk))
        code = "ONE_VENUE_ANSWERED"
        red = told(await card_of(desk.desk, handle.id), await alarm(desk.desk, code))
        await desk.control.resolve(PAIR, None, "no")
        await handle.result()
        return told(red, await alarm(desk.desk, code, state="closed"))


async def one_answered_long_ago(scene: Scene) -> str:
    """Kalshi has answered for a day, and Polymarket has not."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        await desk.control.resolve(PAIR, polymarket=None, kalshi="no")

        async def seen() -> bool:
            happened = await desk.desk.journal.events(handle.id)
            return any(event.kind == KIND for event in happened)

        await until(seen)
        state = await desk.desk.journal.arbitrage(handle.id)
        known = {Venue.KALSHI: Answered(Decimal(1), credited=True)}
        await answers.about_answers(later(desk.desk, 25 * 3_600), state, known)
        return await alarm(desk.desk, "ONE_VENUE_ANSWERED")


async def not_redeemed(scene: Scene) -> str:
    """Both venues have answered, and Polymarket's cash waits for longer than it should."""
    with patch.object(answers, "REDEEM_MS", 0):
        async with at_work(scene) as desk:
            await desk.hold(PAIR)
            await desk.control.knobs("polymarket", redeem_ms=-1)
            await desk.control.resolve(PAIR, "yes", "yes")
            await until(lambda: _rings(desk))
            return await alarm(desk.desk, "NOT_REDEEMED")


async def workflow_lost(scene: Scene) -> str:
    """Somebody terminates the workflow of a held pair."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        await handle.terminate("by mistake")
        await reconciler(desk.desk, scene).report()
        code = "WORKFLOW_LOST"
        return told(await alarm(desk.desk, code), await alarm(desk.desk, code, state="closed"))


async def filled_late(scene: Scene) -> str:
    """An order was believed never to have arrived, and then it is filled."""
    async with at_work(scene) as desk:
        await desk.control.fault("polymarket", PAIR, "buy", "kill")
        await desk.control.fault("kalshi", PAIR, "buy", "hang_before", params={"ms": 900})
        handle = await desk.open(PAIR)
        await handle.result()
        lost = await desk.desk.journal.intent(f"{handle.id}/kalshi/entry/1")
        order = replace(lost.order, not_after_ms=2**53)
        late = await desk.desk.venues[Venue.KALSHI].place(order, lost.identity, leaves_at_once)
        assert isinstance(late, Filled), late
        await reconciler(desk.desk, scene).report()
        return told(await alarm(desk.desk, "LATE_FILL"))


async def traded_by_hand(scene: Scene) -> str:
    """Somebody buys at Kalshi on our account."""
    async with at_work(scene) as desk:
        ours = reconciler(desk.desk, scene)
        await desk.control.edge(PAIR, 8)
        assert await ours.report() == ReconcileReport(None)
        await buy_by_hand(desk, Venue.KALSHI, PAIR, contracts=5)
        await asyncio.sleep(2 * SETTLE_MS / 1000)
        for _ in range(2):
            await ours.report()
        codes = ("FOREIGN_ORDER", "POSITION_DRIFT", "CASH_DRIFT")
        alarms_told = [await alarm(desk.desk, code) for code in codes]
        return told(*alarms_told, await written(desk.desk, await last(desk.desk, notices.HALTED)))


async def not_compared(scene: Scene) -> str:
    """A venue cannot be read."""
    async with at_work(scene) as desk:
        await desk.control.fault("kalshi", "*", "read", "error_before", times=0)
        await reconciler(desk.desk, scene).report()
        return await alarm(desk.desk, "RECONCILE_REJECTED")


async def restored(scene: Scene) -> str:
    """The journal lacks an order that this machine has seen in it."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        why = f"expected order {handle.id}/kalshi/entry/1, found none"
        act = Act("lockstep", "executor", desk.desk.wall_ms())
        await desk.desk.journal.write(act.at_ms, lambda s: anchors.restored(s, why, act))
        return await alarm(desk.desk, "JOURNAL_RESTORED")


async def contradicted(scene: Scene) -> str:
    """A venue says of a trade that is journaled what it did not say before."""
    async with at_work(scene) as desk:
        handle = await desk.hold(PAIR)
        fill = (await desk.desk.journal.arbitrage(handle.id)).fills[0]
        other = replace(fill, fee=usd("0.99"))
        with suppress(JournalConflict):
            await desk.desk.journal.record_fills([other], desk.desk.wall_ms())
        return await alarm(desk.desk, "JOURNAL_CONFLICT")


async def account_refused(scene: Scene) -> str:
    """Polymarket takes no purchase of the account any more."""
    async with at_work(scene) as desk:
        await desk.control.knobs("polymarket", closed_only=True)
        await desk.trade(PAIR)
        return await alarm(desk.desk, "ACCOUNT_REFUSED")


TROUBLES: dict[str, Callable[[Scene], Awaitable[str]]] = {
    story.__name__: story
    for story in (
        sent, refused, unknown, selling_back, closing, settling, not_settling, paid_differently,
        workflow_lost, filled_late, traded_by_hand, not_compared, restored, contradicted,
        account_refused, one_answered, one_answered_long_ago, not_redeemed,
    )
} | DIFFERENCES  # fmt: skip
