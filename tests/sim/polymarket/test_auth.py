"""Who may call: L1 signatures, L2 headers over the raw request, key creation."""

import time
from typing import Any

import pytest
from py_clob_client_v2.signer import Signer
from py_clob_client_v2.signing import sign_clob_auth_message

from tests.sim.polymarket.harness import Sim

STRANGER = "0x" + "22" * 32
CHANGES = """
    header           value
    POLY_API_KEY     00000000-0000-4000-8000-000000000000
    POLY_PASSPHRASE  wrong
    POLY_ADDRESS     0x1111111111111111111111111111111111111111
    POLY_TIMESTAMP   1
    POLY_SIGNATURE   AAAA
"""


@pytest.mark.parametrize(
    ("header", "value"), [line.split() for line in CHANGES.strip().splitlines()[1:]]
)
async def test_any_wrong_header_is_unauthorized(header: str, value: str, sim: Sim) -> None:
    headers = sim.headers("GET", "/data/orders") | {header: value}
    answer = await sim.http.get("/data/orders", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized/Invalid api key"})


async def test_the_query_is_not_signed_but_the_path_is(sim: Sim) -> None:
    headers = sim.headers("GET", "/data/orders")
    assert (await sim.http.get("/data/orders?market=0x1", headers=headers)).status_code == 200
    assert (await sim.http.get("/data/trades", headers=headers)).status_code == 401


async def test_one_changed_byte_of_the_body_is_unauthorized(sim: Sim) -> None:
    headers = sim.headers("DELETE", "/order", '{"orderID":"0x1"}')
    changed = '{"orderID":"0x2"}'
    answer = await sim.http.request("DELETE", "/order", content=changed, headers=headers)
    assert answer.status_code == 401


def l1_headers(key: str, nonce: int = 0, at: int | None = None) -> dict[str, Any]:
    signer = Signer(key, 137)
    now = int(time.time()) if at is None else at
    return {
        "POLY_ADDRESS": signer.address(),
        "POLY_SIGNATURE": sign_clob_auth_message(signer, now, nonce),
        "POLY_TIMESTAMP": str(now),
        "POLY_NONCE": str(nonce),
    }


async def test_a_key_is_created_once_and_derived_for_ever(sim: Sim) -> None:
    headers = l1_headers(STRANGER)
    assert (await sim.http.get("/auth/derive-api-key", headers=headers)).status_code == 400
    made = await sim.http.post("/auth/api-key", headers=headers)
    assert set(made.json()) == {"apiKey", "secret", "passphrase"}
    assert (await sim.http.post("/auth/api-key", headers=headers)).status_code == 400
    derived = await sim.http.get("/auth/derive-api-key", headers=headers)
    assert derived.json() == made.json()
    other = await sim.http.post("/auth/api-key", headers=l1_headers(STRANGER, nonce=1))
    assert other.json()["apiKey"] != made.json()["apiKey"]


@pytest.mark.parametrize("spoilt", ["address", "nonce", "timestamp", "stale", "missing"])
async def test_an_l1_signature_must_fit_its_headers(spoilt: str, sim: Sim) -> None:
    headers = l1_headers(STRANGER, at=1_000 if spoilt == "stale" else None)
    match spoilt:
        case "address":
            headers["POLY_ADDRESS"] = sim.keys["address"]
        case "nonce":
            headers["POLY_NONCE"] = "1"
        case "timestamp":
            headers["POLY_TIMESTAMP"] = str(int(time.time()) - 1)
        case "missing":
            del headers["POLY_SIGNATURE"]
    answer = await sim.http.post("/auth/api-key", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid L1 Request headers"})


async def test_a_key_sees_its_own_side_only(sim: Sim) -> None:
    await sim.trade("BUY", "4.60", "10")
    assert len((await sim.get("/data/trades"))["data"]) == 1
    assert await sim.get("/auth/api-keys") == {"apiKeys": [sim.keys["api_key"]]}
    made = (await sim.http.post("/auth/api-key", headers=l1_headers(STRANGER))).json()
    sim.keys |= {
        "address": Signer(STRANGER, 137).address(),
        "api_key": made["apiKey"],
        "secret": made["secret"],
        "passphrase": made["passphrase"],
    }
    assert (await sim.get("/data/trades"))["data"] == []
