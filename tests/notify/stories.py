"""Arbitrages played on the simulated exchanges by a real executor, one for each message there is.

`python -m tests.notify.stories` writes the golden texts anew; read the difference before it is
committed: every figure in it was paid at an exchange.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from app.demo.control import Quote
from app.temporal import Server
from domain.policy import Bounds
from domain.trade import Phase
from notify import cards, facts
from tests.support.processes import run_sim
from tests.support.temporal import connect, session_server
from tests.support.trading import SETTLING, Trading, trading
from workflows import names
from workflows.snapshot import CloseRequest

GOLDEN = Path(__file__).parent / "golden"
PAIR = "p07"
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
        handle = await desk.open(PAIR)
        return (await desk.until_phase(handle, Phase.HOLDING)).arb_id


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
    await desk.control.fault("polymarket", PAIR, "buy", "ghost", params={"ms": 700})
    handle = await desk.open(PAIR)
    await desk.until_phase(handle, Phase.HOLDING)
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
    handle = await desk.open(
        PAIR, gone="kalshi", bounds=Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=2)
    )
    return (await desk.until_phase(handle, Phase.NEEDS_OPERATOR)).arb_id


async def closed(desk: Trading) -> str:
    """A person closes a locked pair."""
    handle = await desk.open(PAIR)
    await desk.until_at_rest(handle)
    await handle.execute_update(names.CLOSE_POSITION, CloseRequest("ada"))
    return (await handle.result()).arb_id


async def settled(desk: Trading) -> str:
    """The question is answered and both venues pay."""
    handle = await desk.open(PAIR)
    await desk.until_at_rest(handle)
    await desk.control.resolve(PAIR, "yes", "yes")
    return (await handle.result()).arb_id


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        locked, locked_with_surplus, locked_at_the_second_try, provisional, rolled_back,
        rolled_back_at_kalshi, ghost, nothing_filled, unhedged, closed, settled,
    )
}  # fmt: skip


async def tell(desk: Trading, name: str) -> str:
    """Play a story and write its message."""
    arb_id = await STORIES[name](desk)
    await desk.read_balances()
    return cards.card(await desk.desk.journal.read(lambda s: facts.read(s, arb_id)))


def timeless(text: str) -> str:
    """The message without what no two runs share: durations, the time of day, the arbitrage's id
    and its orders' ids."""
    text = re.sub(r"\d+ ms", "N ms", text)
    text = re.sub(r"\d\d:\d\d:\d\d UTC", "HH:MM:SS UTC", text)
    return re.sub(r"arb-[0-9A-Za-z-]+", "arb-ID", text)


@asynccontextmanager
async def stage(client: Client, queue: str, folder: Path) -> AsyncIterator[Trading]:
    """Exchanges of its own, so that balances are those of this story."""
    with run_sim("--seed", "7") as sim:
        async with trading(sim.ready, client, queue, "1-", folder) as desk:
            await desk.control.knobs("polymarket", **SETTLING)
            yield desk


async def _write(server: Server) -> None:
    client = await connect(server)
    for name in STORIES:
        with tempfile.TemporaryDirectory() as folder:
            async with stage(client, f"stories-{name}", Path(folder)) as desk:
                text = timeless(await tell(desk, name))
        (GOLDEN / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    with session_server() as running:
        asyncio.run(_write(running))
