"""Failures on order: what the client sees of each, and what really happened."""

import time

import httpx
import pytest

from tests.sim.kalshi.harness import Member, headers


@pytest.fixture(autouse=True)
async def quotes(member: Member) -> None:
    await member.book([["0.53", "100"]], [["0.55", "100"]])


# what is done, what the client sees, contracts really bought, whether matching was reached
TABLE = """
    fault          seen                                          bought      matched
    refuse         400 insufficient_balance                      0           no
    kill           409 fill_or_kill_insufficient_resting_volume  0           yes
    error_before   500 internal_server_error                     0           no
    error_after    500 internal_server_error                     10.000000   yes
    drop_before    dropped -                                     0           no
    drop_after     dropped -                                     10.000000   yes
    hang_before    500 internal_server_error                     0           no
    duplicate      409 order_already_exists                      10.000000   yes
    rate_limited   429 too_many_requests                         0           no
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:], ids=str.strip)
async def test_each_fault_shows_one_thing_and_does_one_thing(member: Member, row: str) -> None:
    fault, status, code, bought, matched = row.split()
    await member.fault(fault, market="p01", action="buy")
    try:
        answer = await member.order()
        seen = (str(answer.status_code), answer.json()["error"]["code"])
    except (httpx.RemoteProtocolError, httpx.ReadError):
        seen = ("dropped", "-")
    assert seen == (status, code)
    state = await member.state()
    positions = state["positions"]
    assert [held["size"] for held in positions] == ([] if bought == "0" else [bought])
    assert len(state["orders"]) == 1
    order = state["orders"][0]
    assert order["reached_matching"] is (matched == "yes")
    assert order["fault"] == fault
    assert order["first_byte_ns"] > 0
    # the fault is used up
    assert (await member.order()).status_code == 201


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": "9000.00"}, "insufficient_balance"),
        ({"count": "500.00"}, "fill_or_kill_insufficient_resting_volume"),
    ],
)
async def test_a_lost_answer_may_have_been_a_refusal(
    member: Member, change: dict[str, str], reason: str
) -> None:
    await member.fault("error_after", params={"status": 504})
    assert (await member.order(**change)).status_code == 504
    state = await member.state()
    assert state["positions"] == []
    assert [order["reason"] for order in state["orders"]] == [reason]


async def test_a_partial_fill_of_a_fill_or_kill_is_kept(member: Member) -> None:
    await member.fault("partial", params={"size": "3"})
    body = (await member.order()).json()
    assert (body["fill_count"], body["remaining_count"]) == ("3.00", "0.00")


async def test_an_answer_that_hangs_has_been_matched_before(member: Member) -> None:
    await member.fault("hang", params={"ms": 60_000})
    with pytest.raises(httpx.ReadTimeout):
        await member.http.post(
            member.origin + "/trade-api/v2/portfolio/events/orders",
            json=_body(member),
            headers=_signature(member),
            timeout=httpx.Timeout(5, read=1),
        )
    fills = (await member.get("/portfolio/fills"))["fills"]
    assert [fill["count_fp"] for fill in fills] == ["10.00"]


async def test_an_order_that_arrives_late_is_matched_late(member: Member) -> None:
    await member.fault("delay", params={"ms": 300})
    started = time.monotonic()
    assert (await member.order()).json()["fill_count"] == "10.00"
    assert time.monotonic() - started >= 0.3


async def test_late_fills_are_hidden_consistently_with_the_time_stamp(member: Member) -> None:
    before = (await member.get("/exchange/user_data_timestamp"))["as_of_time"]
    await member.fault("delay_fills", params={"ms": 2_000})
    order_id = (await member.order()).json()["order_id"]
    assert (await member.get("/portfolio/fills"))["fills"] == []
    assert (await member.get("/portfolio/orders"))["orders"] == []
    assert (await member.ask("GET", f"/portfolio/orders/{order_id}")).status_code == 404
    assert (await member.get("/portfolio/positions"))["market_positions"] == []
    assert (await member.get("/portfolio/balance"))["balance_dollars"] == "10000.0000"
    frozen = (await member.get("/exchange/user_data_timestamp"))["as_of_time"]
    sent = (await member.state())["orders"][0]["fills"][0]["ts_ns"]
    assert str(before) < str(frozen)
    deadline = time.monotonic() + 10
    while not (await member.get("/portfolio/fills"))["fills"]:
        assert time.monotonic() < deadline
    assert time.time_ns() - sent >= 2_000_000_000
    assert (await member.get("/portfolio/positions"))["market_positions"] != []


async def test_sells_are_refused_for_some_seconds_and_buys_are_not(member: Member) -> None:
    await member.fault("sell_refused", params={"seconds": 3})
    assert (await member.order()).status_code == 201
    sell = {"side": "ask", "price": "0.5300"}
    refused = await member.order(**sell)
    assert refused.json()["error"]["code"] == "insufficient_balance"
    deadline = time.monotonic() + 10
    while (await member.order(**sell)).status_code != 201:
        assert time.monotonic() < deadline
    assert (await member.state())["positions"] == []


async def test_a_rule_can_name_the_unwind_and_leave_the_entry_alone(member: Member) -> None:
    await member.fault("kill", market="p01", action="sell", times=2)
    assert (await member.order()).status_code == 201
    sells = [(await member.order(side="ask", price="0.5300")).status_code for _ in range(3)]
    assert sells == [409, 409, 201]
    rules = (await member.control("GET", "/faults"))["rules"]
    assert [(rule["seen"], rule["hits"]) for rule in rules] == [(3, 2)]


async def test_reads_fail_when_asked_to(member: Member) -> None:
    await member.fault("error_before", action="read", params={"status": 503})
    assert (await member.ask("GET", "/portfolio/orders")).status_code == 503
    assert (await member.ask("GET", "/portfolio/orders")).status_code == 200


async def test_a_cancel_may_work_although_its_answer_is_lost(member: Member) -> None:
    rest = {"price": "0.50", "time_in_force": "good_till_canceled"}
    path = "/portfolio/events/orders/" + (await member.order(**rest)).json()["order_id"]
    await member.fault("error_before", action="cancel")
    await member.fault("error_after", action="cancel")
    answers = [(await member.ask("DELETE", path)).status_code for _ in range(3)]
    assert answers == [500, 500, 404]


async def test_a_read_lag_hides_what_just_happened_and_as_of_time_says_so(member: Member) -> None:
    order_id = (await member.order(price="0.50", time_in_force="good_till_canceled")).json()[
        "order_id"
    ]
    deadline = time.monotonic() + 10
    await member.knobs(read_lag_ms=1_500)
    while (await member.ask("GET", f"/portfolio/orders/{order_id}")).status_code != 200:
        assert time.monotonic() < deadline
    await member.ask("DELETE", f"/portfolio/events/orders/{order_id}")
    seen = (await member.get(f"/portfolio/orders/{order_id}"))["order"]
    assert seen["status"] == "resting"
    again = await member.ask("DELETE", f"/portfolio/events/orders/{order_id}")
    assert again.status_code == 404
    while (await member.get(f"/portfolio/orders/{order_id}"))["order"]["status"] != "canceled":
        assert time.monotonic() < deadline


def _body(member: Member) -> dict[str, object]:
    return {
        "ticker": member.ticker,
        "side": "bid",
        "count": "10.00",
        "price": "0.5500",
        "time_in_force": "fill_or_kill",
        "self_trade_prevention_type": "taker_at_cross",
        "client_order_id": "lost-answer",
        "exchange_index": member.pair.kalshi.exchange_index,
    }


def _signature(member: Member) -> dict[str, str]:
    return headers(member.keys["ed25519"], "POST", "/trade-api/v2/portfolio/events/orders")
