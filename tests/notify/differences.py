"""What a phone is told where journal and venue, or journal and Temporal, say different things, and
where messages do not leave or a machine is unfit; what raises an alarm here raises it in a running
system too."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from activities.reconcile import Reconciler, ReconcileReport
from activities.resolve import resolve_intent
from api.auth import LOGIN_BURST, Auth
from api.problems import Problem
from app.demo.control import Control
from app.fitness import Fitness
from app.keeper import tell_of_server
from app.notifier import notifier_options
from domain.identity import client_order_id
from domain.order import Filled
from domain.venue import Venue
from notify.office import PostOffice
from notify.wire import Wire
from store.audit import Act
from tests.api.harness import with_login
from tests.notify.harness import GROUP, OTHER, notifier_config, telegram
from tests.notify.stage import (
    PAIR,
    SETTLE_MS,
    alarm,
    at_work,
    later,
    leaves_at_once,
    reconciler,
    until,
)
from tests.support.books import alarms
from tests.support.desk import open_desk
from tests.support.processes import run_sim
from tests.support.scene import Scene
from tests.support.strangers import buy_by_hand
from tests.support.trading import QUICK, sim_config
from tests.workflows.test_by_hand import unanswered


async def unknown_for_long(scene: Scene) -> str:
    """Kalshi's answer is lost, and its lists cannot be read for longer than ten seconds."""
    async with at_work(scene) as desk, unanswered(desk, PAIR) as handle:
        entry = await desk.desk.journal.intent(f"{handle.id}/kalshi/entry/1")
        await resolve_intent(later(desk.desk, 12), entry, QUICK)
        return await alarm(desk.desk, "UNKNOWN_LEG", severity="red")


async def order_of_a_lost_journal(scene: Scene) -> str:
    """An order with a key like ours fills at Kalshi, and the journal that had it is gone."""
    async with at_work(scene) as desk:
        ours = reconciler(desk.desk, scene)
        await desk.control.edge(PAIR, 8)
        assert await ours.report() == ReconcileReport(None)
        key = client_order_id("an order of yesterday")
        await buy_by_hand(desk, Venue.KALSHI, PAIR, contracts=5, key=key)
        await _reported_twice(ours)
        return await alarm(desk.desk, "LOST_ORDER")


async def workflow_of_a_lost_journal(scene: Scene) -> str:
    """A workflow holds a pair, and the journal is one from before it."""
    async with at_work(scene) as desk:
        await desk.hold(PAIR)
    folder = scene.folder / "older"
    folder.mkdir()
    async with open_desk(await sim_config(scene.sim, folder)) as older:
        ours = reconciler(later(older, 20), scene)
        await _reported_twice(ours)
        return await alarm(older, "STRAY_WORKFLOW")


async def fill_of_another_account(scene: Scene) -> str:
    """The journal counts fills, and the accounts that are asked now never had them."""
    async with at_work(scene) as desk:
        await desk.hold(PAIR)
        await reconciler(desk.desk, scene).report()
    with run_sim("--seed", "7") as other:
        async with open_desk(await sim_config(other.ready, scene.folder)) as desk:
            await _reported_twice(reconciler(desk, scene))
            return await alarm(desk, "FILL_NOT_AT_VENUE")


async def filled_though_refused(scene: Scene) -> str:
    """Kalshi killed an order, and the exchange that is asked now has filled it."""
    async with at_work(scene) as desk:
        for venue in Venue:
            await desk.control.fault(venue, PAIR, "buy", "kill")
        killed = await desk.trade(PAIR)
        await reconciler(desk.desk, scene).report()
        refused = await desk.desk.journal.intent(f"{killed.arb_id}/kalshi/entry/1")
    with run_sim("--seed", "7") as other:
        async with (
            Control(other.ready["urls"]["control"]) as control,
            open_desk(await sim_config(other.ready, scene.folder)) as desk,
        ):
            await control.edge(PAIR, 8)
            order = replace(refused.order, not_after_ms=2**53)
            port = desk.venues[Venue.KALSHI]
            late = await port.place(order, refused.identity, leaves_at_once)
            assert isinstance(late, Filled), late
            await _reported_twice(reconciler(desk, scene))
            return await alarm(desk, "FILL_CONTRADICTS")


async def messages_stuck(scene: Scene) -> str:
    """One of two chats has blocked the bot for more than a minute; the other one is told."""
    async with at_work(scene) as desk, telegram(GROUP, OTHER) as here:
        await here.script("blocked", method="*", chat=GROUP, times=0)
        options = notifier_options(notifier_config(here, scene.folder, chats=f"[{GROUP}, {OTHER}]"))
        wire, ahead_ms = Wire(options), [0]
        office = PostOffice(
            desk.desk.journal, wire, options, lambda: desk.desk.wall_ms() + ahead_ms[0]
        )
        await office.open()
        act = Act("ada", "web", desk.desk.wall_ms())
        await desk.desk.journal.halt("the books look wrong", act)
        await _while_it_runs(office, lambda: len(here.texts(OTHER)) >= 3 and _refused(office))
        ahead_ms[0] = 70_000
        await _while_it_runs(office, lambda: "OUTBOX_STUCK" in alarms(desk.database))
        await wire.close()
        return await alarm(desk.desk, "OUTBOX_STUCK")


async def no_room(scene: Scene) -> str:
    """Less is free for the journal than must be."""
    async with at_work(scene) as desk:
        await Fitness(desk.desk, [scene.folder], 10**9).look()
        return await alarm(desk.desk, "MACHINE_UNFIT")


async def temporal_down(scene: Scene) -> str:
    """The embedded server is gone, and does not come back at once."""
    async with at_work(scene) as desk:
        config = await sim_config(scene.sim, scene.folder)
        await tell_of_server(config, "the Temporal server ended unasked (code -9)", False)
        vain = "the Temporal server does not come back: its disk is full"
        await tell_of_server(config, vain, True)
        return await alarm(desk.desk, "TEMPORAL_DOWN", severity="red")


async def passwords_tried(scene: Scene) -> str:
    """Somebody tries one password after another at the dashboard's login."""
    async with at_work(scene) as desk:
        auth = Auth(desk.desk.journal, with_login(), desk.desk.wall_ms)
        for _ in range(LOGIN_BURST + 1):
            with suppress(Problem):
                await auth.log_in("a guess", "203.0.113.7")
        return await alarm(desk.desk, "LOGIN_LOCKOUT")


def _refused(office: PostOffice) -> bool:
    return office.senders[GROUP].trouble is not None


async def _while_it_runs(office: PostOffice, holds: Callable[[], bool]) -> None:
    async def seen() -> bool:
        return holds()

    running = asyncio.create_task(office.run())
    try:
        await until(seen)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _reported_twice(ours: Reconciler) -> None:
    """What is found is believed the second time, once everything had time to show itself."""
    await asyncio.sleep(2 * SETTLE_MS / 1000)
    for _ in range(2):
        report = await ours.report()
        assert report.rejected is None, report


DIFFERENCES: dict[str, Callable[[Scene], Awaitable[str]]] = {
    story.__name__: story
    for story in (
        unknown_for_long, order_of_a_lost_journal, workflow_of_a_lost_journal,
        fill_of_another_account, filled_though_refused, messages_stuck, no_room,
        temporal_down, passwords_tried,
    )
}  # fmt: skip
