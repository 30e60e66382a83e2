"""The signed order: strict reading of the payload, its hash, and whose signature it carries."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from sim.polymarket import eip712
from sim.polymarket.auth import CHAIN_ID
from sim.polymarket.errors import ApiError, bad_payload

ORDER_TYPE = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    "uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,"
    "bytes32 builder)"
)
WRAPPED_TYPE = (
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    "address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
DOMAIN_NAME = "Polymarket CTF Exchange"
WRAPPED_SIGNATURE_BYTES = 317
ORDER_FIELDS = frozenset(
    "salt maker signer tokenId makerAmount takerAmount side expiration signatureType timestamp "
    "metadata builder signature".split()
)
MISMATCH = "order_version_mismatch"


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class SignatureType(IntEnum):
    EOA = 0
    PROXY = 1
    SAFE = 2
    DEPOSIT_WALLET = 3


class OrderType(StrEnum):
    FOK = "FOK"
    FAK = "FAK"
    GTC = "GTC"
    GTD = "GTD"

    @property
    def immediate(self) -> bool:
        return self in (OrderType.FOK, OrderType.FAK)


@dataclass(frozen=True, slots=True)
class Domain:
    """An exchange contract and the domain version it verifies."""

    contract: str
    version: str

    def separator(self) -> bytes:
        return eip712.domain_separator(DOMAIN_NAME, self.version, CHAIN_ID, self.contract)


STANDARD = Domain("0xE111180000d2663C0091e4f400237545B87B996B", "2")
NEG_RISK = Domain("0xe2222d279d744050d28e00520010520000310F59", "2")
PROTOCOL_V2 = Domain("0xe3333700cA9d93003F00f0F71f8515005F6c00Aa", "3")


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """The signed fields. Amounts are 6-decimal integers; timestamp is in milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: Side
    signature_type: SignatureType
    timestamp: int
    metadata: bytes
    builder: bytes
    expiration: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """One element of POST /order or POST /orders."""

    order: SignedOrder
    owner: str
    order_type: OrderType
    post_only: bool
    defer_exec: bool


def read_submission(payload: Any) -> Submission:
    """The submission in `payload`; ApiError 400 for a malformed or an outdated order."""
    if not isinstance(payload, dict) or not isinstance(payload.get("order"), dict):
        raise bad_payload()
    raw = payload["order"]
    if "timestamp" not in raw and {"nonce", "feeRateBps", "taker"} & raw.keys():
        raise ApiError(400, MISMATCH)
    post_only, defer_exec = payload.get("postOnly", False), payload.get("deferExec", False)
    try:
        order_type = OrderType(payload["orderType"])
        submission = Submission(
            read_order(raw), payload["owner"], order_type, post_only, defer_exec
        )
    except (KeyError, TypeError, ValueError):
        raise bad_payload() from None
    flags = isinstance(post_only, bool) and isinstance(defer_exec, bool)
    if not (flags and isinstance(payload["owner"], str)):
        raise bad_payload()
    return submission


def read_order(raw: dict[str, Any]) -> SignedOrder:
    """The order in `raw`; ValueError, KeyError or TypeError when the shape is not the venue's."""
    if raw.keys() != ORDER_FIELDS:
        raise ValueError(f"expected the fields {sorted(ORDER_FIELDS)}, found {sorted(raw)}")
    for name, value in (("salt", raw["salt"]), ("signatureType", raw["signatureType"])):
        if type(value) is not int:
            raise ValueError(f"expected {name} as a JSON integer, found {value!r}")
    order = SignedOrder(
        salt=raw["salt"],
        maker=address(raw["maker"]),
        signer=address(raw["signer"]),
        token_id=digits(raw["tokenId"]),
        maker_amount=digits(raw["makerAmount"]),
        taker_amount=digits(raw["takerAmount"]),
        side=Side(raw["side"]),
        signature_type=SignatureType(raw["signatureType"]),
        timestamp=digits(raw["timestamp"]),
        metadata=bytes32(raw["metadata"]),
        builder=bytes32(raw["builder"]),
        expiration=digits(raw["expiration"]),
        signature=eip712.hex_bytes(raw["signature"]),
    )
    if order.maker_amount == 0 or order.taker_amount == 0:
        raise ValueError("expected positive amounts, found zero")
    order_struct(order)
    return order


def digits(text: Any) -> int:
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal()):
        raise ValueError(f"expected decimal digits in a string, found {text!r}")
    return int(text)


def address(text: Any) -> str:
    eip712.address_word(text)
    return str(text).lower()


def bytes32(text: Any) -> bytes:
    raw = eip712.hex_bytes(text)
    if len(raw) != 32:
        raise ValueError(f"expected 32 bytes, found {text!r}")
    return raw


def order_struct(order: SignedOrder) -> bytes:
    """The EIP-712 struct hash of the order, before any domain."""
    return eip712.struct_hash(
        ORDER_TYPE,
        eip712.word(order.salt),
        eip712.address_word(order.maker),
        eip712.address_word(order.signer),
        eip712.word(order.token_id),
        eip712.word(order.maker_amount),
        eip712.word(order.taker_amount),
        eip712.word(0 if order.side is Side.BUY else 1),
        eip712.word(order.signature_type),
        eip712.word(order.timestamp),
        order.metadata,
        order.builder,
    )


def order_id(order: SignedOrder, domain: Domain) -> str:
    """The venue's id of the order: its EIP-712 hash, for every signature type."""
    return "0x" + eip712.digest(domain.separator(), order_struct(order)).hex()


def signed_by(order: SignedOrder, domain: Domain) -> str | None:
    """The EOA that signed `order` for `domain`, or None when the signature is not one."""
    if order.signature_type is SignatureType.DEPOSIT_WALLET:
        return wrapped_signer(order, domain)
    return eip712.recover(eip712.digest(domain.separator(), order_struct(order)), order.signature)


def wrapped_signer(order: SignedOrder, domain: Domain) -> str | None:
    """The owner behind an ERC-7739 signature: inner 65, separator 32, contents 32, type, length."""
    raw, type_text = order.signature, ORDER_TYPE.encode()
    contents, separator = order_struct(order), domain.separator()
    tail = separator + contents + type_text + len(type_text).to_bytes(2, "big")
    if len(raw) != WRAPPED_SIGNATURE_BYTES or raw[65:] != tail:
        return None
    wrapped = eip712.struct_hash(
        WRAPPED_TYPE,
        contents,
        eip712.text_word("DepositWallet"),
        eip712.text_word("1"),
        eip712.word(CHAIN_ID),
        eip712.address_word(order.signer),
        bytes(32),
    )
    return eip712.recover(eip712.digest(separator, wrapped), raw[:65])


def check_signature(order: SignedOrder, domain: Domain, owner: str) -> None:
    """ApiError 400 unless `owner` signed `order` for `domain`.

    A good signature for another version of the same exchange gets the venue's own words for it.
    """
    if signed_by(order, domain) == owner:
        return
    others = {Domain(domain.contract, version) for version in ("1", "2", "3")}
    others |= {STANDARD, NEG_RISK, PROTOCOL_V2}
    if any(signed_by(order, d) == owner for d in others if d.version != domain.version):
        raise ApiError(400, MISMATCH)
    raise ApiError(400, "invalid signature")
