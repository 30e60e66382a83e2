"""The seed's three integration tests, and closing a real position: all real but the money."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.policy import Bounds
from domain.trade import Phase
from store import audit
from tests.api.harness import Json, Running, opened, serving, until
from tests.support.trading import Trading


@pytest.fixture
async def dashboard(trader: Trading, temporal_client: Client) -> AsyncIterator[Running]:
    """The API on the executor's journal."""
    async with serving(trader.desk.journal, temporal_client) as running, reporting(running):
        yield running


@asynccontextmanager
async def reporting(running: Running) -> AsyncIterator[None]:
    """Within the block the executor reports each second, as one does that runs: whoever was heard
    of once counts as alive for five, which a trade may take."""

    async def report() -> None:
        while True:
            await running.executor_lives(settings_version=2, settings_at_ms=1)
            await asyncio.sleep(1)

    await running.executor_lives(settings_version=2, settings_at_ms=1)
    task = asyncio.create_task(report())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_websocket_connection_lifecycle(api: Running) -> None:
    hub = api.app.state.service.live.hub
    async with api.page() as first, api.page() as second:
        assert (await first.next())["type"] == "init"
        assert (await second.next())["type"] == "init"
        assert len(hub.clients) == 2
        await first.socket.close()
        await until(lambda: len(hub.clients) == 1)
        await second.ask("status_changed", action="toggle_enabled", value=False)
        await api.app.state.connections.restart()
        assert (await second.next("bye"))["data"]["reason"]
        assert await second.closed() == 1012
    await until(lambda: not hub.clients)


async def test_settings_persist_across_a_restart(tmp_path: Path, temporal_client: Client) -> None:
    for version, bet in ((1, "10"), (2, "12.5"), (3, "14")):
        journal = opened(tmp_path)
        async with serving(journal, temporal_client) as api, api.page() as page:
            data = (await page.next("init"))["data"]
            assert data["settings"]["meta"]["version"] == version
            assert data["settings"]["meta"]["exact"]["max_bet"] == bet
            following = {1: "12.5", 2: "14", 3: "20"}[version]
            changes = {"max_bet": following}
            await page.ask("settings_changed", action="update_settings", settings=changes)
        journal.close()


@pytest.mark.temporal
async def test_real_time_updates_reach_every_page(trader: Trading, dashboard: Running) -> None:
    async with dashboard.page() as one, dashboard.page() as other:
        snapshot = await trader.trade("p01")
        assert snapshot.phase is Phase.HOLDING
        for page in (one, other):
            opened_row = (await page.next("position_opened"))["data"]
            assert opened_row["arb_id"] == snapshot.arb_id
            assert not opened_row["stale"], "its workflow has not been asked yet"
            assert opened_row["poly_contracts"] == opened_row["kalshi_contracts"] > 0
            assert {leg["outcome"] for leg in opened_row["legs"].values()} == {"YES", "NO"}
        trade = next(m for m in one.seen if m["type"] == "trade_event")["data"]
        assert trade["arb_id"] == snapshot.arb_id
        assert trade["exact"]["pnl"] == str(snapshot.locked_profit).rstrip("0")
        await trader.read_balances()
        told = (await other.next("balance_update"))["data"]
        assert told["poly"] + told["kalshi"] == pytest.approx(float(told["total"]))


@pytest.mark.temporal
async def test_a_position_is_closed_by_its_workflow(trader: Trading, dashboard: Running) -> None:
    snapshot = await trader.trade("p01")
    async with dashboard.page() as page:
        init = await page.next("init")
        if not init["data"]["positions"]:
            await page.next("position_opened")
        arb_id = snapshot.arb_id
        accepted = await page.ask("accepted", action="close_position", position_id=arb_id)
        assert accepted["data"]["state"] == "pending"
        closed = await page.next("position_closed", ref="mine")
        assert (closed["data"]["id"], closed["data"]["status"]) == (arb_id, "closed")
    location = accepted["data"]["location"]
    operation = (await dashboard.http.get(location)).json()
    assert (operation["state"], operation["result"]["phase"]) == ("succeeded", "FLAT")
    detail = (await dashboard.http.get(f"/api/v1/arbitrages/{arb_id}")).json()
    assert (detail["phase"], detail["realised"]) == ("FLAT", closed["data"]["pnl"])
    for leg in detail["legs"].values():
        assert leg["state"] == "sold"
        assert leg["stamps"]["sent_at"] <= leg["stamps"]["acked_at"]
    assert detail["workflow_id"] == arb_id
    for result in detail["results"]:
        own = detail["legs"][result["platform"]]
        assert (result["success"], result["error"]) == (True, None)
        assert result["order_id"] == own["order_id"]
        assert Decimal(result["filled_shares"]) == Decimal(own["size"])
    orders = detail["orders"]
    assert [one["action"] for one in orders] == ["buy", "buy", "sell", "sell"]
    for one in orders:
        times = [one[name] for name in ("created_at", "sent_at", "answered_at")]
        assert times == sorted(times)
        assert one["settled_at"] >= one["sent_at"]
        assert one["rejection"] is None
    again = await dashboard.http.post(f"/api/v1/positions/{arb_id}/close", json={})
    assert (again.status_code, again.json()["code"]) == (409, "not_open")


