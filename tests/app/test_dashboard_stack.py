"""The whole stack as `lockstep run` starts it: what the executor sees reaches the pages."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.config_sources import load_config
from app.demo.control import Control
from app.run import RunOptions, Stack, running

SECONDS = 30


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """Exchanges, Temporal, an executor and the API."""
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config
    options = RunOptions(environment={"LOCKSTEP_API__PORT": "0"}, makers=False)
    async with running(config, options) as started:
        yield started


async def _until(
    http: httpx.AsyncClient, path: str, holds: Callable[[Any], bool], seconds: int = SECONDS
) -> Any:
    """The first answer for which `holds` is true."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await http.get(path)
        if answer.status_code == 200 and holds(answer.json()):
            return answer.json()
        assert time.monotonic() < deadline, f"{path}: {answer.text[:500]}"
        await asyncio.sleep(0.2)


def _venues(told: Any) -> list[Any]:
    """Both venues' tiles."""
    return list(told["data"]["venues"].values())


@pytest.mark.slow
@pytest.mark.temporal
async def test_what_the_executor_sees_reaches_the_pages(stack: Stack) -> None:
    assert stack.control_url is not None
    async with (
        Control(stack.control_url) as control,
        httpx.AsyncClient(base_url=stack.urls["api"]) as http,
    ):
        await _until(http, "/api/v1/status", lambda told: told["run_state"] == "PAUSED")
        await control.edge("p01", 8)
        cards = await _until(http, "/api/v1/cards", lambda told: told["items"])
        card = next(one for one in cards["items"] if one["id"] == "p01")
        assert card["verdict"]["code"] in {"disabled", "book_stale"}
        assert {leg["outcome"] for leg in card["legs"].values()} == {"YES", "NO"}
        details = (await http.get("/api/v1/cards/p01")).json()
        assert details["evidence"][0]["known"] is True
        assert details["ladders"]["polymarket"]
        assert details["ladders"]["kalshi"]

        enabled = await http.put("/api/v1/executor/enabled", json={"value": True})
        assert enabled.status_code == 200
        version = (await http.get("/api/v1/settings")).json()["meta"]["version"]
        active = await _until(
            http,
            "/api/v1/settings",
            lambda told: [one["version"] for one in told["meta"]["active"]] == [version],
        )
        assert active["meta"]["active"][0]["at"] >= active["meta"]["saved_at"]

        await control.edge("p02", 8)
        trades = await _until(http, "/api/v1/trades?status=SUCCESS", lambda told: told["items"])
        arb_id = trades["items"][0]["arb_id"]
        preview = await _until(
            http,
            f"/api/v1/positions/{arb_id}/close-preview",
            lambda told: told["why_not"] == "",
        )
        assert float(preview["result"]) < float(preview["hold_at_least"])
        told = await _until(
            http,
            "/api/v1/snapshot",
            lambda told: all(one["ping_ms"] is not None for one in _venues(told)),
        )
        assert all(0 <= one["ping_ms"] < 10_000 for one in _venues(told))
        assert told["data"]["services"]["notifier"] == {
            "state": "off", "lag_ms": 0, "waiting": 0,
            "detail": "not configured (docs/telegram.md)",
        }  # fmt: skip
        funnel = await _until(
            http, "/api/v1/funnel", lambda told: told and told["1h"]["stages"][0]["count"] > 0
        )
        assert funnel["1h"]["stages"][-1]["count"] >= 0
