"""Orders over real HTTP: validation, matching, what an answer says, what the ledger holds."""

import asyncio
import json

import pytest

from tests.sim.kalshi.harness import Member

BIDS = [["0.53", "20"], ["0.52", "100"]]
ASKS = [["0.55", "10"], ["0.56", "100"]]


@pytest.fixture(autouse=True)
async def quotes(member: Member) -> None:
    await member.book(BIDS, ASKS)


async def test_a_fill_or_kill_buy_fills_at_the_book_and_pays_the_published_example(
    member: Member,
) -> None:
    answer = await member.order(price="0.9900")
    assert answer.status_code == 201
    body = answer.json()
    assert body["fill_count"] == "10.00"
    assert body["remaining_count"] == "0.00"
    assert body["average_fill_price"] == "0.5500"
    assert body["average_fee_paid"] == "0.0173"
    assert "status" not in body
    assert await member.cash() == "9994.326700"


async def test_buying_no_is_an_ask_and_its_average_price_is_in_yes_terms(member: Member) -> None:
    body = (await member.order(side="ask", price="0.5300")).json()
    assert body["average_fill_price"] == "0.5300"
    state = await member.state()
    assert state["positions"] == [
        {
            "pair": "p01",
            "market": member.ticker,
            "asset": member.ticker,
            "outcome": "no",
            "size": "10.000000",
        }
    ]
    order = state["orders"][0]
    assert (order["outcome"], order["action"], order["limit"]) == ("no", "buy", "0.470000")
    assert order["fills"][0]["price"] == "0.470000"
    # 10 x 0.47 and a fee of 0.07 x 10 x 0.53 x 0.47 = 0.17437, charged on the 0.0001 grid
    assert state["cash"] == "9995.125600"


async def test_selling_what_is_held_brings_the_price(member: Member) -> None:
    await member.order(price="0.5500")
    answer = await member.order(side="ask", price="0.5300")
    assert answer.json()["fill_count"] == "10.00"
    state = await member.state()
    assert state["positions"] == []
    assert state["orders"][1]["action"] == "sell"
    assert state["cash"] == "9999.452300"
    assert state["conserved"] is True


async def test_an_ask_larger_than_the_position_flips_it_and_nets_a_dollar_per_pair(
    member: Member,
) -> None:
    await member.order(price="0.5500", count="4.00")
    await member.order(side="ask", price="0.5300", count="10.00")
    positions = (await member.get("/portfolio/positions"))["market_positions"]
    assert positions[0]["position_fp"] == "-6.00"
    # four sold for 0.53, six NO bought for 0.47
    entries = [entry for entry in (await member.state())["entries"] if entry["kind"] == "trade"]
    assert [entry["cash"] for entry in entries] == ["-2.200000", "-0.700000"]


async def test_a_fill_or_kill_without_enough_volume_is_a_409_and_spends_its_id(
    member: Member,
) -> None:
    answer = await member.order(count="11.00", client_order_id="killed")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "fill_or_kill_insufficient_resting_volume"
    assert await member.cash() == "10000.000000"
    again = await member.order(client_order_id="killed")
    assert again.json()["error"]["code"] == "order_already_exists"
    assert (await member.state())["duplicates"] == 1


async def test_an_immediate_order_keeps_what_it_found_and_may_find_nothing(member: Member) -> None:
    some = await member.order(count="15.00", time_in_force="immediate_or_cancel")
    assert (some.json()["fill_count"], some.json()["remaining_count"]) == ("10.00", "0.00")
    none = await member.order(price="0.5400", time_in_force="immediate_or_cancel")
    assert none.status_code == 201
    assert (none.json()["fill_count"], none.json()["remaining_count"]) == ("0.00", "0.00")
    assert "average_fill_price" not in none.json()


async def test_reduce_only_sells_no_more_than_is_held(member: Member) -> None:
    await member.order(count="7.00")
    answer = await member.order(
        side="ask",
        price="0.5200",
        count="50.00",
        time_in_force="immediate_or_cancel",
        reduce_only=True,
    )
    assert answer.json()["fill_count"] == "7.00"
    assert (await member.state())["positions"] == []


