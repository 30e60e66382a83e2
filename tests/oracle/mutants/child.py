"""One wrong executor in a process of its own: `MUTANT=name python -m tests.oracle.mutants.child`.

Its argument is the address of a Temporal server. It prints one JSON object: what the judge says.
Without MUTANT the executor is the true one and every scenario named after the address is played.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from sim.main import Options, running
from tests.oracle.checks import examine
from tests.oracle.mutants.planted import MUTANTS
from tests.oracle.mutants.scenarios import GIVEN_UP, SCENARIOS, SLOW_FIRST_BYTE, patience
from tests.oracle.world import TABLES, Rules, World, read_ledgers
from tests.support import trading as trading_support
from tests.support.places import snapshot
from tests.support.temporal import unique
from tests.support.trading import SETTLING, Trading, trading

QUARANTINE_MS = {"answer_late": 1_500}
ALARM_MS = 1_500


async def play(address: str, scenario: str) -> dict[str, Any]:
    """Play one scenario on fresh exchanges and a fresh journal; what the judge says."""
    if scenario in SLOW_FIRST_BYTE:
        trading_support.ORDER_MS = 3_000  # the hold-up is part of what an order may take
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockstep-mutant-") as folder:
        async with (
            running(Options(pairs=4)) as exchanges,
            trading(
                exchanges.ready, client, unique(scenario), unique("m") + "-", Path(folder)
            ) as here,
        ):  # fmt: skip
            await here.control.knobs("polymarket", **SETTLING)
            _hold_up(here, SLOW_FIRST_BYTE.get(scenario, 0))
            GIVEN_UP.clear()
            with patience("its own end"):
                await asyncio.wait_for(SCENARIOS[scenario](here), 25)
            world = await _world(here, scenario)
    found = [(violation.check, violation.what) for violation in examine(world)]
    return {
        "scenario": scenario,
        "checks": sorted({check for check, _ in found}),
        "violations": found,
        "ended": sorted(
            f"{row['phase']} {row['status'] or row['reason']}" for row in world.tables["arbitrages"]
        ),
        "orders": sum(row["sent_ms"] is not None for row in world.tables["intents"]),
        "given_up": list(GIVEN_UP),
        "seconds": round(time.monotonic() - began, 1),
    }


def _hold_up(here: Trading, milliseconds: int) -> None:
    """Hold every order up before the last gate."""
    if not milliseconds:
        return
    journal: Any = here.desk.journal
    mark_sent = journal.mark_sent

    async def late(*arguments: Any) -> Any:
        await asyncio.sleep(milliseconds / 1000)
        now_ms = time.time_ns() // 1_000_000
        return await mark_sent(arguments[0], now_ms, *arguments[2:])

    journal.mark_sent = late


async def _world(here: Trading, scenario: str) -> World:
    state = await here.control.state()
    return World(
        accounts=read_ledgers(state),
        tables=snapshot(here.database, *TABLES),
        rules=Rules(
            quarantine_ms=QUARANTINE_MS.get(scenario, 600), alarm_ms=ALARM_MS, void_ms=2_000
        ),
        at_ms=time.time_ns() // 1_000_000,
    )


async def main(address: str, scenarios: list[str]) -> None:
    """Plant what MUTANT names, play, print."""
    name = os.environ.get("MUTANT", "")
    if name:
        MUTANTS[name].plant()
        scenarios = [MUTANTS[name].scenario]
    for scenario in scenarios:
        report = await play(address, scenario)
        sys.stdout.write(json.dumps({"mutant": name, **report}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
