"""Arbitrages played on the simulated exchanges by a real executor, one for each message there is.

`python -m tests.notify.stories [NAME…]` writes the golden texts anew; read the difference before
it is committed: every figure in it was paid at an exchange.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.demo.control import Quote
from app.temporal import Server
from domain.money import usd
from domain.policy import Bounds
from domain.trade import Phase
from notify import notices
from notify.jobs import Job, Lane
from store.audit import Act
from store.codec import utc_day
from tests.notify.stage import PAIR, at_work, card, last, stage, timeless, written
from tests.notify.troubles import TROUBLES
from tests.support.scene import Scene
from tests.support.temporal import connect, session_server
from tests.support.trading import QUICK, Trading, change_settings
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, MarkResolved

GOLDEN = Path(__file__).parent / "golden"
WAITS_FOR_A_PERSON = replace(QUICK, unwind_pause_ms_max=60_000)
"""Nothing is tried again by itself while a story is told."""
Story = Callable[[Trading], Awaitable[str]]


async def locked(desk: Trading) -> str:
    """Both legs fill."""
    return (await desk.trade(PAIR)).arb_id


async def locked_with_surplus(desk: Trading) -> str:
    """The book falls before the order arrives: the same dollars buy more shares."""
    await desk.control.edge(PAIR, 8)
    opportunity = await desk.opportunity(PAIR)
    await desk.control.books(PAIR, Quote("0.46", "0.48"), Quote("0.58", "0.60"))
    return (await desk.until_at_rest(await desk.start(opportunity))).arb_id


async def locked_at_the_second_try(desk: Trading) -> str:
    """Kalshi kills its leg once; buying it after all is cheaper than selling the other."""
    await desk.control.fault("kalshi", PAIR, "buy", "kill")
    return (await desk.trade(PAIR)).arb_id


async def provisional(desk: Trading) -> str:
    """Both legs fill, Polymarket's chain is slow."""
    async with desk.slow_chain(60_000):
        return (await desk.reach(PAIR, Phase.HOLDING)).id


async def rolled_back(desk: Trading) -> str:
    """Kalshi kills its leg and nobody offers it any more."""
    await desk.control.fault("kalshi", PAIR, "buy", "kill")
    return (await desk.trade(PAIR, gone="kalshi")).arb_id


async def rolled_back_at_kalshi(desk: Trading) -> str:
    """Polymarket kills its leg and nobody offers it any more."""
    await desk.control.fault("polymarket", PAIR, "buy", "kill")
    return (await desk.trade(PAIR, gone="polymarket")).arb_id


async def ghost(desk: Trading) -> str:
    """Polymarket matches, then the chain fails; the other leg is sold back."""
    await desk.control.fault("polymarket", PAIR, "buy", "ghost", params={"ms": 3_000})
    handle = await desk.reach(PAIR, Phase.HOLDING)
    await desk.withdraw(PAIR, "polymarket")
    return (await handle.result()).arb_id


async def nothing_filled(desk: Trading) -> str:
    """Both legs are killed."""
    for venue in ("polymarket", "kalshi"):
        await desk.control.fault(venue, PAIR, "buy", "kill")
    return (await desk.trade(PAIR)).arb_id


async def unhedged(desk: Trading) -> str:
    """Kalshi kills its leg, and Polymarket kills every sale: a person is needed."""
    await desk.control.fault("kalshi", PAIR, "buy", "kill", times=0)
    await desk.control.fault("polymarket", PAIR, "sell", "kill", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=2)
    handle = await desk.reach(
        PAIR, Phase.NEEDS_OPERATOR, gone="kalshi", bounds=bounds, timing=WAITS_FOR_A_PERSON
    )
    return handle.id


async def neutralised(desk: Trading) -> str:
    """Kalshi kills its leg, Polymarket refuses sales: the other outcome is bought beside it."""
    await desk.control.fault("kalshi", PAIR, "buy", "kill", times=0)
    await desk.control.fault("polymarket", PAIR, "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=1, buy_opposite=True)
    return (await desk.trade(PAIR, gone="kalshi", bounds=bounds)).arb_id


async def neutralised_and_paid(desk: Trading) -> str:
    """The question is answered, and the pairs pay."""
    arb_id = await neutralised(desk)
    await desk.control.resolve(PAIR, "no", "no")
    return (await handle_of(desk.client, arb_id).result()).arb_id


async def closed(desk: Trading) -> str:
    """A person closes a locked pair."""
    handle = await desk.hold(PAIR)
    await handle.execute_update(names.CLOSE_POSITION, CloseRequest("ada"))
    return (await handle.result()).arb_id


async def ended_by_hand(desk: Trading) -> str:
    """A person sells the naked leg on the site and says so."""
    arb_id = await unhedged(desk)
    word = MarkResolved("ada", "sold on the site, ticket 4711", usd("3.25"))
    await handle_of(desk.client, arb_id).execute_update(names.MARK_RESOLVED, word)
    return (await handle_of(desk.client, arb_id).result()).arb_id


async def settled(desk: Trading) -> str:
    """The question is answered and both venues pay."""
    handle = await desk.hold(PAIR)
    await desk.control.resolve(PAIR, "yes", "yes")
    return (await handle.result()).arb_id


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        locked, locked_with_surplus, locked_at_the_second_try, provisional, rolled_back,
        rolled_back_at_kalshi, ghost, nothing_filled, unhedged, closed, settled,
        neutralised, neutralised_and_paid, ended_by_hand,
    )
}  # fmt: skip


