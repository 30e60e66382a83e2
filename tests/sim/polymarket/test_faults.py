"""Failures on order: what the caller sees, and what is true at the venue afterwards."""

from typing import Any

import httpx
import pytest

from tests.sim.polymarket.harness import Sim

START = 10_000_000_000
FAULTS = """
    fault         params        answer                                         matched again
    refuse        -             400 the market is not yet ready to process     no      open
    refuse        code=nope     400 nope                                       no      open
    kill          -             400 FOK orders are fully filled or killed      no      duplicated
    error_before  status=500    500 order timed out                            no      open
    error_before  status=502    502 order timed out                            no      open
    error_after   status=500    500 could not run the execution                yes     duplicated
    drop_before   -             closed                                         no      open
    drop_after    -             closed                                         yes     duplicated
    hang_before   ms=400        timeout                                        no      open
    hang          ms=400        timeout                                        yes     duplicated
    delay         ms=400        timeout                                        later   duplicated
    duplicate     -             400 is invalid. Duplicated.                    yes     duplicated
    rate_limited  -             429 Too Many Requests                          no      open
    partial       size=4        200 matched                                    four    duplicated
    sell_refused  -             200 matched                                    yes     duplicated
"""


def rows() -> list[list[str]]:
    found = []
    for line in FAULTS.strip().splitlines()[1:]:
        fault, params, rest = line.strip().split(maxsplit=2)
        answer, matched, again = rest.rsplit(maxsplit=2)
        found.append([fault, params, answer.strip(), matched, again])
    return found


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}-{row[1]}")
async def test_a_scripted_failure(row: list[str], sim: Sim) -> None:
    fault, params, answer, matched, again = row
    name, _, value = params.partition("=")
    given: dict[str, object] = {}
    if name != "-":
        given[name] = int(value) if name in ("ms", "status") else value
    sim.fault(fault, params=given)
    payload = sim.payload("BUY", "4.60", "10")
    status, _, text = answer.partition(" ")
    seen = await outcome(sim, payload)
    assert seen.startswith(status)
    assert text in seen

    order_id = sim.exchange.records[-1].order_id
    record = sim.exchange.records[-1]
    assert record.fault == ("" if fault == "sell_refused" else fault)
    assert record.reached_matching == (matched not in ("no", "later") or fault == "kill")
    if matched == "later":
        assert (sim.exchange.trades, again) == ({}, "duplicated")
        await sim.until_shown(order_id, status="MATCHED")
    shares = {"no": 0, "yes": 10, "later": 10, "four": 4}[matched]
    assert sum(trade.size for trade in sim.exchange.trades.values()) == shares * 1_000_000
    assert (sim.cash() == START) == (shares == 0)

    second = await sim.post(payload)
    assert ("Duplicated" in second.text) == (again == "duplicated")


async def outcome(sim: Sim, payload: dict[str, Any]) -> str:
    """Status and text of an answer, or how the connection ended."""
    sim.http.timeout = httpx.Timeout(0.2)
    try:
        answer = await sim.post(payload)
    except httpx.ReadTimeout:
        return "timeout"
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return "closed"
    finally:
        sim.http.timeout = httpx.Timeout(5)
    told = answer.json()
    return f"{answer.status_code} {told.get('error', told.get('status'))}"


async def test_fills_can_stay_hidden_from_every_read(sim: Sim) -> None:
    sim.fault("delay_fills", params={"ms": 300})
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    assert reply["status"] == "matched"
    assert await sim.get(f"/data/order/{reply['orderID']}") is None
    assert (await sim.get("/data/trades"))["data"] == []
    await sim.settled(reply)


