"""Amounts, identity and signature of Polymarket orders."""

import dataclasses
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_clob_client_v2.config import get_contract_config
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2
from py_clob_client_v2.order_utils.model.side import Side
from py_clob_client_v2.order_utils.model.signature_type_v2 import SignatureTypeV2
from py_clob_client_v2.signer import Signer

from domain.identity import order_salt
from domain.order import NotFilled, Rejection
from domain.venue import TimeInForce
from tests.venues.polymarket.builders import (
    DEPOSIT_WALLET,
    OWNER,
    PRIVATE_KEY,
    a_wallet,
    an_account,
    an_instrument,
    an_order,
)
from venues.polymarket import orders
from venues.polymarket.account import SignatureType, Wallet, wallet_of
from venues.port import VenueMisuse

# the prices and dollars that binary floats of the client library get wrong are all here
AMOUNTS = """
    action  tick    size    limit   maker       taker
    buy     0.01    10      0.58    5800000     10000000
    buy     0.01    10      0.57    5700000     10000000
    buy     0.01    10      0.29    2900000     10000000
    sell    0.01    10      0.29    10000000    2900000
    sell    0.01    4.35    0.58    4350000     2523000
    sell    0.01    1.15    0.57    1150000     655500
    buy     0.01    7       0.29    2030000     7000000
    buy     0.01    203     0.01    2030000     203000000
    buy     0.001   20      0.985   19700000    20000000
    buy     0.0025  40      0.0725  2900000     40000000
    buy     0.0001  100     0.9999  99990000    100000000
    sell    0.001   10      0.985   10000000    9850000
    buy     0.01    100000  0.99    99000000000  100000000000
"""

FIT = """
    action  tick    size    limit   complaint
    buy     0.01    10      0.58    -
    buy     0.01    5       0.20    -
    buy     0.01    5       0.19    $0.95 is below $1
    buy     0.01    4       0.50    size 4 is below the minimum 5
    sell    0.01    0.02    0.50    -
    sell    0.01    4       0.10    -
    buy     0.01    10      0.585   price 0.585 is not on the market's tick
    buy     0.01    10      1.00    price 1.00 is not on the market's tick
    buy     0.001   10      0.585   -
    buy     0.001   5       0.585   size * price = 2.925 is no multiple of $0.01
    buy     0.01    10.005  0.50    size 10.005 is no multiple of 0.01
    sell    0.01    10.11   0.57    -
    sell    0.001   10.11   0.585   size * price = 5.91435 is no multiple of $0.0001
    buy     0.01    0       0.50    expected a size above zero
"""


def rows(table: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()[1:]]


@pytest.mark.parametrize(("action", "tick", "size", "limit", "maker", "taker"), rows(AMOUNTS))
def test_amounts_are_exact_micro_units(
    action: str, tick: str, size: str, limit: str, maker: str, taker: str
) -> None:
    order = an_order(action, size, limit, instrument=an_instrument(tick))
    assert orders.amounts(order) == orders.Amounts(int(maker), int(taker))
    assert orders.unfit(order) is None


@pytest.mark.parametrize(("action", "tick", "size", "limit", "complaint"), rows(FIT))
def test_what_the_venue_would_refuse_never_leaves(
    action: str, tick: str, size: str, limit: str, complaint: str
) -> None:
    refused = orders.unfit(an_order(action, size, limit, instrument=an_instrument(tick)))
    expected = None if complaint == "-" else NotFilled(Rejection.INVALID_ORDER, complaint)
    assert refused == expected


def test_only_fill_or_kill_is_sent() -> None:
    refused = orders.unfit(an_order(time_in_force=TimeInForce.IOC))
    assert refused == NotFilled(Rejection.INVALID_ORDER, "expected a fill-or-kill order")


def test_an_amount_finer_than_a_millionth_is_our_mistake() -> None:
    with pytest.raises(VenueMisuse, match="at most six decimals"):
        orders.identify(an_order(size="0.0000001"), a_wallet())


@given(cents=st.integers(1, 99), size=st.integers(1, 10_000_000))
def test_a_whole_cent_price_and_a_whole_size_always_fit_the_recipe(cents: int, size: int) -> None:
    order = an_order(size=str(size), limit=str(Decimal(cents) / 100))
    exact = orders.amounts(order)
    assert exact.maker % 10_000 == 0
    assert Decimal(exact.maker) / exact.taker == order.limit


