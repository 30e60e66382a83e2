"""A journal that another process keeps locked ends no executor: what it writes is written later."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.config_sources import load_config
from app.run import RunOptions, running
from tests.support.driver import sqlite3
from tests.support.places import snapshot
from tests.support.waiting import until


@pytest.mark.slow
@pytest.mark.temporal
async def test_an_executor_outlives_a_lock_that_is_held_for_long(tmp_path: Path) -> None:
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config
    options = RunOptions(environment={"LOCKSTEP_API__PORT": "0"}, makers=False, pairs=2)
    log = tmp_path / "logs" / "executor.log"

    def executors() -> list[Mapping[str, Any]]:
        return snapshot(config.database_path, "executors")["executors"]

    async with running(config, options) as stack:
        child = stack.children["executor"]
        await until(lambda: bool(executors()), "no executor ever reported")
        holder = sqlite3.connect(config.database_path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            # Longer than any write waits for a lock.
            await until(
                lambda: child.restarts > 0 or "_report waits for its next turn" in log.read_text(),
                "the executor's report never met the lock",
            )
            [before] = executors()
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        await until(
            lambda: executors()[-1]["seen_ms"] > before["seen_ms"], "it never reported again"
        )
        assert child.restarts == 0
        [after] = executors()
        assert (after["name"], after["since_ms"]) == (before["name"], before["since_ms"])
