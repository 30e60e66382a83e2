"""Catalogue, positions of the grid, and what else anybody may ask."""

import json

import pytest

from sim.polymarket.app import build_app
from sim.polymarket.orders import PROTOCOL_V2
from sim.world import World
from tests.sim.polymarket.harness import Sim

GETS = """
    path                              params              answer
    /version                          -                   {"version":2}
    /ok                               -                   "OK"
    /tick-size                        token_id=YES        {"minimum_tick_size":0.01}
    /neg-risk                         token_id=YES        {"neg_risk":false}
    /fee-rate                         token_id=YES        {"base_fee":1000}
    /price                            token_id=YES&side=BUY   {"price":"0.46"}
    /price                            token_id=NO&side=SELL   {"price":"0.54"}
    /midpoint                         token_id=NO         {"mid":"0.545"}
    /spread                           token_id=YES        {"spread":"0.01"}
    /last-trade-price                 token_id=YES        {"price":"","side":""}
    /deployed                         type=WALLET         {"deployed":true}
"""
MISSES = """
    path                   params       status error
    /book                  token_id=1   404    No orderbook exists for the requested token id
    /book                  -            400    Invalid token_id
    /price                 token_id=YES 400    Invalid side
    /clob-markets/0x1      -            404    market not found
    /markets-by-token/1    -            404    No orderbook exists for the requested token id
    /markets/slug/none     -            404    market not found
    /markets/1             -            404    market not found
    /markets/keyset        limit=x      400    invalid limit or after_cursor
"""


def query(sim: Sim, params: str) -> dict[str, str]:
    if params == "-":
        return {}
    filled = params.replace("YES", sim.yes).replace("NO", sim.no)
    return dict(part.split("=") for part in filled.split("&"))


@pytest.mark.parametrize(
    ("path", "params", "answer"), [line.split() for line in GETS.strip().splitlines()[1:]]
)
async def test_a_public_read(path: str, params: str, answer: str, sim: Sim) -> None:
    got = await sim.http.get(path, params=query(sim, params))
    assert (got.status_code, got.json()) == (200, json.loads(answer))


@pytest.mark.parametrize(
    ("path", "params", "status", "error"),
    [line.split(maxsplit=3) for line in MISSES.strip().splitlines()[1:]],
)
async def test_a_public_miss(path: str, params: str, status: str, error: str, sim: Sim) -> None:
    got = await sim.http.get(path, params=query(sim, params))
    assert (got.status_code, got.json()) == (int(status), {"error": error})


async def test_a_market_is_described_in_abbreviations(sim: Sim) -> None:
    there = (await sim.http.get(f"/markets-by-token/{sim.no}")).json()
    assert (there["primary_token_id"], there["secondary_token_id"]) == (sim.yes, sim.no)
    market = (await sim.http.get(f"/clob-markets/{there['condition_id']}")).json()
    assert market["t"] == [{"t": sim.yes, "o": "Yes"}, {"t": sim.no, "o": "No"}]
    assert (market["mts"], market["mos"]) == (0.01, 5)
    assert market["fd"] == {"r": 0.05, "e": 1, "to": True}
    sim.knobs(markets={"p01": {"fee_rate": "0", "taker_delay_ms": 50}})
    free = (await sim.http.get(f"/clob-markets/{there['condition_id']}")).json()
    assert "fd" not in free
    assert free["itode"] is True


async def test_books_are_read_in_one_call_and_unknown_tokens_left_out(sim: Sim) -> None:
    asked = [{"token_id": sim.yes}, {"token_id": "1"}, {"token_id": sim.no}]
    got = (await sim.http.post("/books", json=asked)).json()
    assert [book["asset_id"] for book in got] == [sim.yes, sim.no]


async def test_the_catalogue_is_paged_by_keyset_and_filtered(sim: Sim) -> None:
    first = (await sim.http.get("/markets/keyset", params={"limit": "1"})).json()
    asked = {"limit": "1", "after_cursor": first["next_cursor"]}
    second = (await sim.http.get("/markets/keyset", params=asked)).json()
    assert "next_cursor" not in second
    slugs = [page["markets"][0]["slug"] for page in (first, second)]
    assert slugs == [pair.polymarket.slug for pair in sim.world.pairs.values()]
    wanted = {"condition_ids": second["markets"][0]["conditionId"]}
    found = (await sim.http.get("/markets/keyset", params=wanted)).json()["markets"]
    assert [market["slug"] for market in found] == slugs[1:]
    by_id = (await sim.http.get(f"/markets/{found[0]['id']}")).json()
    assert by_id["slug"] == slugs[1]
    closed = (await sim.http.get("/markets/keyset", params={"closed": "true"})).json()
    assert closed["markets"] == []


async def test_lists_of_a_key_come_in_pages(sim: Sim) -> None:
    sim.quote({}, {"0.46": "5000"})
    for _ in range(101):
        await sim.trade("BUY", "2.30", "5")
    first = await sim.get("/data/trades", next_cursor="MA==")
    assert (first["limit"], first["count"], len(first["data"])) == (100, 100, 100)
    second = await sim.get("/data/trades", next_cursor=first["next_cursor"])
    assert (second["count"], second["next_cursor"]) == (1, "LTE=")
    after = str(sim.world.clock() // 1_000_000_000 + 5)
    assert (await sim.get("/data/trades", after=after))["data"] == []
    one = second["data"][0]["id"]
    assert [row["id"] for row in (await sim.get("/data/trades", id=one))["data"]] == [one]


async def test_the_key_reads_its_own_standing(sim: Sim) -> None:
    assert await sim.get("/auth/ban-status/closed-only") == {"closed_only": False}
    assert await sim.get("/v1/user/rate-limit-tier") == {"tier": "Standard"}
    cash = await sim.get("/balance-allowance", asset_type="COLLATERAL", signature_type="3")
    assert cash["balance"] == "10000000000"
    assert len(cash["allowances"]) == 3
    other = await sim.get("/balance-allowance", asset_type="COLLATERAL", signature_type="0")
    assert other["balance"] == "0"


async def test_orders_of_a_second_protocol_market_are_signed_for_its_own_exchange(
    sim: Sim,
) -> None:
    market = sim.exchange.by_token[sim.yes]
    market.protocol = "v2"
    listed = (await sim.http.get(f"/markets/slug/{sim.pair.polymarket.slug}")).json()
    assert (listed["version"], listed["positionIds"]) == ("v2", [sim.yes, sim.no])
    assert "clobTokenIds" not in listed
    old = await sim.trade("BUY", "4.60", "10")
    assert old.json() == {"error": "order_version_mismatch"}
    new = await sim.trade("BUY", "4.60", "10", version="3", exchange=PROTOCOL_V2.contract)
    assert new.json()["status"] == "matched"


def test_the_same_seed_gives_the_same_keys() -> None:
    worlds = [World(seed=7, pairs=1), World(seed=7, pairs=1), World(seed=8, pairs=1)]
    for world in worlds:
        build_app(world)
    keys = [world.venues["polymarket"].credentials() for world in worlds]
    assert keys[0] == keys[1] != keys[2]
