"""An exchange contract that the wallet has not approved is not traded on: its orders all fail."""

import json

import pytest

from domain.order import NotFilled, Rejection
from tests.venues.polymarket.conftest import Desk
from venues.polymarket import parse
from venues.polymarket.client import PolymarketClient

MISSING = """
    unapproved              why
    standard_collateral     take 0 of
    standard_tokens         take no outcome token
"""
ROWS = [line.strip().split(None, 1) for line in MISSING.strip().splitlines()[1:]]


async def unapproved(desk: Desk, words: str) -> None:
    await desk.post("/knobs", venue="polymarket", knobs={"unapproved": words})


@pytest.mark.parametrize(("words", "why"), ROWS, ids=[row[0] for row in ROWS])
async def test_what_is_not_approved_bars_the_markets_of_its_exchange(
    desk: Desk, words: str, why: str
) -> None:
    await unapproved(desk, words)
    barred = await desk.client.barred(desk.instrument)
    assert barred is not None
    assert (barred.reason, why in barred.detail) == ("not_approved", True), barred


@pytest.mark.parametrize("words", ["", "neg_risk_collateral neg_risk_tokens"])
async def test_another_exchange_is_no_matter(desk: Desk, words: str) -> None:
    await unapproved(desk, words)
    assert await desk.client.barred(desk.instrument) is None


async def test_what_is_approved_meanwhile_is_seen_by_a_new_client(desk: Desk) -> None:
    await unapproved(desk, "standard_collateral")
    answer = await desk.place(desk.order("buy", "10", "0.52"))
    assert isinstance(answer, NotFilled)
    assert answer.rejection is Rejection.INSUFFICIENT_BALANCE
    assert await desk.client.barred(desk.instrument) is not None
    await unapproved(desk, "")
    later = PolymarketClient(desk.account)
    try:
        assert await later.barred(desk.instrument) is None
    finally:
        await later.close()


def test_a_spender_that_is_not_named_is_not_known() -> None:
    told = parse.allowed(json.dumps({"balance": "5000000"}).encode())
    assert (told.balance, told.to("0xE111")) == (5_000_000, None)
    named = {"balance": "0", "allowances": {"0xE111": str(2**256 - 1)}}
    assert parse.allowed(json.dumps(named).encode()).to("0xe111") == 2**256 - 1