async def test_a_resting_order_shows_in_the_book_and_can_be_cancelled_once(member: Member) -> None:
    resting = {"price": "0.5400", "time_in_force": "good_till_canceled", "count": "3.00"}
    order_id = (await member.order(**resting)).json()["order_id"]
    book = await member.get(f"/markets/{member.ticker}/orderbook")
    assert book["orderbook_fp"]["yes_dollars"][-1] == ["0.5400", "3.00"]
    path = f"/portfolio/events/orders/{order_id}"
    first, second = await member.ask("DELETE", path), await member.ask("DELETE", path)
    assert (first.status_code, first.json()["reduced_by"]) == (200, "3.00")
    assert (second.status_code, second.json()["error"]["code"]) == (404, "not_found")


async def test_cancel_all_takes_every_resting_order_off(member: Member) -> None:
    for price in ("0.5000", "0.5100"):
        await member.order(price=price, time_in_force="good_till_canceled")
    answer = await member.ask("DELETE", "/portfolio/events/orders")
    assert answer.status_code == 204
    resting = await member.get("/portfolio/orders?status=resting")
    assert resting["orders"] == []


async def test_a_resting_order_trades_when_others_come_to_cross_it(member: Member) -> None:
    await member.order(price="0.5400", time_in_force="good_till_canceled", count="3.00")
    await member.book(BIDS, [["0.54", "2"], ["0.56", "100"]])
    fills: list[dict[str, object]] = []
    while not fills:
        fills = (await member.get("/portfolio/fills"))["fills"]
        await asyncio.sleep(0.01)
    assert (fills[0]["count_fp"], fills[0]["is_taker"]) == ("2.00", False)
    # the series charges makers a quarter: 0.0175 x 2 x 0.54 x 0.46
    assert fills[0]["fee_cost"] == "0.008700"


async def test_meeting_an_own_order_stops_the_taker_and_keeps_its_fills(member: Member) -> None:
    await member.order(side="ask", price="0.5600", time_in_force="good_till_canceled")
    await member.book(BIDS, [["0.55", "10"], ["0.57", "100"]])
    answer = await member.order(price="0.5700", count="30.00")
    assert answer.status_code == 201
    assert (answer.json()["fill_count"], answer.json()["remaining_count"]) == ("10.00", "0.00")


async def test_meeting_an_own_order_in_maker_mode_cancels_that_and_goes_on(member: Member) -> None:
    await member.order(side="ask", price="0.5600", time_in_force="good_till_canceled")
    await member.book(BIDS, [["0.55", "10"], ["0.57", "100"]])
    answer = await member.order(price="0.5700", count="30.00", self_trade_prevention_type="maker")
    assert answer.json()["fill_count"] == "30.00"
    canceled = await member.get("/portfolio/orders?status=canceled")
    assert len(canceled["orders"]) == 1


REFUSALS = """
    change                                    status  code
    count=10                                  400     bad_request
    price=0.55                                400     bad_request
    time_in_force=                            400     invalid_parameters
    self_trade_prevention_type=               400     invalid_parameters
    side="buy"                                400     invalid_parameters
    count="0"                                 400     invalid_order_size
    count="1.005"                             400     invalid_order_size
    price="0.5550"                            400     invalid_price
    price="1.0000"                            400     invalid_price
    price="0"                                 400     invalid_price
    client_order_id="KX-T6.40"                400     invalid_parameters
    reduce_only=true                          400     invalid_order
    ticker="KXNOSUCH-1"                       404     market_not_found
    exchange_index=0                          400     invalid_parameters
    count="9000"                              400     insufficient_balance
"""


@pytest.mark.parametrize(
    "row", REFUSALS.strip().splitlines()[1:], ids=lambda row: " ".join(row.split())
)
async def test_a_bad_order_is_refused_by_name_and_books_nothing(member: Member, row: str) -> None:
    change, status, code = row.split()
    name, _, text = change.partition("=")
    answer = await member.order(**{name: json.loads(text) if text else None})
    body = answer.json()
    assert (answer.status_code, body.get("error", body)["code"]) == (int(status), code)
    assert await member.cash() == "10000.000000"


