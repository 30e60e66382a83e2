"""The simulated venue speaks with the members that the recorded samples have.

Every difference is listed here with its reason; one that is not listed fails.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sim.polymarket.harness import Sim, running
from tests.sim.polymarket.test_sockets import is_kind, market_channel, take, user_channel

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "payloads"

BOOK_NEWER = {
    "min_order_size": "the sample is of 2024; documented for GET /book since",
    "tick_size": "the sample is of 2024; documented for GET /book since",
    "neg_risk": "the sample is of 2024; documented for GET /book since",
    "last_trade_price": "the sample is of 2024; documented for GET /book since",
}
GAMMA_NEWER = {
    "version": "names the protocol version since September 2026, the samples are of spring 2026",
}
GAMMA_ONE_SAMPLE = {
    "feeSchedule": "in the later sample only: it came with the fee change between the two",
    "secondsDelay": "in the sports sample only; the simulator says 0 where there is no delay",
}
GAMMA_OF_RESOLVED = {"umaResolutionStatus": "only after a resolution, as in the sports sample"}


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the recorded sample {name} is not on this machine")
    return json.loads(path.read_text())


def shape(value: Any) -> Any:
    """The type of a JSON value, numbers being one type, for comparing members."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value).__name__
    return "number"


def shapes(members: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: shape(members[name]) for name in names}


@pytest.fixture
async def sim() -> Any:
    async with running() as started:
        yield started


async def test_a_book_has_the_recorded_members_in_the_recorded_order(sim: Sim) -> None:
    recorded = sample("polymarket_book.json")
    answer = (await sim.http.get("/book", params={"token_id": sim.yes})).json()
    assert set(answer) == set(recorded) | set(BOOK_NEWER)
    assert shapes(answer, set(recorded)) == shapes(recorded, set(recorded))
    for side, best in (("bids", max), ("asks", min)):
        for book in (recorded, answer):
            assert book[side][-1] == best(book[side], key=lambda level: float(level["price"]))
        assert set(answer[side][0]) == set(recorded[side][0])
    assert len(answer["hash"]) == len(recorded["hash"])
    assert len(answer["timestamp"]) == len(recorded["timestamp"])


async def test_a_book_event_has_the_recorded_members(sim: Sim) -> None:
    recorded = sample("polymarket_ws_book.json")
    async with market_channel(sim) as socket:
        event = await take(socket, is_kind("book"))
    assert shapes(event, set(event)) == shapes(recorded, set(recorded))


async def test_a_price_change_has_the_recorded_members(sim: Sim) -> None:
    recorded = sample("polymarket_ws_price_change.json")
    async with market_channel(sim) as socket:
        await take(socket, is_kind("book"))
        sim.book.set_level("bid", 450_000, 7_000_000)
        event = await take(socket, is_kind("price_change"))
    assert shapes(event, set(event)) == shapes(recorded, set(recorded))
    ours, theirs = event["price_changes"][0], recorded["price_changes"][0]
    assert shapes(ours, set(ours)) == shapes(theirs, set(theirs))


async def test_a_user_trade_has_the_recorded_members(sim: Sim) -> None:
    recorded = sample("polymarket_ws_user_trade.json")
    async with user_channel(sim) as socket:
        await sim.trade("BUY", "4.60", "10")
        event = await take(socket, lambda e: e["event_type"] == "trade" and e["status"] == "MINED")
    assert shapes(event, set(event)) == shapes(recorded, set(recorded))
    ours, theirs = event["maker_orders"][0], recorded["maker_orders"][0]
    assert shapes(ours, set(ours)) == shapes(theirs, set(theirs))


async def test_a_gamma_market_has_the_members_that_both_recorded_ones_share(sim: Sim) -> None:
    plain, sports = (
        sample("polymarket_gamma_market.json"),
        sample("polymarket_gamma_market_sports.json"),
    )
    shared = set(plain) & set(sports)
    market = (await sim.http.get(f"/markets/slug/{sim.pair.polymarket.slug}")).json()
    assert set(market) == shared | set(GAMMA_NEWER) | set(GAMMA_ONE_SAMPLE)
    assert shapes(market, shared) == shapes(sports, shared)
    assert set(market["feeSchedule"]) == set(sports["feeSchedule"])
    for name in ("clobTokenIds", "outcomes", "outcomePrices"):
        assert len(json.loads(market[name])) == len(json.loads(sports[name])) == 2
    sim.venue.resolve(sim.pair, "yes")
    resolved = (await sim.http.get(f"/markets/slug/{sim.pair.polymarket.slug}")).json()
    assert set(resolved) - set(market) == set(GAMMA_OF_RESOLVED)
    assert json.loads(resolved["outcomePrices"]) == json.loads(sports["outcomePrices"])
    assert (resolved["closed"], resolved["acceptingOrders"]) == (True, False)
