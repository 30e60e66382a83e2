"""EIP-712 by hand: 32-byte words, struct hashes, domain separators, signer recovery.

Kept apart from the typed-data encoders of client libraries so that a shared mistake
cannot hide: only Keccak-256 and curve arithmetic are borrowed.
"""

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

UINT256_MAX = 2**256 - 1


def word(value: int) -> bytes:
    """An unsigned integer as one big-endian 32-byte word; ValueError when out of range."""
    if not 0 <= value <= UINT256_MAX:
        raise ValueError(f"expected a uint256, found {value}")
    return value.to_bytes(32, "big")


def address_word(address: object) -> bytes:
    """A 0x address (any case) as one left-padded word; ValueError when malformed."""
    raw = hex_bytes(address)
    if len(raw) != 20:
        raise ValueError(f"expected a 20-byte address, found {address!r}")
    return bytes(12) + raw


def text_word(text: str) -> bytes:
    """A string member: the hash of its UTF-8 bytes."""
    return keccak(text.encode())


def hex_bytes(text: object) -> bytes:
    """The bytes of 0x-prefixed hex; ValueError for anything else."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"expected 0x-prefixed hex, found {text!r}")
    return bytes.fromhex(text[2:])


def struct_hash(type_text: str, *members: bytes) -> bytes:
    return keccak(keccak(type_text.encode()) + b"".join(members))


def domain_separator(name: str, version: str, chain_id: int, contract: str | None = None) -> bytes:
    """The separator of a domain with or without a verifying contract."""
    members = [text_word(name), text_word(version), word(chain_id)]
    type_text = "EIP712Domain(string name,string version,uint256 chainId"
    if contract is not None:
        type_text += ",address verifyingContract"
        members.append(address_word(contract))
    return struct_hash(type_text + ")", *members)


def digest(separator: bytes, message: bytes) -> bytes:
    """What gets signed: 0x1901, the domain separator, the struct hash."""
    return keccak(b"\x19\x01" + separator + message)


def recover(signed_digest: bytes, signature: bytes) -> str | None:
    """The lower-case 0x address that signed, or None when the 65 bytes are no signature."""
    if len(signature) != 65:
        return None
    recovery = signature[64] - 27 if signature[64] >= 27 else signature[64]
    try:
        parsed = Signature(signature[:64] + bytes([recovery]))
        return parsed.recover_public_key_from_msg_hash(signed_digest).to_address()
    except (BadSignature, ValidationError, ValueError):
        return None
