"""Between the match and the chain: statuses, tokens that never arrive, sales too early."""

import asyncio

import pytest

from sim.polymarket.orders import Side
from tests.sim.polymarket.harness import Sim, until

START = 10_000_000_000


async def test_a_bought_token_cannot_be_sold_before_the_cache_knows_it(sim: Sim) -> None:
    sim.knobs(settle_mined_ms=50, settle_confirmed_ms=60_000)
    bought = (await sim.trade("BUY", "4.60", "10")).json()
    early = await sim.trade("SELL", "10", "4.4")
    assert early.status_code == 400
    assert "not enough balance / allowance" in early.json()["error"]
    # mined, not confirmed: on chain, but the cache does not know
    await sim.settled(bought, "MINED")
    assert sim.held(sim.yes) == ("10.000000", "0.000000")
    assert (await sim.trade("SELL", "10", "4.4")).status_code == 400
    asked = {"asset_type": "CONDITIONAL", "token_id": sim.yes, "signature_type": "3"}
    assert (await sim.get("/balance-allowance", **asked))["balance"] == "0"
    await sim.get("/balance-allowance/update", **asked)
    assert (await sim.get("/balance-allowance", **asked))["balance"] == "10000000"
    assert (await sim.trade("SELL", "10", "4.4")).json()["status"] == "matched"


async def test_an_update_can_be_made_useless_until_confirmation(sim: Sim) -> None:
    sim.knobs(settle_confirmed_ms=300, update_refreshes=False)
    bought = (await sim.trade("BUY", "4.60", "10")).json()
    await sim.settled(bought, "MINED")
    asked = {"asset_type": "CONDITIONAL", "token_id": sim.yes, "signature_type": "3"}
    await sim.get("/balance-allowance/update", **asked)
    assert (await sim.trade("SELL", "10", "4.4")).status_code == 400
    await sim.settled(bought)
    assert (await sim.trade("SELL", "10", "4.4")).status_code == 200


async def test_a_ghost_fill_takes_the_money_and_gives_it_back(sim: Sim) -> None:
    sim.fault("ghost", params={"ms": 150})
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    assert reply["status"] == "matched"
    assert (sim.cash(), sim.held(sim.yes)) == (
        START - 4_600_000 - 124_200,
        ("0.000000", "10.000000"),
    )
    await sim.settled(reply, "FAILED")
    assert (sim.cash(), sim.held(sim.yes)) == (START, ("0.000000", "0.000000"))
    trade = (await sim.get("/data/trades"))["data"][0]
    assert (trade["status"], trade["transaction_hash"]) == ("FAILED", "")


async def test_a_ghost_sale_gives_the_tokens_back(sim: Sim) -> None:
    bought = (await sim.trade("BUY", "4.60", "10")).json()
    await sim.settled(bought)
    cash = sim.cash()
    sim.fault("ghost", action="sell", params={"ms": 20})
    sold = (await sim.trade("SELL", "10", "4.4")).json()
    await sim.settled(sold, "FAILED")
    assert (sim.cash(), sim.held(sim.yes)) == (cash, ("10.000000", "0.000000"))


async def test_one_of_several_trades_of_an_order_can_fail_alone(sim: Sim) -> None:
    sim.fault("ghost", params={"ms": 20, "code": "first"})
    reply = (await sim.trade("BUY", "94", "200")).json()
    first, second = reply["tradeIDs"]
    await sim.settled({"tradeIDs": [first]}, "FAILED")
    await sim.settled({"tradeIDs": [second]})
    assert sim.held(sim.yes) == ("102.127659", "0.000000")
    assert sim.cash() == START - 48_000_000 - 1_271_990


@pytest.mark.parametrize(("probability", "status"), [(0, "CONFIRMED"), (1_000_000, "FAILED")])
async def test_failures_can_be_drawn_and_retried_on_the_way(
    probability: int, status: str, sim: Sim
) -> None:
    sim.knobs(fail_probability=probability, fail_ms=100, retrying_probability=1_000_000)
    sim.knobs(settle_mined_ms=100)
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    await sim.settled(reply, "RETRYING")
    await sim.settled(reply, status)


PAYOUTS = """
    outcome yes        no        why
    yes     10.000000  0         the winner pays a dollar
    no      0          10.000000 the loser pays nothing
    half    5.000000   5.000000  fifty-fifty
"""


@pytest.mark.parametrize(
    "row", [line.split(maxsplit=3) for line in PAYOUTS.strip().splitlines()[1:]], ids=lambda r: r[3]
)
@pytest.mark.parametrize("token", ["yes", "no"])
async def test_resolution_redeems_what_is_held(row: list[str], token: str, sim: Sim) -> None:
    ident, dollars = (sim.yes, "4.60") if token == "yes" else (sim.no, "5.50")
    reply = (await sim.trade("BUY", dollars, "10", token=ident)).json()
    await sim.settled(reply)
    resting = (await sim.trade("BUY", "4.00", "10", type="GTC")).json()["orderID"]
    cash = sim.cash()
    sim.world.outcomes["polymarket", "p01"] = row[0]
    sim.venue.resolve(sim.pair, row[0])
    paid = float(row[1 if token == "yes" else 2])
    assert sim.cash() == cash + int(paid * 1_000_000)
    assert sim.held(ident) == ("0.000000", "0.000000")
    assert sim.exchange.orders[resting].status == "CANCELED_MARKET_RESOLVED"
    assert (await sim.trade("BUY", "4.60", "10")).status_code == 400
    market = (await sim.http.get(f"/markets/slug/{sim.pair.polymarket.slug}")).json()
    assert (market["closed"], market["umaResolutionStatus"]) == (True, "resolved")


async def test_an_order_that_is_late_for_the_resolution_is_not_placed(sim: Sim) -> None:
    sim.fault("delay", params={"ms": 100})
    late = asyncio.create_task(sim.trade("BUY", "4.00", "10", type="GTC"))

    async def arrived() -> bool:
        return bool(sim.exchange.records)

    await until(arrived)
    sim.venue.resolve(sim.pair, "yes")
    answer = await late
    assert (answer.status_code, sim.exchange.live) == (400, {})


async def test_tokens_that_arrive_after_the_resolution_are_paid_too(sim: Sim) -> None:
    sim.knobs(settle_mined_ms=150)
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    cash = sim.cash()
    sim.venue.resolve(sim.pair, "yes")
    assert sim.cash() == cash
    await sim.settled(reply)
    assert sim.cash() == cash + 10_000_000


async def test_positions_follow_the_chain_and_show_what_can_be_redeemed(sim: Sim) -> None:
    sim.knobs(redeem_ms=-1)
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    await sim.settled(reply)
    asked = {"user": sim.keys["funder"], "status": "OPEN"}
    row = (await sim.http.get("/v2/positions", params=asked)).json()["data"][0]
    assert (row["token_id"], row["current_size"], row["avg_price"]) == (sim.yes, "10", "0.46")
    sim.venue.resolve(sim.pair, "no")
    assert (await sim.http.get("/v2/positions", params=asked)).json()["data"] == []
    lost = asked | {"status": "REDEEMABLE_LOST"}
    assert len((await sim.http.get("/v2/positions", params=lost)).json()["data"]) == 1


async def test_a_terminal_order_turns_into_null(sim: Sim) -> None:
    sim.knobs(order_vanish_ms=100)
    reply = (await sim.trade("BUY", "4.60", "10")).json()
    await sim.until_gone(reply["orderID"])
    assert len((await sim.get("/data/trades"))["data"]) == 1
    assert sim.exchange.orders[reply["orderID"]].side is Side.BUY
