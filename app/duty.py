"""An executor's worker in the role that its lease gives it: sending, or standing by."""

import asyncio
from collections.abc import Callable

from temporalio.client import Client

from activities.reconcile import Reconciler
from app.reach import Reach
from app.wiring import Station, worker

LOOK_SECONDS = 0.1


async def serve(
    client: Client,
    task_queue: str,
    station: Station,
    reconciler: Reconciler,
    reach: Reach,
    done: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Run the worker until `done`; `ready` is called once it polls.

    Who holds the lease does everything. Who stands by shares the workflow tasks, and takes over
    the rest as soon as the lease is its own. Orders in flight when the role or the process ends
    are given the worker's grace to be answered; questions are given up (`activities.stopping`).
    """
    sender, told = station.sender, False
    while not done.is_set():
        if not reach.answers:
            # A worker that begins asks Temporal first, and ends the process where it is silent.
            await asyncio.sleep(LOOK_SECONDS)
            continue
        sends = sender.holds
        async with worker(client, task_queue, station.desk, sends=sends, reconciler=reconciler):
            if not told:
                told = True
                ready()
            ends = [asyncio.create_task(sender.turn(sends)), asyncio.create_task(done.wait())]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()