@pytest.mark.parametrize("kind", [SignatureType.EOA, SignatureType.DEPOSIT_WALLET])
@given(
    intent=st.text("abc/0123456789-", min_size=1, max_size=40),
    size=st.integers(5, 5_000),
    cents=st.integers(20, 99),
    created_at_ms=st.integers(1_700_000_000_000, 1_900_000_000_000),
    action=st.sampled_from(["buy", "sell"]),
    neg_risk=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_the_identity_is_the_hash_that_the_library_signs(
    kind: SignatureType,
    intent: str,
    size: int,
    cents: int,
    created_at_ms: int,
    action: str,
    neg_risk: bool,
) -> None:
    order = an_order(
        action,
        str(size),
        str(Decimal(cents) / 100),
        instrument=an_instrument(neg_risk=neg_risk),
        intent=intent,
        created_at_ms=created_at_ms,
    )
    wallet = a_wallet(kind)
    identity = orders.identify(order, wallet)
    assert identity.key == library_hash(identity.fields)
    assert identity == orders.identify(dataclasses.replace(order), wallet)
    config = get_contract_config(137)
    expected = config.neg_risk_exchange_v2 if neg_risk else config.exchange_v2
    assert identity.fields["exchange"] == expected
    assert 0 <= int(identity.fields["salt"]) < 2**53


def library_hash(fields: dict[str, str]) -> str:
    """The hash rebuilt from the stored fields alone, as a reader of the journal would."""

    class Nobody:
        def address(self) -> str:
            return OWNER

    builder = ExchangeOrderBuilderV2(
        fields["exchange"],
        int(fields["chain_id"]),
        Nobody(),
        generate_salt=lambda: fields["salt"],
    )
    unsigned = builder.build_order(
        OrderDataV2(
            maker=fields["maker"],
            signer=fields["signer"],
            tokenId=fields["token_id"],
            makerAmount=fields["maker_amount"],
            takerAmount=fields["taker_amount"],
            side=Side(int(fields["side"])),
            signatureType=SignatureTypeV2(int(fields["signature_type"])),
            timestamp=fields["timestamp"],
        )
    )
    found: str = builder.build_order_hash(builder.build_order_typed_data(unsigned))
    return found


@pytest.mark.parametrize(
    ("kind", "signature_bytes", "maker", "signer"),
    [
        (SignatureType.EOA, 65, OWNER, OWNER),
        (SignatureType.PROXY, 65, DEPOSIT_WALLET, OWNER),
        (SignatureType.SAFE, 65, DEPOSIT_WALLET, OWNER),
        (SignatureType.DEPOSIT_WALLET, 317, DEPOSIT_WALLET, DEPOSIT_WALLET),
    ],
)
def test_the_body_is_a_fill_or_kill_that_carries_what_was_identified(
    kind: SignatureType, signature_bytes: int, maker: str, signer: str
) -> None:
    order, wallet = an_order(), a_wallet(kind)
    identity = orders.identify(order, wallet)
    body = orders.signed_payload(order, identity, wallet, Signer(PRIVATE_KEY, 137), "the-key")
    signed = body["order"]
    assert isinstance(signed, dict)
    signature = bytes.fromhex(signed.pop("signature")[2:])
    assert len(signature) == signature_bytes
    if signature_bytes == 317:
        # inner 65, app separator 32, contents 32, the order's type text, its length
        assert signature[129:315].startswith(b"Order(uint256 salt,address maker,")
        assert signature[315:] == (186).to_bytes(2, "big")
    assert body["orderType"] == "FOK"
    assert (body["owner"], body["deferExec"], body["postOnly"]) == ("the-key", False, False)
    assert signed == {
        "salt": order_salt(order.intent_id),
        "maker": maker,
        "signer": signer,
        "tokenId": order.instrument.token,
        "makerAmount": "5800000",
        "takerAmount": "10000000",
        "side": "BUY",
        "expiration": "0",
        "signatureType": int(kind),
        "timestamp": str(order.created_at_ms),
        "metadata": "0x" + "00" * 32,
        "builder": "0x" + "00" * 32,
    }


def test_an_order_that_is_not_the_identified_one_is_never_signed() -> None:
    wallet = a_wallet()
    identity = orders.identify(an_order(limit="0.57"), wallet)
    with pytest.raises(AssertionError, match="expected to sign"):
        orders.signed_payload(an_order(), identity, wallet, Signer(PRIVATE_KEY, 137), "k")


def test_the_stored_fields_hold_neither_key_nor_signature() -> None:
    identity = orders.identify(an_order(), a_wallet(SignatureType.DEPOSIT_WALLET))
    assert PRIVATE_KEY[2:] not in "".join(identity.fields.values())
    assert not any("signature" in name and name != "signature_type" for name in identity.fields)


def test_an_account_never_shows_its_key() -> None:
    assert PRIVATE_KEY[2:] not in repr(an_account())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"private_key": "0x12"}, "private_key: expected 32 bytes of hex"),
        ({"chain_id": 1}, r"chain_id: expected one of \(137, 80002\), found 1"),
        ({"funder": "0x12"}, "funder: expected a 0x address"),
        ({"funder": DEPOSIT_WALLET}, "expected the signer"),
    ],
)
def test_a_malformed_account_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(VenueMisuse, match=complaint) as caught:
        wallet_of(dataclasses.replace(an_account(), **change))
    assert PRIVATE_KEY[2:] not in str(caught.value)


def test_the_owner_is_the_address_of_the_key() -> None:
    assert a_wallet() == Wallet(OWNER, OWNER, SignatureType.EOA, 137)
