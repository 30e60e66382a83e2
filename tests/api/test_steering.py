"""What a person may have done about a leg that nothing hedges: asked over HTTP, done by the
workflow, written down with his name."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.trade import Phase
from domain.venue import Venue
from store import audit, sightings
from tests.api.harness import Json, Running, serving, until, wall_ms
from tests.support.processes import Child
from tests.support.trading import Trading, trading
from tests.ui.support import cards
from tests.workflows.test_operator import stuck
from workflows.snapshot import Snapshot

pytestmark = pytest.mark.temporal
PATHS = ("close", "retry", "hold", "take-over", "resolve")
SOLD: Json = {"evidence": "sold by hand, ticket 4711", "cash": "3.25"}


@pytest.fixture
async def trader(
    sim: Child, temporal_client: Client, task_queue: str, id_prefix: str, tmp_path: Path
) -> AsyncIterator[Trading]:
    """An executor without its scanner, on both simulated exchanges."""
    async with trading(sim.ready, temporal_client, task_queue, id_prefix, tmp_path) as running:
        yield running


@pytest.fixture
async def dashboard(trader: Trading, temporal_client: Client) -> AsyncIterator[Running]:
    """The API on the executor's journal."""
    async with serving(trader.desk.journal, temporal_client) as running:
        await running.executor_lives()
        yield running


async def naked(dashboard: Running, arb_id: str) -> Json:
    """The arbitrage's line in the unhedged panel, once it is there."""

    def found() -> list[Json]:
        shown = dashboard.app.state.service.live.hub.board.get("unhedged") or {"legs": []}
        return [leg for leg in shown["legs"] if leg["arb_id"] == arb_id]

    dashboard.app.state.service.live.asked()
    await until(lambda: bool(found()))
    return found()[0]


async def post(
    dashboard: Running, arb_id: str, word: str, key: str = "", raw: str = "", **body: object
) -> Json:
    """One command: its answer with its status. Who asks too often waits as long as he is told."""
    await dashboard.executor_lives()
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    path = f"/api/v1/positions/{arb_id}/{word}"
    while True:
        answer = await dashboard.http.post(path, content=raw or json.dumps(body), headers=headers)
        if answer.status_code != 429:
            return {"status": answer.status_code, **answer.json()}
        await asyncio.sleep(int(answer.headers["Retry-After"]))


async def acts(dashboard: Running, arb_id: str) -> list[str]:
    """What the audit trail says of one arbitrage, oldest first."""
    rows = await dashboard.journal.read(lambda s: audit.page(s, 50))
    return [row.action for row in rows if row.subject == arb_id][::-1]


async def test_a_naked_leg_is_shown_in_numbers_with_what_may_be_asked(
    trader: Trading, dashboard: Running
) -> None:
    handle = await stuck(trader, "p01")
    leg = await naked(dashboard, handle.id)
    assert (leg["venue"], leg["outcome"]) == ("Polymarket", "YES")
    assert float(leg["exposure"]) > 0
    assert float(leg["worst"]) < 0 < float(leg["best"])
    assert set(leg["actions"]) == {"retry", "accept", "hold", "take_over", "mark_resolved"}
    assert all(
        leg["actions"][name] is True or leg["phase"] != "NEEDS_OPERATOR" for name in leg["actions"]
    )
    told = (await dashboard.http.get(f"/api/v1/positions/{handle.id}/actions")).json()
    assert set(told) == set(leg["actions"])
    await post(dashboard, handle.id, "close")
    assert (await handle.result()).phase is Phase.FLAT


async def test_taken_over_it_stays_on_the_page_until_it_is_marked_resolved(
    trader: Trading, dashboard: Running
) -> None:
    handle = await stuck(trader, "p01")
    taken = await post(dashboard, handle.id, "take-over", key="one click")
    assert (taken["status"], taken["state"]) == (202, "pending")
    again = await post(dashboard, handle.id, "take-over", key="one click")
    assert again["id"] == taken["id"]
    await trader.until_phase(handle, Phase.HOLDING)

    def kept() -> bool:
        shown = dashboard.app.state.service.live.hub.board.get("unhedged")
        return any(leg["arb_id"] == handle.id and leg["kept"] for leg in shown["legs"])

    await until(kept)
    leg = await naked(dashboard, handle.id)
    assert leg["actions"]["mark_resolved"] is True
    assert leg["actions"]["retry"] == "HOLDING: no sale is being tried"
    done = await post(dashboard, handle.id, "resolve", **SOLD)
    assert done["status"] == 202
    ended: Snapshot = await handle.result()
    assert ended.phase is Phase.FLAT
    assert any("who takes over" in line.said for line in ended.story)
    assert await acts(dashboard, handle.id) == ["take_over", "mark_resolved"]
    operation = (await dashboard.http.get(done["location"])).json()
    assert operation["state"] == "succeeded"


async def test_a_kept_pair_may_still_be_sold_at_any_price(
    trader: Trading, dashboard: Running
) -> None:
    handle = await stuck(trader, "p01")
    assert (await post(dashboard, handle.id, "retry"))["status"] == 202
    await trader.until_phase(handle, Phase.NEEDS_OPERATOR)
    assert (await post(dashboard, handle.id, "hold"))["status"] == 202
    await trader.until_phase(handle, Phase.HOLDING)
    assert (await post(dashboard, handle.id, "close", loss_max=None))["status"] == 202
    assert (await handle.result()).phase is Phase.FLAT
    assert await acts(dashboard, handle.id) == ["retry_unwind", "hold", "close_position"]


