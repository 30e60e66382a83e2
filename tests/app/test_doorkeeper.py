"""An executor learns by itself that a venue takes no orders, and that it does so again."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.config import Config
from app.config_sources import load_config
from app.demo.control import Control
from app.links import wall_ms
from app.run import RunOptions, running
from domain.policy import Refusal
from store.audit import Act
from store.journal import Journal
from tests.support.places import snapshot
from tests.support.waiting import until


async def enable(config: Config) -> None:
    """As a person does."""
    journal = Journal.open(config.journal, wall_ms())
    saved = await journal.settings.load()
    await journal.settings.update({"enabled": True}, saved.version, Act("ada", "test", wall_ms()))
    journal.close()


@pytest.mark.slow
@pytest.mark.temporal
async def test_an_executor_waits_for_a_venue_that_is_closed(tmp_path: Path) -> None:
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config

    def report() -> dict[str, Any]:
        rows = snapshot(config.database_path, "executors")["executors"]
        told: dict[str, Any] = json.loads(rows[-1]["report"]) if rows else {}
        return told

    def admitted() -> int:
        rows = snapshot(config.database_path, "arbitrages")["arbitrages"]
        return sum(row["phase"] != "REFUSED" for row in rows)

    options = RunOptions(environment={"LOCKSTEP_API__PORT": "0"}, makers=False, pairs=3)
    async with running(config, options) as stack:
        assert stack.control_url is not None
        async with Control(stack.control_url) as control:
            await enable(config)
            await until(lambda: report().get("shut") == {}, "it never reported")
            await control.mode("kalshi", "maintenance")
            await until(lambda: "kalshi" in report()["shut"], "the status was not looked at")
            await control.edge("p01", 8)
            await until(
                lambda: report()["refused"].get(Refusal.VENUE_CLOSED, 0) > 0, "nothing was refused"
            )
            assert admitted() == 0
            state: Any = await control.state()
            assert not any(state[venue]["orders"] for venue in ("polymarket", "kalshi"))
            await control.mode("kalshi", "open")
            await until(lambda: admitted() == 1, "the edge was not taken after the opening")
