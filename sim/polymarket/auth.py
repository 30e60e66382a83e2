"""Who is calling: L1 (an EIP-712 ClobAuth signature) and L2 (an HMAC over the raw request)."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sim.polymarket import eip712
from sim.polymarket.errors import bad_l1, unauthorized

CHAIN_ID = 137
AUTH_TYPE = "ClobAuth(address address,string timestamp,uint256 nonce,string message)"
AUTH_MESSAGE = "This message attests that I control the given wallet"
AUTH_SEPARATOR = eip712.domain_separator("ClobAuthDomain", "1", CHAIN_ID)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """L2 credentials of one signer. `address` is the lower-case EOA."""

    key: str
    secret: str
    passphrase: str
    address: str

    def public(self) -> dict[str, str]:
        """The credentials as the venue hands them out."""
        return {"apiKey": self.key, "secret": self.secret, "passphrase": self.passphrase}


def derive_key(seed: int, address: str, nonce: int) -> ApiKey:
    """The key of (address, nonce): the same one every time, as the venue promises."""
    material = hashlib.sha512(f"{seed}|{address.lower()}|{nonce}".encode()).digest()
    return ApiKey(
        key=str(uuid.UUID(bytes=material[:16], version=4)),
        secret=base64.urlsafe_b64encode(material[16:48]).decode(),
        passphrase=hashlib.sha256(material[48:]).hexdigest(),
        address=address.lower(),
    )


def auth_digest(address: str, timestamp: str, nonce: int) -> bytes:
    """What an L1 caller signs to prove that it controls `address`."""
    message = eip712.struct_hash(
        AUTH_TYPE,
        eip712.address_word(address),
        eip712.text_word(timestamp),
        eip712.word(nonce),
        eip712.text_word(AUTH_MESSAGE),
    )
    return eip712.digest(AUTH_SEPARATOR, message)


def check_l1(headers: Mapping[str, str], now_s: int, skew_s: int) -> tuple[str, int]:
    """(lower-case address, nonce) of an L1 request; ApiError 401 when it proves nothing."""
    try:
        address = headers["poly_address"].lower()
        timestamp = headers["poly_timestamp"]
        nonce = int(headers.get("poly_nonce", "0"))
        signature = eip712.hex_bytes(headers["poly_signature"])
        signer = eip712.recover(auth_digest(address, timestamp, nonce), signature)
        late = abs(now_s - int(timestamp)) > skew_s
    except (KeyError, ValueError):
        raise bad_l1() from None
    if signer != address or late:
        raise bad_l1()
    return address, nonce


def l2_signature(secret: str, timestamp: str, method: str, path: str, body: bytes) -> str:
    """urlsafe base64 of HMAC-SHA256 over timestamp, method, path without query, raw body."""
    message = f"{timestamp}{method}{path}".encode() + body
    mac = hmac.new(base64.urlsafe_b64decode(secret), message, hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).decode()


def check_l2(
    headers: Mapping[str, str],
    method: str,
    path: str,
    body: bytes,
    keys: Mapping[str, ApiKey],
    now_s: int,
    skew_s: int,
) -> ApiKey:
    """The caller's key; ApiError 401 for an unknown key or any mismatch of the five headers."""
    key = keys.get(headers.get("poly_api_key", ""))
    timestamp = headers.get("poly_timestamp", "")
    if key is None or not timestamp.isdecimal() or abs(now_s - int(timestamp)) > skew_s:
        raise unauthorized()
    expected = l2_signature(key.secret, timestamp, method, path, body)
    genuine = hmac.compare_digest(expected.encode(), headers.get("poly_signature", "").encode())
    known = headers.get("poly_passphrase") == key.passphrase
    if not (genuine and known and headers.get("poly_address", "").lower() == key.address):
        raise unauthorized()
    return key
