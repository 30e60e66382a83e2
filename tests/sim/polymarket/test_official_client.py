"""The unmodified official client trades against the simulated venue."""

import asyncio
import time
from decimal import Decimal

import pytest
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import (
    ApiCreds,
    AssetType,
    BalanceAllowanceParams,
    CreateOrderOptions,
    MarketOrderArgsV2,
    OpenOrderParams,
    OrderArgsV2,
    OrderPayload,
    OrderType,
    TradeParams,
)
from py_clob_client_v2.exceptions import PolyApiException

from sim.polymarket.orders import SignatureType
from tests.sim.polymarket.harness import Sim, running

KINDS = [SignatureType.EOA, SignatureType.PROXY, SignatureType.SAFE, SignatureType.DEPOSIT_WALLET]
SETTLES_S = 10


def client_for(sim: Sim) -> ClobClient:
    """A client that starts from the private key alone."""
    client = ClobClient(
        host=sim.url,
        chain_id=137,
        key=sim.keys["private_key"],
        signature_type=sim.keys["signature_type"],
        funder=sim.keys["funder"],
    )
    client.set_api_creds(client.create_or_derive_api_key())
    return client


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
async def test_it_buys_and_sells_with_every_signature_type(kind: SignatureType) -> None:
    async with running(kind) as sim:
        await asyncio.to_thread(buy_then_sell, sim)


def buy_then_sell(sim: Sim) -> None:
    client = client_for(sim)
    creds = client.creds
    assert isinstance(creds, ApiCreds)
    assert creds.api_key == sim.keys["api_key"]

    # $4.70 at a cap of 0.47 lifts 0.46: more shares than 10 for the same dollars.
    buy = client.create_and_post_market_order(
        MarketOrderArgsV2(token_id=sim.yes, amount=4.70, side="BUY", price=0.47),
        order_type=OrderType.FOK,
    )
    assert buy["status"] == "matched"
    assert buy["makingAmount"] == "4.7"
    assert Decimal(buy["takingAmount"]) == Decimal("10.217391")
    assert len(buy["transactionsHashes"]) == len(buy["tradeIDs"]) == 1

    ours = BalanceAllowanceParams(asset_type=AssetType.CONDITIONAL, token_id=sim.yes)
    deadline = time.monotonic() + SETTLES_S
    while client.get_balance_allowance(ours)["balance"] == "0":
        assert time.monotonic() < deadline, "expected the purchase to settle"
        time.sleep(0.01)
    sell = client.create_and_post_market_order(
        MarketOrderArgsV2(token_id=sim.yes, amount=10, side="SELL", price=0.44),
        order_type=OrderType.FOK,
    )
    assert (sell["status"], sell["makingAmount"], sell["takingAmount"]) == ("matched", "10", "4.5")

    trades = client.get_trades(TradeParams(asset_id=sim.yes))
    assert {trade["taker_order_id"] for trade in trades} == {buy["orderID"], sell["orderID"]}
    order = client.get_order(sell["orderID"])
    assert (order["status"], order["size_matched"]) == ("MATCHED", "10")
    assert client.get_balance_allowance(ours)["balance"] == "217391"


async def test_it_rests_and_cancels_a_limit_order(sim: Sim) -> None:
    def run() -> None:
        client = client_for(sim)
        reply = client.create_and_post_order(
            OrderArgsV2(token_id=sim.no, price=0.5, size=10, side="BUY"), order_type=OrderType.GTC
        )
        assert reply["status"] == "live"
        open_orders = client.get_open_orders(OpenOrderParams(asset_id=sim.no))
        assert [order["id"] for order in open_orders] == [reply["orderID"]]
        answer = client.cancel_order(OrderPayload(orderID=reply["orderID"]))
        assert answer == {"canceled": [reply["orderID"]], "not_canceled": {}}
        assert client.get_open_orders() == []

    await asyncio.to_thread(run)


async def test_it_reads_what_it_needs_before_a_first_order(sim: Sim) -> None:
    def run() -> None:
        client = ClobClient(host=sim.url, chain_id=137)
        assert client.get_ok() == "OK"
        assert client.get_version() == 2
        assert client.get_tick_size(sim.yes) == "0.01"
        assert client.get_neg_risk(sim.yes) is False
        assert client.get_fee_rate_bps(sim.yes) == 1000
        assert client.get_midpoint(sim.yes) == {"mid": "0.455"}
        assert client.get_price(sim.no, "BUY") == {"price": "0.55"}
        book = client.get_order_book(sim.no)
        assert book["asks"][-1] == {"price": "0.55", "size": "200"}
        assert client.get_order_book_hash(dict(book)) == book["hash"]

    await asyncio.to_thread(run)


async def test_an_order_that_cannot_be_filled_whole_raises_and_leaves_nothing(sim: Sim) -> None:
    def run() -> None:
        client = client_for(sim)
        with pytest.raises(PolyApiException) as caught:
            client.create_and_post_market_order(
                MarketOrderArgsV2(token_id=sim.yes, amount=100.00, side="BUY", price=0.46)
            )
        assert caught.value.status_code == 400
        assert "FOK orders are fully filled or killed" in str(caught.value.error_msg)
        assert client.get_trades() == []

    await asyncio.to_thread(run)
    assert sim.cash() == 10_000_000_000


async def test_an_order_for_an_older_exchange_is_a_version_mismatch(sim: Sim) -> None:
    def run() -> None:
        client = client_for(sim)
        with pytest.raises(PolyApiException, match="order_version_mismatch"):
            client.post_order(
                client.builder.build_order(
                    OrderArgsV2(token_id=sim.yes, price=0.5, size=10, side="BUY"),
                    CreateOrderOptions(tick_size="0.01", neg_risk=False),
                    version=3,
                ),
                OrderType.FOK,
            )

    await asyncio.to_thread(run)
