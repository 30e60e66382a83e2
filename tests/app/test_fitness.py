"""A machine without room for the journal, or with a clock of its own, lets no entry leave."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config_sources import load_config
from app.demo.control import Control
from app.fitness import problem
from app.run import RunOptions, running
from domain.policy import Refusal
from tests.support.places import snapshot

TABLE = """
free  skew    says
1000  none    -
999   none    999 MB are free for the journal, 1000 are needed
1000  0       -
1000  2000    -
1000  -2000   -
1000  2001    Kalshi's clock and ours are 2.0 s apart
1000  -3600   Kalshi's clock and ours are 3.6 s apart
10    5000    10 MB are free for the journal, 1000 are needed
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
def test_what_makes_a_machine_unfit(line: str) -> None:
    free, skew, said = line.split(maxsplit=2)
    found = problem(int(free), 1_000, None if skew == "none" else int(skew))
    assert (found or "-") == said


@pytest.mark.slow
@pytest.mark.temporal
async def test_it_enters_nothing_under_an_alarm_that_the_next_one_there_closes(
    tmp_path: Path,
) -> None:
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config

    def refused() -> bool:
        reports = snapshot(config.database_path, "executors")["executors"]
        return any(f'"{Refusal.MACHINE_UNFIT}"' in row["report"] for row in reports)

    def is_open() -> bool:
        rows = snapshot(config.database_path, "alarms")["alarms"]
        assert {row["code"] for row in rows} <= {"MACHINE_UNFIT"}, rows
        return any(row["closed_ms"] is None for row in rows)

    crowded = {"LOCKSTEP_API__PORT": "0", "LOCKSTEP_TRADE__DISK_MB_MIN": "1000000000"}
    async with running(config, RunOptions(environment=crowded, makers=False, pairs=2)) as stack:
        assert stack.control_url is not None
        async with Control(stack.control_url) as control:
            await until(is_open, "no alarm was raised")
            await control.edge("p01", 8)
            await until(refused, "nothing was refused")
    roomy = {"LOCKSTEP_API__PORT": "0"}
    async with running(config, RunOptions(environment=roomy, makers=False, pairs=2)):
        await until(lambda: not is_open(), "the alarm was never closed")


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)
