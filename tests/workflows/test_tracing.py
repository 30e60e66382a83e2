"""One trace per arbitrage at a collector; a collector that hangs or is missing costs no trade."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import Client

from app.config import Config
from app.config_sources import load_config
from app.errors import ConfigError
from app.tracing import PATIENCE_S, tracing
from domain.trade import Phase
from tests.support.collector import collector
from tests.support.scene import Scene
from tests.support.trading import Trading
from workflows import names

KEY = "0x" + "c0ffee" * 10 + "abcd"


def config_of(folder: Path, endpoint: str) -> Config:
    environment = {"LOCKSTEP_POLYMARKET__PRIVATE_KEY": KEY, "LOCKSTEP_TRACING__ENDPOINT": endpoint}
    return load_config(env=environment, folder=folder).config


@asynccontextmanager
async def traced(scene: Scene, folder: Path, endpoint: str) -> AsyncIterator[Trading]:
    """An executor whose client was made as that of the product is."""
    async with tracing(config_of(folder, endpoint)) as interceptors:
        settings = {**scene.client.config(), "interceptors": interceptors}
        async with replace(scene, client=Client(**settings)).hire() as desk:  # type: ignore[arg-type]
            yield desk


async def test_an_arbitrage_is_one_trace_from_its_start_to_its_last_activity(
    scene: Scene, pair: str, tmp_path: Path
) -> None:
    with collector() as told:
        async with traced(scene, tmp_path, told.url) as desk:
            handle = await desk.hold(pair)
            await desk.control.resolve(pair)
            await handle.result()
        found = [one for one in told.spans() if one.attributes["lockstep.arb_id"] == handle.id]
    (root,) = [span for span in found if span.name == f"StartWorkflow:{names.ARBITRAGE}"]
    spans = [span for span in found if span.trace == root.trace]
    others = {span.name for span in found} - {span.name for span in spans}
    assert others <= {"QueryWorkflow:snapshot", "HandleQuery:snapshot"}, "asked by this test"
    assert [span for span in spans if not span.parent] == [root]
    ids = {span.span for span in spans}
    assert {span.parent for span in spans} - {""} <= ids
    said = [span.name for span in spans]
    assert said.count("RunActivity:place_order") == 2
    assert {f"RunWorkflow:{names.ARBITRAGE}", "RunActivity:watch_settlement"} <= set(said)


async def test_a_workflow_that_goes_on_for_another_is_found_by_the_arbitrage(
    scene: Scene, pair: str, tmp_path: Path
) -> None:
    with collector() as told:
        async with traced(scene, tmp_path, told.url) as desk:
            handle = await desk.hold(pair)
            state = await desk.desk.journal.arbitrage(handle.id)
            plan = replace(desk.plan(state.opportunity), adopted=1)
            again = await desk.client.start_workflow(
                names.ARBITRAGE, plan, id=f"{handle.id}:adopt-1", task_queue=desk.task_queue
            )
            await again.cancel()
            await again.result()
        found = [s for s in told.spans() if s.attributes["lockstep.arb_id"] == handle.id]
    carried = {span.attributes["temporalWorkflowID"] for span in found}
    assert carried == {handle.id, f"{handle.id}:adopt-1"}


async def test_no_secret_leaves_in_the_words_of_an_exception(tmp_path: Path) -> None:
    with collector() as told:
        async with tracing(config_of(tmp_path, told.url)) as (interceptor,):
            tracer = interceptor.tracer  # type: ignore[attr-defined]
            with (
                pytest.raises(ValueError, match="c0ffee"),
                tracer.start_as_current_span("sign", attributes={"said": f"with {KEY}"}),
            ):
                raise ValueError(f"cannot sign with {KEY}")
        body = b"".join(told.bodies)
    assert b"cannot sign with [hidden]" in body
    assert b"c0ffee" not in body


async def test_a_collector_that_hangs_costs_no_trade_and_ends_in_time(
    scene: Scene, pair: str, tmp_path: Path
) -> None:
    with collector(hang_s=60) as told:
        async with tracing(config_of(tmp_path, told.url)) as interceptors:
            settings = {**scene.client.config(), "interceptors": interceptors}
            hired = replace(scene, client=Client(**settings))  # type: ignore[arg-type]
            async with hired.hire() as desk:
                assert (await desk.trade(pair)).phase is Phase.HOLDING
            ended = time.monotonic()
        assert time.monotonic() - ended < 4 * PATIENCE_S


async def test_without_the_packages_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "temporalio.contrib.opentelemetry", None)
    with pytest.raises(ConfigError, match=r"tracing.endpoint: expected .* lockstep\[otel\]"):
        async with tracing(config_of(tmp_path, "http://127.0.0.1:4318")):
            pass


async def test_no_collector_no_interceptor(tmp_path: Path) -> None:
    async with tracing(load_config(env={}, folder=tmp_path).config) as interceptors:
        assert interceptors == []