async def test_sales_are_refused_as_often_as_asked_then_go_through(sim: Sim) -> None:
    await sim.settled((await sim.trade("BUY", "4.60", "10")).json())
    sim.fault("sell_refused", action="sell", times=2)
    answers = [await sim.trade("SELL", "10", "4.4") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert "not enough balance / allowance" in answers[0].json()["error"]


READS = """
    fault         status
    error_before  503
    rate_limited  429
    drop_before   closed
"""


@pytest.mark.parametrize(
    ("fault", "status"), [line.split() for line in READS.strip().splitlines()[1:]]
)
async def test_reads_can_fail_too(fault: str, status: str, sim: Sim) -> None:
    params = {"status": 503} if fault == "error_before" else {}
    sim.fault(fault, action="read", params=params)
    headers = sim.headers("GET", "/data/trades")
    try:
        seen = str((await sim.http.get("/data/trades", headers=headers)).status_code)
    except httpx.RemoteProtocolError:
        seen = "closed"
    assert seen == status
    assert (await sim.get("/data/trades"))["data"] == []


MODES = """
    mode         FOK                                  GTC-post-only  cancel  read
    open         200                                  200            200     200
    restarting   425 service not ready                425            425     200
    post_only    503 post-only mode                   200            200     200
    maintenance  503 Trading is currently disabled    503            503     200
"""


@pytest.mark.parametrize(
    "row",
    [line.rsplit(maxsplit=3) for line in MODES.strip().splitlines()[1:]],
    ids=lambda r: r[0][:16],
)
async def test_what_each_mode_lets_through(row: list[str], sim: Sim) -> None:
    (mode, fok), (post_only, cancel, read) = row[0].split(maxsplit=1), row[1:]
    sim.venue.set_mode(mode)
    answer = await sim.trade("BUY", "4.60", "10")
    assert f"{answer.status_code} {answer.json().get('error', '')}".startswith(fok.strip())
    if mode == "post_only":
        told = answer.json()
        assert (told["code"], answer.headers["Retry-After"]) == ("post_only_mode", "119")
        assert told["retry_after_seconds"] == 119
    resting = await sim.trade("BUY", "4.00", "10", type="GTC", post_only=True)
    assert str(resting.status_code) == post_only
    assert str((await sim.send("DELETE", "/cancel-all", {})).status_code) == cancel
    headers = sim.headers("GET", "/data/orders")
    assert str((await sim.http.get("/data/orders", headers=headers)).status_code) == read


async def test_a_restart_is_followed_by_post_only_and_then_by_trading(sim: Sim) -> None:
    sim.knobs(restart_ms=150, post_only_ms=150)
    sim.venue.set_mode("restarting")
    seen: list[int] = []
    while not seen or seen[-1] != 200:
        status = (await sim.trade("BUY", "4.60", "10")).status_code
        if status not in seen:
            seen.append(status)
    assert seen == [425, 503, 200]


async def test_the_bucket_of_a_signer_runs_dry(sim: Sim) -> None:
    sim.knobs(rate_per_second=1, rate_burst=2)
    answers = [await sim.trade("BUY", "2.30", "5") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["Poly-RateLimit-Remaining"] == "1"
    assert int(answers[2].headers["Retry-After"]) == 1


async def test_silence_after_a_heartbeat_cancels_everything(sim: Sim) -> None:
    sim.knobs(heartbeat_check_ms=20, heartbeat_silence_ms=150)
    order = (await sim.trade("BUY", "4.00", "10", type="GTC")).json()["orderID"]
    first = (await sim.send("POST", "/v1/heartbeats", {"heartbeat_id": ""})).json()["heartbeat_id"]
    wrong = await sim.send("POST", "/v1/heartbeats", {"heartbeat_id": "wrong"})
    assert (wrong.status_code, wrong.json()["heartbeat_id"]) == (400, first)
    again = await sim.send("POST", "/v1/heartbeats", {"heartbeat_id": first})
    assert again.json()["heartbeat_id"] != first
    await sim.until_gone(order)
    assert sim.exchange.orders[order].status == "CANCELED"


@pytest.mark.parametrize(
    ("knobs", "problem"),
    [
        ({"settle_mined": 5}, "unknown 'settle_mined'"),
        ({"settle_mined_ms": "5"}, "settle_mined_ms must be int"),
        ({"settle_mined_ms": -1}, "settle_mined_ms must be at least 0"),
        ({"fee_rounding": "up"}, "up"),
        ({"markets": {"p99": {}}}, "markets must be an object by pair id"),
        ({"markets": {"p01": {"tick": "0.02"}}}, "tick of p01"),
        ({"markets": {"p01": {"colour": 1}}}, "cannot set 'colour'"),
    ],
)
async def test_a_wrong_knob_is_named(knobs: dict[str, object], problem: str, sim: Sim) -> None:
    with pytest.raises(ValueError, match=problem):
        sim.venue.set_knobs(knobs)
