"""From an order to what Polymarket signs: exact amounts, its identity, its wire form.

A BUY offers size * limit dollars and spends exactly them; a SELL offers exactly `size` shares.
"""

from copy import copy
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from py_clob_client_v2.config import get_contract_config
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils.model.order_data_v2 import (
    OrderDataV2,
    SignedOrderV2,
    order_to_json_v2,
)
from py_clob_client_v2.order_utils.model.side import Side
from py_clob_client_v2.order_utils.model.signature_type_v2 import SignatureTypeV2
from py_clob_client_v2.signer import Signer

from domain.identity import order_salt
from domain.money import CENT, ZERO, NotMoney, on_grid, to_micro
from domain.order import Identity, NotFilled, Order, Rejection
from domain.venue import Action, Instrument, TimeInForce
from venues.polymarket.account import Wallet
from venues.port import VenueMisuse

DOLLAR_STEP_OF_A_SELL = CENT / 100


@dataclass(frozen=True, slots=True)
class Amounts:
    """What the order offers and asks, in micro-units: dollars and shares, or shares and dollars."""

    maker: int
    taker: int


def amounts(order: Order) -> Amounts:
    """The exact amounts of an order; VenueMisuse where they are finer than a millionth."""
    try:
        dollars, shares = to_micro(order.size * order.limit), to_micro(order.size)
    except NotMoney as problem:
        raise VenueMisuse(f"{order.size} at {order.limit} on Polymarket: {problem}") from None
    return Amounts(dollars, shares) if order.action is Action.BUY else Amounts(shares, dollars)


def unfit(order: Order) -> NotFilled | None:
    """Why the venue would refuse this immediate order, None where it would not.

    Rules: BUY maker 2 and taker 4 decimals, SELL likewise; a dollar at least for a marketable BUY.
    Whether a SELL has a minimum is undocumented, so a residue is always offered.
    """
    rule = order.instrument
    notional = order.size * order.limit
    selling = order.action is Action.SELL
    step = DOLLAR_STEP_OF_A_SELL if selling else CENT
    checks = (
        (order.time_in_force is TimeInForce.FOK, "expected a fill-or-kill order"),
        (rule.allows_price(order.limit), f"price {order.limit} is not on the market's tick"),
        (order.size > ZERO, "expected a size above zero"),
        (
            on_grid(order.size, rule.size_step),
            f"size {order.size} is no multiple of {rule.size_step}",
        ),
        (on_grid(notional, step), f"size * price = {notional} is no multiple of ${step}"),
        (selling or notional >= rule.notional_min, f"${notional} is below ${rule.notional_min}"),
        (
            selling or order.size >= rule.size_min,
            f"size {order.size} is below the minimum {rule.size_min}",
        ),
    )
    for holds, complaint in checks:
        if not holds:
            return NotFilled(Rejection.INVALID_ORDER, complaint)
    return None


@lru_cache(maxsize=1024)
def identify(order: Order, wallet: Wallet) -> Identity:
    """The order's hash, which the venue takes as its id, and the fields it is a hash of.

    The hash is that of the plain Order for every signature type. No key is needed. An order is
    named by the gate and again whenever its venue is asked, so the last ones are remembered.
    """
    builder = _builder(order, wallet, _Address(wallet.owner))
    data = _data(order, wallet)
    typed = builder.build_order_typed_data(builder.build_order(data))
    fields = {
        "chain_id": str(wallet.chain_id),
        "exchange": builder.contract_address,
        "salt": str(order_salt(order.intent_id)),
        "maker": data.maker,
        "signer": data.signer,
        "token_id": data.tokenId,
        "maker_amount": data.makerAmount,
        "taker_amount": data.takerAmount,
        "side": str(int(data.side)),
        "signature_type": wallet.kind,
        "timestamp": data.timestamp,
    }
    return Identity(builder.build_order_hash(typed), fields)


def signed_payload(
    order: Order, identity: Identity, wallet: Wallet, signer: Signer, owner: str
) -> dict[str, object]:
    """The body of POST /order; `owner` is the API key. Holds the signature: send, then forget.

    What is signed must be what was stored: the hash is taken again and compared.
    """
    builder = _builder(order, wallet, signer)
    unsigned = builder.build_order(_data(order, wallet))
    typed = builder.build_order_typed_data(unsigned)
    found = builder.build_order_hash(typed)
    assert found == identity.key, f"expected to sign {identity.key}, found {found}"
    signature = builder.build_order_signature(typed)
    signed = SignedOrderV2(**asdict(unsigned), signature=signature)
    payload: dict[str, object] = order_to_json_v2(signed, owner, "FOK")
    return payload


class _Address:
    """Stands where the library asks a signer for its address, and cannot sign."""

    def __init__(self, address: str) -> None:
        self._address = address

    def address(self) -> str:
        return self._address


def exchange_of(instrument: Instrument, wallet: Wallet) -> str:
    """The address of the contract that matches the instrument's market."""
    contracts = get_contract_config(wallet.chain_id)
    return str(contracts.neg_risk_exchange_v2 if instrument.neg_risk else contracts.exchange_v2)


def _builder(order: Order, wallet: Wallet, signer: Signer | _Address) -> ExchangeOrderBuilderV2:
    exchange = exchange_of(order.instrument, wallet)
    salt = str(order_salt(order.intent_id))
    builder = copy(_nobodys_builder(exchange, wallet.chain_id))
    builder.signer, builder.generate_salt = signer, lambda: salt
    return builder


@cache
def _nobodys_builder(exchange: str, chain_id: int) -> ExchangeOrderBuilderV2:
    """Made once: it takes a hash of the exchange's domain."""
    return ExchangeOrderBuilderV2(exchange, chain_id, signer=None)


def _data(order: Order, wallet: Wallet) -> OrderDataV2:
    exact = amounts(order)
    return OrderDataV2(
        maker=wallet.funder,
        signer=wallet.order_signer,
        tokenId=order.instrument.token,
        makerAmount=str(exact.maker),
        takerAmount=str(exact.taker),
        side=Side.BUY if order.action is Action.BUY else Side.SELL,
        signatureType=SignatureTypeV2(int(wallet.signature_type)),
        timestamp=str(order.created_at_ms),
    )
