"""Every recorded Kalshi exchange, asked of the simulator: same status, error code and keys.

The recordings are of June 2026, so the simulator is told to speak that month's keys.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from sim.main import Options, running
from tests.sim.kalshi.harness import ROOT, Key, Member, headers

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
REST = FOLDER / "kalshi_demo_2026-06-11.jsonl"
FRAMES = FOLDER / "kalshi_demo_ws_2026-06-11.jsonl"
TICKER = "KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP"
MARKET_ID = "f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb"
needs_recordings = pytest.mark.skipif(
    not REST.exists(), reason="the recordings are not here: ../shared/data/payloads is absent"
)
# objects whose keys belong to one market, not to the wire
OPAQUE = ("custom_strike",)
OURS = ("order_id", "client_order_id", "ts_ms")

Recorded = dict[str, Any]


def _recorded() -> list[Recorded]:
    if not REST.exists():
        return []
    return [json.loads(line) for line in REST.read_text().splitlines()]


RECORDED = _recorded()


@pytest.fixture
async def member() -> AsyncIterator[Member]:
    async with running(Options(seed=7)) as simulator, httpx.AsyncClient(timeout=10) as http:
        one = Member(simulator.world, simulator.ready, http)
        await one.knobs(wire="2026-06")
        await one.book([["0.47", "3"]], [["0.52", "3"]])
        yield one


def shape(value: object, name: str = "") -> object:
    """Keys and JSON types of a value; a list is the set of its elements' shapes."""
    if isinstance(value, dict):
        if name in OPAQUE:
            return "object"
        return frozenset((key, shape(inner, key)) for key, inner in value.items())
    if isinstance(value, list):
        return frozenset(shape(inner) for inner in value)
    if isinstance(value, bool) or value is None:
        return str(type(value))
    return "number" if isinstance(value, int | float) else "string"


def assert_same_shape(found: object, recorded: object, where: str = "answer") -> None:
    """Same keys and types throughout; each element of a list looks like a recorded one."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        assert set(found) == set(recorded), where
        for key in recorded:
            if key not in OPAQUE:
                assert_same_shape(found[key], recorded[key], f"{where}.{key}")
    elif isinstance(recorded, list) and isinstance(found, list):
        assert bool(found) == bool(recorded), f"{where}: {found} against {recorded}"
        known = [shape(element) for element in recorded]
        for element in found:
            assert shape(element) in known, f"{where}: {element}"
    else:
        assert shape(found) == shape(recorded), where


async def _taker(member: Member, _: Recorded) -> dict[str, str]:
    ioc = {"count": "1.00", "price": "0.9900", "time_in_force": "immediate_or_cancel"}
    assert (await member.order(**ioc)).status_code == 201
    return {}


async def _maker(member: Member, case: Recorded) -> dict[str, str]:
    recorded_id = "2597b999-f887-4195-8bac-c3f97a1f2021"
    rest = {"count": "1.00", "price": "0.0100", "time_in_force": "good_till_canceled"}
    answer = await member.order(**rest, client_order_id="4a75a66e-ca85-4187-93cd-aac5e01ad982")
    assert answer.status_code == 201
    return {recorded_id: answer.json()["order_id"]}


async def _second_kind_of_market(member: Member, _: Recorded) -> dict[str, str]:
    series = member.world.pairs["p03"].kalshi.series_ticker
    return {"/markets?limit=5": f"/markets?limit=1&series_ticker={series}"}


SETUPS: dict[str, Callable[[Member, Recorded], Awaitable[dict[str, str]]]] = {
    "fills__after_taker": _taker,
    "portfolio__positions": _taker,
    "portfolio__orders_list": _taker,
    "orders__cancel_v2": _maker,
    "orders__duplicate_client_order_id": _maker,
    "orders__get_after_create": _maker,
    # recorded page: player props, which have a floor strike; ours with one are the weather ones
    "markets__page1": _second_kind_of_market,
}
SKEWS = {"auth__skew_minus30s": -30_000, "auth__skew_plus5s": 5_000}


def _signature(member: Member, case: str, method: str, path: str) -> dict[str, str]:
    key = member.keys["rsa"]
    if case == "auth__unknown_key_id":
        key = Key("00000000-0000-4000-8000-000000000000", key.private_key_pem)
    signed_path = ROOT if case == "auth__bad_signature" else path.split("?")[0]
    found = headers(key, method, signed_path, skew_ms=SKEWS.get(case, 0))
    if case == "auth__missing_signature_header":
        del found["KALSHI-ACCESS-SIGNATURE"]
    return found


@needs_recordings
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["case"])
async def test_the_simulator_answers_as_the_venue_did(member: Member, case: Recorded) -> None:
    renamed = {TICKER: member.ticker}
    if case["case"] in SETUPS:
        renamed |= await SETUPS[case["case"]](member, case)
    path = str(case["path"])
    body = json.dumps(case["request"]) if case["request"] is not None else None
    for theirs, ours in renamed.items():
        path = path.replace(theirs, ours)
        body = body.replace(theirs, ours) if body is not None else None
    answer = await member.http.request(
        case["method"],
        member.origin + path,
        content=body,
        headers=_signature(member, case["case"], case["method"], path),
    )
    assert answer.status_code == case["status"], answer.text
    found, recorded = answer.json(), case["response"]
    if case["case"] == "markets__page1":
        assert found["markets"], "the page must not be empty"
    assert_same_shape(found, recorded)
    if case["status"] >= 400:
        assert found == recorded
    if case["method"] == "POST" and case["status"] == 201:
        kept = {key: value for key, value in found.items() if key not in OURS}
        assert kept == {key: value for key, value in recorded.items() if key not in OURS}


@needs_recordings
async def test_the_recorded_frames_come_out_again(member: Member) -> None:
    recorded = [json.loads(line) for line in FRAMES.read_text().splitlines()]
    await member.book([["0.47", "3"]], [["0.52", "1"]])
    signature = headers(member.keys["rsa"], "GET", "/trade-api/ws/v2")
    found = []
    async with connect(member.ws_url, additional_headers=signature, compression=None) as socket:
        await socket.send(
            json.dumps(
                {
                    "id": 1,
                    "cmd": "subscribe",
                    "params": {
                        "channels": ["orderbook_delta", "trade"],
                        "market_tickers": [member.ticker],
                        "use_yes_price": True,
                    },
                }
            )
        )
        found += [json.loads(await socket.recv()) for _ in range(3)]
        for asks in ([], [["0.52", "2"]]):
            await member.book([["0.47", "3"]], asks)
            found.append(json.loads(await socket.recv()))
    named = json.dumps(found)
    named = named.replace(member.ticker, TICKER).replace(member.pair.kalshi.market_id, MARKET_ID)
    assert [_timeless(frame) for frame in json.loads(named)] == [
        _timeless(frame) for frame in recorded
    ]


def _timeless(frame: Recorded) -> Recorded:
    message = {key: str(type(value)) if key in ("ts", "ts_ms") else value
               for key, value in frame["msg"].items()}  # fmt: skip
    return {**frame, "msg": message}