async def test_an_ask_resting_below_the_bid_is_refused_when_post_only(member: Member) -> None:
    answer = await member.order(
        side="ask", price="0.5200", time_in_force="good_till_canceled", post_only=True
    )
    assert answer.json()["error"]["details"] == "post only cross"


async def test_money_on_another_shard_does_not_help(member: Member) -> None:
    await member.book([], [["0.55", "100000"]])
    answer = await member.order(count="5000.00")
    assert answer.json()["error"]["code"] == "insufficient_balance"
    await member.control("POST", "/cash", {"venue": "kalshi", "usd": "1000", "ref": "shard:3"})
    assert (await member.order(count="5000.00")).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portfolio/orders"),
        ("DELETE", "/portfolio/orders/x"),
        ("POST", "/portfolio/orders/batched"),
        ("POST", "/portfolio/orders/x/amend"),
    ],
)
async def test_the_first_version_of_order_writing_is_gone(
    member: Member, method: str, path: str
) -> None:
    answer = await member.ask(method, path)
    assert answer.status_code == 410
    assert answer.json()["error"]["code"] == "deprecated_v1_order_endpoint"


@pytest.mark.parametrize(
    ("mode", "code"), [("maintenance", "trading_is_paused"), ("post_only", "trading_is_paused")]
)
async def test_a_pause_refuses_orders_and_allows_cancels(
    member: Member, mode: str, code: str
) -> None:
    order_id = (await member.order(price="0.5", time_in_force="good_till_canceled")).json()[
        "order_id"
    ]
    await member.control("POST", "/venue", {"venue": "kalshi", "mode": mode})
    refused = await member.order()
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, code)
    cancelled = await member.ask("DELETE", f"/portfolio/events/orders/{order_id}")
    assert cancelled.status_code == 200
    assert (await member.get("/exchange/status"))["trading_active"] is False


async def test_a_restart_answers_503_with_the_status_body(member: Member) -> None:
    await member.control("POST", "/venue", {"venue": "kalshi", "mode": "restarting"})
    assert (await member.order()).status_code == 503
    status = await member.ask("GET", "/exchange/status", signed=False)
    assert (status.status_code, status.json()["exchange_active"]) == (503, False)


async def test_a_lapsed_attestation_refuses_sports_with_a_sentence_as_code(member: Member) -> None:
    await member.knobs(region_expires_in_s=-1)
    answer = await member.order()
    assert answer.status_code == 400
    assert " " not in answer.json()["error"]["code"]
    assert "attestation" in answer.json()["error"]["code"]


PAYOUTS = """
    bought  outcome  cash
    yes     yes      10004.326700
    yes     no       9994.326700
    no      no       10005.125600
    no      yes      9995.125600
"""


@pytest.mark.parametrize(
    "row", PAYOUTS.strip().splitlines()[1:], ids=lambda row: " ".join(row.split())
)
async def test_a_position_pays_a_dollar_when_its_side_wins_and_nothing_else(
    member: Member, row: str
) -> None:
    bought, outcome, cash = row.split()
    if bought == "yes":
        await member.order(price="0.5500")
    else:
        await member.order(side="ask", price="0.5300")
    await member.control("POST", "/resolve", {"pair": "p01", "kalshi": outcome})
    state = await member.state()
    assert (state["cash"], state["positions"], state["conserved"]) == (cash, [], True)


async def test_a_position_settles_at_a_dollar_and_the_market_closes(member: Member) -> None:
    await member.order()
    await member.control("POST", "/resolve", {"pair": "p01", "kalshi": "yes"})
    state = await member.state()
    assert state["positions"] == []
    assert state["cash"] == "10004.326700"
    settled = (await member.get("/portfolio/settlements"))["settlements"]
    assert settled[0]["revenue"] == 1000
    assert settled[0]["market_result"] == "yes"
    market = (await member.get(f"/markets/{member.ticker}"))["market"]
    assert (market["status"], market["result"]) == ("finalized", "yes")
    assert (await member.order()).status_code == 409