async def test_no_leg_is_sold_below_its_limit(trader: Trading, dashboard: Running) -> None:
    handle = await trader.hold("p01")
    await bids_seen(dashboard, handle.id, "0.30")
    preview = await dashboard.http.get(f"/api/v1/positions/{handle.id}/close-preview")
    assert preview.json()["legs"]["kalshi"]["worst_price"] == "0.3"
    refused = await post(dashboard, handle.id, "close", limits={"kalshi": "0.31"})
    assert (refused["status"], refused["code"]) == (409, "below_limit"), refused
    assert "kalshi pays 0.3 for the last contract, below the limit of 0.31" in refused["detail"]
    async with dashboard.page() as page:
        wanted = {"position_id": handle.id, "limits": {"kalshi": "0.31"}}
        error = await page.ask("error", action="close_position", **wanted)
        assert error["message"] == refused["detail"]
    assert await acts(dashboard, handle.id) == []
    limits = {"kalshi": "0.3", "polymarket": None}
    sold = await post(dashboard, handle.id, "close", limits=limits)
    assert sold["status"] == 202, sold
    assert (await handle.result()).phase is Phase.FLAT
    rows = await dashboard.journal.read(lambda s: audit.page(s, 50))
    told = [json.loads(row.detail) for row in rows if row.action == "close_position"]
    assert [one["limits"] for one in told] == [{"kalshi": "0.3"}]


async def bids_seen(dashboard: Running, arb_id: str, price: str) -> None:
    """Have the journal say that both legs could be sold at this price when they were seen last."""
    plan = (await dashboard.journal.arbitrage(arb_id)).opportunity
    bids = {plan.leg(venue).instrument.token: [[price, "500"]] for venue in Venue}
    seen: Json = {plan.pair_id: {"card": cards.card(0), "bids": bids}}
    now_ms = wall_ms()
    await dashboard.journal.write(now_ms, lambda s: sightings.keep(s, "test", seen, (), now_ms))


async def test_a_word_out_of_season_changes_nothing_and_is_written_down_as_refused(
    trader: Trading, dashboard: Running
) -> None:
    snapshot = await trader.trade("p01")
    for word, body in (("retry", {}), ("hold", {}), ("take-over", {}), ("resolve", SOLD)):
        refused = await post(dashboard, snapshot.arb_id, word, **body)
        assert (refused["status"], refused.get("code")) == (409, "wrong_phase"), (word, refused)
        assert "HOLDING" in refused["detail"]
    newest = await acts(dashboard, snapshot.arb_id)
    assert newest[-2:] == ["mark_resolved", "mark_resolved_refused"]
    state = await dashboard.journal.arbitrage(snapshot.arb_id)
    assert state.phase is Phase.HOLDING


HOSTILE: tuple[tuple[str, Json, str], ...] = (
    ("resolve", {"evidence": "", "cash": "1"}, "evidence"),
    ("resolve", {"evidence": "   ", "cash": "1"}, "evidence"),
    ("resolve", {"evidence": "x" * 2_001, "cash": "1"}, "evidence"),
    ("resolve", {"evidence": "sold", "cash": "a lot"}, "cash"),
    ("resolve", {"evidence": "sold", "cash": "NaN"}, "cash"),
    ("resolve", {"evidence": "sold", "cash": "0.0000001"}, "cash"),
    ("resolve", {"cash": "1"}, "evidence"),
    ("resolve", {"evidence": "sold"}, "cash"),
    ("resolve", {"evidence": "sold", "cash": True}, "cash"),
    ("hold", {"force": True}, "force"),
    ("take-over", {"by": "somebody else"}, "by"),
    ("retry", {"attempts": 9}, "attempts"),
    ("close", {"loss_max": "-1"}, "loss_max"),
    ("close", {"limits": 0.4}, "limits"),
    ("close", {"limits": {"kalshi": "1"}}, "limits.kalshi"),
    ("close", {"limits": {"kalshi": "0.0000001"}}, "limits.kalshi"),
    ("close", {"limits": {"polymarket": 0, "kalshi": "0.4"}}, "limits.polymarket"),
    ("close", {"limits": {"polymarket": True}}, "limits.polymarket"),
    ("close", {"limits": {"deribit": "0.4"}}, "limits.deribit"),
)


async def test_hostile_words_name_their_field_and_reach_nobody(live: Running) -> None:
    for word, body, field in HOSTILE:
        refused = await post(live, "arb-x", word, **body)
        assert refused["status"] == 422, (word, body, refused)
        assert field in {one["field"] for one in refused["errors"]}, (word, body, refused)
    for word in PATHS:
        refused = await post(live, "arb-x", word, raw="0.5")
        assert (refused["status"], refused["errors"][0]["field"]) == (422, "body"), (word, refused)
    for word in PATHS:
        body = SOLD if word == "resolve" else {}
        lost = await post(live, "arb-nobody", word, **body)
        assert (lost["status"], lost["errors"][0]["field"]) == (404, "position_id"), word
    assert await acts(live, "arb-x") == await acts(live, "arb-nobody") == []
