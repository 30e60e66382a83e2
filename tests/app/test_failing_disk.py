"""An executor whose disk does not write: it goes on, says so, and enters nothing for a while."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.config_sources import load_config
from app.demo.control import Control
from app.run import RunOptions, running
from domain.policy import Refusal
from tests.support.disk import LIMITS, writing_nothing
from tests.support.places import snapshot
from tests.support.waiting import until


@LIMITS
@pytest.mark.slow
@pytest.mark.temporal
async def test_an_executor_outlives_it_says_so_and_enters_nothing_for_a_while(
    tmp_path: Path,
) -> None:
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config
    options = RunOptions(environment={"LOCKSTEP_API__PORT": "0"}, makers=False, pairs=2)

    def reports() -> list[Mapping[str, Any]]:
        return snapshot(config.database_path, "executors")["executors"]

    def told() -> list[str]:
        return [row["detail"] for row in snapshot(config.database_path, "alarms")["alarms"]]

    async with running(config, options) as stack:
        child = stack.children["executor"]
        await until(lambda: bool(reports()), "no executor ever reported")
        assert child.pid is not None
        assert stack.control_url is not None
        with writing_nothing(child.pid):
            await asyncio.sleep(1)
            before = reports()[-1]["seen_ms"]
            await asyncio.sleep(2)
            assert reports()[-1]["seen_ms"] == before, "it still writes"
        await until(lambda: reports()[-1]["seen_ms"] > before, "it never reported again")
        await until(lambda: any("was not written" in one for one in told()), "nobody was told")
        async with Control(stack.control_url) as control:
            await control.edge("p01", 8)
            await until(
                lambda: f'"{Refusal.MACHINE_UNFIT}"' in reports()[-1]["report"],
                "nothing was refused",
            )
        assert child.restarts == 0