async def red_alarm(desk: Trading) -> Job:
    """One leg is naked and cannot be sold."""
    await unhedged(desk)
    return await last(desk.desk, notices.ALARM, code="UNHEDGED", severity="red")


async def amber_alarm(desk: Trading) -> Job:
    """The same leg while it is still being sold."""
    await unhedged(desk)
    return await last(desk.desk, notices.ALARM, code="UNHEDGED", severity="amber")


async def alarm_over(desk: Trading) -> Job:
    """The leg is sold after all."""
    arb_id = await unhedged(desk)
    await desk.control.clear_faults()
    handle = handle_of(desk.client, arb_id)
    await handle.execute_update(names.CLOSE_POSITION, CloseRequest("ada"))
    await handle.result()
    return await last(desk.desk, notices.ALARM, code="UNHEDGED", state="closed")


async def ghost_alarm(desk: Trading) -> Job:
    """A fill is taken back by the chain."""
    await ghost(desk)
    return await last(desk.desk, notices.ALARM, code="GHOST_FILL", state="open")


async def halted(desk: Trading) -> Job:
    """A person halts while a pair is held."""
    await locked(desk)
    await desk.desk.journal.halt("the books look wrong", Act("ada", "web", desk.desk.wall_ms()))
    return await last(desk.desk, notices.HALTED)


async def resumed(desk: Trading) -> Job:
    """The halt is released."""
    await halted(desk)
    await desk.desk.journal.resume(Act("ada", "cli", desk.desk.wall_ms()))
    return await last(desk.desk, notices.RESUMED)


async def paused(desk: Trading) -> Job:
    """Entries are switched off."""
    await change_settings(desk.desk, {"enabled": False})
    return await last(desk.desk, notices.SETTINGS_CHANGED)


async def limits_changed(desk: Trading) -> Job:
    """Two limits are changed at once."""
    await change_settings(desk.desk, {"max_bet": "15", "max_daily_loss": "250"})
    return await last(desk.desk, notices.SETTINGS_CHANGED)


async def daily(desk: Trading) -> Job:
    """A day with a locked pair."""
    await locked(desk)
    now_ms = desk.desk.wall_ms()
    return Job(notices.DAILY, {"day": utc_day(now_ms)}, None, Lane.RESULT, now_ms, [1])


async def heartbeat(desk: Trading) -> Job:
    """A sign of life while a pair is held."""
    await locked(desk)
    now_ms = desk.desk.wall_ms()
    return Job(notices.HEARTBEAT, {"turn": 1}, None, Lane.PROGRESS, now_ms, [1])


ANNOUNCED: dict[str, Callable[[Trading], Awaitable[Job]]] = {
    told.__name__: told
    for told in (
        red_alarm, amber_alarm, alarm_over, ghost_alarm, halted, resumed, paused, limits_changed,
        daily, heartbeat,
    )
}  # fmt: skip
"""What is told beside the cards."""


async def tell(scene: Scene, name: str) -> str:
    """Play a story and write its messages."""
    if name in TROUBLES:
        return await TROUBLES[name](scene)
    async with at_work(scene) as desk:
        if name in ANNOUNCED:
            job = await ANNOUNCED[name](desk)
            await desk.read_balances()
            return await written(desk.desk, job)
        return await card(desk, await STORIES[name](desk))


async def _write(server: Server, wanted: Sequence[str]) -> None:
    client = await connect(server)
    for name in wanted or (*STORIES, *ANNOUNCED, *TROUBLES):
        with (
            tempfile.TemporaryDirectory() as folder,
            stage(client, f"stories-{name}", Path(folder)) as scene,
        ):
            text = timeless(await tell(scene, name))
        (GOLDEN / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    with session_server() as running:
        asyncio.run(_write(running, sys.argv[1:]))