@pytest.mark.temporal
async def test_a_neutral_leg_shows_what_it_pays_and_is_naked_nowhere(
    trader: Trading, dashboard: Running
) -> None:
    await trader.control.fault("polymarket", "p01", "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=1, buy_opposite=True)
    handle = await trader.hold("p01", gone="kalshi", bounds=bounds)
    leg = (await trader.desk.journal.arbitrage(handle.id)).polymarket
    assert leg.held == 0 < leg.neutral
    detail = (await dashboard.http.get(f"/api/v1/arbitrages/{handle.id}")).json()
    shown = detail["legs"]["polymarket"]
    assert (detail["phase"], detail["status"]) == ("HOLDING", "PARTIAL")
    assert (shown["state"], shown["outcome"]) == ("neutral", "YES")
    assert Decimal(detail["payout"]) == leg.neutral
    assert Decimal(detail["worst"]) <= leg.neutral - leg.paid < 0
    assert detail["close_now"] == detail["worst"]
    preview = (await dashboard.http.get(f"/api/v1/positions/{handle.id}/close-preview")).json()
    assert "neutral pairs" in preview["why_not"]
    bought = [one for one in detail["orders"] if (one["action"], one["outcome"]) == ("buy", "NO")]
    assert [one["venue"] for one in bought if one["purpose"] == "unwind"] == ["polymarket"]
    async with dashboard.page() as page:
        assert (await page.next("init"))["data"]["unhedged"]["legs"] == []


@pytest.mark.temporal
async def test_flatten_closes_everything_once(trader: Trading, dashboard: Running) -> None:
    for pair in ("p01", "p02"):
        await trader.trade(pair)
    body = {"flatten": True, "confirm": "FLATTEN"}
    headers = {"Idempotency-Key": "flat"}
    killed = await dashboard.http.post("/api/v1/executor/kill", json=body, headers=headers)
    assert killed.status_code == 202
    assert [one["state"] for one in killed.json()["operations"]] == ["pending", "pending"]
    again = await dashboard.http.post("/api/v1/executor/kill", json=body, headers=headers)
    assert again.json() == killed.json()

    async with dashboard.page() as page:
        init = await page.next("init")
        assert init["data"]["run_state"]["state"] == "HALTED"
        for _ in init["data"]["positions"]:
            await page.next("position_closed")
    assert await trader.desk.journal.unfinished() == []


@pytest.mark.temporal
async def test_ten_pages_ask_the_workflow_no_more_than_one_does(
    trader: Trading, dashboard: Running
) -> None:
    await trader.trade("p01")
    queries = dashboard.app.state.service.live.queries

    async def asked_while(number: int) -> int:
        before: int = queries.asked
        if number == 0:
            return 0
        async with dashboard.page() as page:
            await page.next("init")
            await asked_while(number - 1)
            if number == 1:
                await page.next("heartbeat")
        after: int = queries.asked
        return after - before

    one, ten = await asked_while(1), await asked_while(10)
    assert ten <= one + 2


@pytest.mark.temporal
async def test_without_an_executor_the_journal_speaks_and_says_so(
    trader: Trading, temporal_client: Client
) -> None:
    journal = trader.desk.journal
    async with serving(journal, temporal_client) as api, api.page() as page:
        async with reporting(api):
            snapshot = await trader.trade("p01")
            await page.next("init")
        await until(lambda: not api.app.state.service.live.alive)
        while (await page.next("status_changed"))["data"]["run_state"]["state"] != "OFF":
            pass
        row: Json = {}
        while not row.get("stale"):
            told = (await page.next("patch"))["data"].get("positions", {}).get("upsert", [])
            row = next((one for one in told if one["id"] == snapshot.arb_id), row)
        error = await page.ask("error", action="close_position", position_id=snapshot.arb_id)
        assert error["code"] == "unavailable"
    acts = await journal.read(lambda s: [row.action for row in audit.page(s, 50)])
    assert "close_position" not in acts
