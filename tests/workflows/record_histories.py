"""Record the golden histories: `python -m tests.workflows.record_histories`.

One file per ending under tests/histories/, from real runs. Run it for a new ending or after a
change of the saga that is not compatible; then say so in the changelog. Stack traces are left out:
they would name files of this machine, and a replay does not read them.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from app.temporal import Server
from domain.policy import Bounds
from domain.trade import Phase
from tests.support.processes import ROOT, Child, run_sim
from tests.support.temporal import connect_to, session_server
from tests.support.trading import SETTLING, Trading, trading
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import CloseRequest, Snapshot

HISTORIES = ROOT / "tests" / "histories"
Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
Play = Callable[[Trading, str], Awaitable[Handle]]


async def settled(desk: Trading, pair: str) -> Handle:
    """Locked and paid."""
    handle = await desk.open(pair)
    await desk.until_at_rest(handle)
    await desk.control.resolve(pair)
    return handle


async def rolled_back(desk: Trading, pair: str) -> Handle:
    """One leg killed, the other sold after two refusals."""
    await desk.control.fault("kalshi", pair, "sell", "kill", times=2)
    return await desk.open(pair, gone="polymarket")


async def completed(desk: Trading, pair: str) -> Handle:
    """One leg killed and bought again."""
    await desk.control.fault("kalshi", pair, "buy", "kill")
    return await settled(desk, pair)


async def answer_lost(desk: Trading, pair: str) -> Handle:
    """Both answers lost after the match."""
    for venue in ("polymarket", "kalshi"):
        await desk.control.fault(venue, pair, "buy", "drop_after")
    return await settled(desk, pair)


async def never_arrived(desk: Trading, pair: str) -> Handle:
    """One order never arrived: quarantine, then the other leg is sold."""
    await desk.control.fault("kalshi", pair, "buy", "drop_before")
    return await desk.open(pair, gone="kalshi")


async def voided(desk: Trading, pair: str) -> Handle:
    """A provisional fill voided while the pair was held."""
    await desk.control.fault("polymarket", pair, "buy", "ghost", params={"ms": 700})
    handle = await desk.open(pair)
    await desk.until_phase(handle, Phase.HOLDING)
    await desk.withdraw(pair, "polymarket")
    return handle


async def closed(desk: Trading, pair: str) -> Handle:
    """Closed by an operator."""
    handle = await desk.open(pair)
    await desk.until_at_rest(handle)
    await handle.execute_update(names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot)
    return handle


async def cancelled(desk: Trading, pair: str) -> Handle:
    """Cancelled while held."""
    handle = await desk.open(pair)
    await desk.until_at_rest(handle)
    await handle.cancel()
    return handle


async def nothing_filled(desk: Trading, pair: str) -> Handle:
    """Both legs killed."""
    for venue in ("polymarket", "kalshi"):
        await desk.control.fault(venue, pair, "buy", "kill")
    return await desk.open(pair)


async def neutralised(desk: Trading, pair: str) -> Handle:
    """One leg killed, the other not to be sold: the other outcome is bought beside it."""
    await desk.control.fault("polymarket", pair, "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=2, buy_opposite=True)
    handle = await desk.open(pair, gone="kalshi", bounds=bounds)
    await desk.until_at_rest(handle)
    await desk.control.resolve(pair)
    return handle


async def refused(desk: Trading, pair: str) -> Handle:
    """Refused by the gate: the pair is open already."""
    await desk.open(pair)
    return await desk.open(pair, cents=9)


PLAYS: tuple[Play, ...] = (
    settled, rolled_back, completed, answer_lost, never_arrived, voided, closed, cancelled,
    nothing_filled, refused, neutralised,
)  # fmt: skip


async def record(server: Server, sim: Child, folder: Path) -> None:
    """Play every ending once and write its history."""
    client = await connect_to(server.address, server.namespace, identity="recorder")
    async with trading(sim.ready, client, "golden", "golden-", folder) as desk:
        await desk.control.knobs("polymarket", **SETTLING)
        for number, play in enumerate(PLAYS, start=1):
            handle = await play(desk, f"p{number:02d}")
            await handle.result()
            history = without_traces((await handle.fetch_history()).to_json_dict())
            write(HISTORIES / f"{play.__name__}.json", history)


def write(path: Path, history: Any) -> None:
    """One golden file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")


def without_traces(value: Any) -> Any:
    """The same JSON without any `stackTrace`."""
    if isinstance(value, dict):
        return {k: without_traces(v) for k, v in value.items() if k != "stackTrace"}
    if isinstance(value, list):
        return [without_traces(one) for one in value]
    return value


def main() -> None:
    """Everything of its own: server, exchanges, journal."""
    with (
        session_server() as server,
        run_sim("--seed", "7") as sim,
        tempfile.TemporaryDirectory() as folder,
    ):
        asyncio.run(record(server, sim, Path(folder)))


if __name__ == "__main__":
    main()
