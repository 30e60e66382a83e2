"""Semantics of a match: what is spent, what arrives, what it costs, on either outcome."""

import asyncio
import contextlib
import functools

import pytest

from sim.polymarket.fees import Rounding, taker_fee
from sim.polymarket.resting import expire
from sim.units import micros
from tests.sim.polymarket.harness import Sim

# p01 is a sports market: r = 0.05. Books: bids 0.45 x 200, 0.44 x 300; asks 0.46 x 100, 0.47 x 500.
MATCHES = """
    outcome side type maker  taker   making taking      fee      why
    yes     BUY  FOK  4.60   10      4.6    10          0.12420  at the cap
    yes     BUY  FOK  4.70   10      4.7    10.217391   0.12689  dollars are spent whole: surplus shares
    yes     BUY  FOK  94     200     94     202.127659  2.51399  two levels, the rest at the worse price
    yes     BUY  FAK  46.46  101     46     100         1.24200  what is there at the cap
    yes     BUY  GTC  4.70   10      4.6    10          0.12420  shares are exact: cheaper instead of more
    no      BUY  FOK  5.50   10      5.5    10          0.12375  lifts the YES bid at 0.45
    no      BUY  FOK  5.60   10      5.6    10.181818   0.12599  surplus on NO as well
"""  # noqa: E501 - a table


@pytest.mark.parametrize(
    "row", [line.split(maxsplit=8) for line in MATCHES.strip().splitlines()[1:]], ids=lambda r: r[8]
)
async def test_a_buy_spends_and_receives(row: list[str], sim: Sim) -> None:
    outcome, side, order_type, maker, taker, making, taking, fee, _ = row
    sim.knobs(settle_mined_ms=60_000)
    token = sim.yes if outcome == "yes" else sim.no
    answer = await sim.trade(side, maker, taker, type=order_type, token=token)
    reply = answer.json()
    assert (reply["status"], reply["errorMsg"], reply["success"]) == ("matched", "", True)
    assert (reply["makingAmount"], reply["takingAmount"]) == (making, taking)
    assert "transactionsHashes" not in reply
    assert reply["tradeIDs"]
    assert sim.cash() == 10_000_000_000 - micros(making) - micros(fee)
    assert sim.held(token) == ("0.000000", f"{micros(taking) / 1_000_000:.6f}")


SALES = """
    outcome maker taker  taking fee      why
    yes     10    4.4    4.5    0.12375  sold exactly, the better bid gives more dollars
    yes     10    4.5    4.5    0.12375  at the floor
    no      10    5.2    5.4    0.12420  sells NO into the YES ask at 0.46
"""


@pytest.mark.parametrize(
    "row", [line.split(maxsplit=5) for line in SALES.strip().splitlines()[1:]], ids=lambda r: r[5]
)
async def test_a_sale_sells_exactly_and_pays_its_fee_out_of_the_proceeds(
    row: list[str], sim: Sim
) -> None:
    outcome, maker, taker, taking, fee, _ = row
    token = sim.yes if outcome == "yes" else sim.no
    wallet = sim.exchange.main
    wallet.account.book("transfer", "test", asset=token, position=10_000_000)
    reply = (await sim.trade("SELL", maker, taker, token=token)).json()
    assert (reply["makingAmount"], reply["takingAmount"]) == (maker, taking)
    await sim.settled(reply)
    assert sim.cash() == 10_000_000_000 + micros(taking) - micros(fee)
    assert sim.held(token) == ("0.000000", "0.000000")


FEES = """
    shares    price rate  floor    half_up  ceil     why
    100       0.50  0.05  1.25     1.25     1.25     the venue's own example for sports
    100       0.10  0.07  0.63     0.63     0.63     the venue's own example for crypto
    25        0.13  0.05  0.14137  0.14138  0.14138  the field report of an extra 0.1414
    10.217391 0.46  0.05  0.12689  0.12690  0.12690  surplus shares carry fee
    0.01      0.01  0.04  0        0        0.00001  below the grid
    100       0.50  0     0        0        0        free markets
"""


@pytest.mark.parametrize(
    "row", [line.split(maxsplit=6) for line in FEES.strip().splitlines()[1:]], ids=lambda r: r[6]
)
def test_the_taker_fee_is_rate_times_p_times_one_minus_p(row: list[str]) -> None:
    shares, price, rate = (micros(cell) for cell in row[:3])
    for rounding, expected in zip(Rounding, row[3:6], strict=True):
        assert taker_fee(shares, price, rate, 1, rounding) == micros(expected), rounding


async def test_no_is_the_mirror_of_yes(sim: Sim) -> None:
    yes = (await sim.http.get("/book", params={"token_id": sim.yes})).json()
    no = (await sim.http.get("/book", params={"token_id": sim.no})).json()
    assert [level["price"] for level in yes["asks"]] == ["0.47", "0.46"]
    assert [level["price"] for level in yes["bids"]] == ["0.44", "0.45"]
    assert no["asks"] == [{"price": "0.56", "size": "300"}, {"price": "0.55", "size": "200"}]
    assert no["bids"] == [{"price": "0.53", "size": "500"}, {"price": "0.54", "size": "100"}]


async def test_a_resting_order_is_shown_held_back_and_filled_free_when_quotes_cross_it(
    sim: Sim,
) -> None:
    order = (await sim.trade("BUY", "4.50", "10", type="GTC")).json()
    assert (order["status"], order["makingAmount"]) == ("live", "")
    book = (await sim.http.get("/book", params={"token_id": sim.yes})).json()
    assert book["bids"][-1] == {"price": "0.45", "size": "210"}
    assert sim.exchange.main.available("") == 10_000_000_000 - 4_500_000
    sim.quote({"0.40": "100"}, {"0.44": "4"})
    await sim.until_shown(order["orderID"], size_matched="4")
    assert sim.exchange.main.available("") == 10_000_000_000 - 4_500_000
    sim.quote({"0.40": "100"}, {"0.43": "50"})
    await sim.until_shown(order["orderID"], size_matched="10", status="MATCHED")
    assert sim.cash() == 10_000_000_000 - 4_500_000
    trades = (await sim.get("/data/trades"))["data"]
    assert {trade["trader_side"] for trade in trades} == {"MAKER"}
    assert {trade["maker_orders"][0]["order_id"] for trade in trades} == {order["orderID"]}


async def test_cancels_report_what_they_could_not_cancel(sim: Sim) -> None:
    one = (await sim.trade("BUY", "4.40", "10", type="GTC")).json()["orderID"]
    two = (await sim.trade("BUY", "5.00", "10", type="GTC", token=sim.no)).json()["orderID"]
    done = (await sim.trade("BUY", "4.60", "10")).json()["orderID"]
    answer = await sim.send("DELETE", "/orders", [one, done, "0xnever"])
    assert answer.json()["canceled"] == [one]
    assert set(answer.json()["not_canceled"]) == {done, "0xnever"}
    answer = await sim.send("DELETE", "/cancel-market-orders", {"asset_id": sim.no})
    assert answer.json() == {"canceled": [two], "not_canceled": {}}
    assert (sim.exchange.main.available(""), sim.exchange.live) == (sim.cash(), {})
    sim.quote({}, {"0.40": "100"})
    await sim.http.get("/ok")
    assert [trade.order.id for trade in sim.exchange.trades.values()] == [done]


async def test_a_dated_order_ends_a_minute_before_its_expiration(sim: Sim) -> None:
    now_ns = sim.world.clock()
    expiration = now_ns // 1_000_000_000 + 300
    reply = await sim.trade("BUY", "4.40", "10", type="GTD", expiration=str(expiration))
    order = sim.exchange.orders[reply.json()["orderID"]]
    for left_s, status in ((61, "LIVE"), (60, "CANCELED")):
        sim.world.clock = functools.partial(int, (expiration - left_s) * 1_000_000_000)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(expire(sim.exchange, order), 0.2)
        assert order.status == status


async def test_a_batch_answers_each_order_and_hides_refusals_in_a_200(sim: Sim) -> None:
    payloads = [sim.payload("BUY", "4.60", "10"), sim.payload("BUY", "46.46", "101")]
    answer = await sim.send("POST", "/orders", payloads)
    first, second = answer.json()
    assert (answer.status_code, first["status"]) == (200, "matched")
    assert (second["success"], second["orderID"]) == (True, "")
    assert "fully filled or killed" in second["errorMsg"]
    assert (await sim.send("POST", "/orders", payloads * 8)).status_code == 400


async def test_a_delayed_market_accepts_now_and_matches_later(sim: Sim) -> None:
    sim.knobs(markets={"p01": {"seconds_delay": 1}})
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    assert (reply["status"], reply["makingAmount"]) == ("delayed", "")
    assert "tradeIDs" not in reply
    assert (await sim.get(f"/data/order/{reply['orderID']}"))["status"] == "DELAYED"
    assert sim.cash() == 10_000_000_000
    await sim.until_shown(reply["orderID"], status="MATCHED", size_matched="10")
