"""Who is asking: signatures over timestamp + METHOD + path, clock window, key scopes."""

import base64
import binascii
import functools
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from sim.kalshi.errors import bad_signature, nested, unknown_key

TRADING_SCOPES: Final = ("read", "write::trade")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A registered key; the algorithm follows from the type of the public key."""

    key_id: str
    name: str
    public_key: RSAPublicKey | Ed25519PublicKey
    scopes: tuple[str, ...]
    private_key_pem: str

    def credentials(self) -> dict[str, str]:
        """What a client is given."""
        return {"key_id": self.key_id, "private_key_pem": self.private_key_pem}


@functools.cache
def member_keys(seed: int) -> dict[str, ApiKey]:
    """An RSA-2048 key, an Ed25519 key and one that may only read; Ed25519 follows the seed."""
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    trading = Ed25519PrivateKey.from_private_bytes(_digest(seed, "ed25519"))
    reading = Ed25519PrivateKey.from_private_bytes(_digest(seed, "read-only"))
    return {
        "rsa": _api_key(seed, "rsa", rsa, TRADING_SCOPES),
        "ed25519": _api_key(seed, "ed25519", trading, TRADING_SCOPES),
        "read_only": _api_key(seed, "read-only", reading, ("read",)),
    }


def _digest(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"kalshi-key:{seed}:{name}".encode()).digest()


def _api_key(
    seed: int, name: str, key: RSAPrivateKey | Ed25519PrivateKey, scopes: tuple[str, ...]
) -> ApiKey:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key_id = str(uuid.UUID(bytes=_digest(seed, name + "-id")[:16], version=4))
    return ApiKey(key_id, name, key.public_key(), scopes, pem)


def authenticate(
    keys: Mapping[str, ApiKey],
    headers: Mapping[str, str],
    method: str,
    path: str,
    now_ms: int,
    window_ms: int,
) -> ApiKey:
    """The key that signed; raises the 401 that Kalshi answers.

    `keys` by key id; `path` is the full path without query; only the missing signature, unknown
    key, bad signature and old timestamp answers are recorded from the venue: other missing
    headers are answered like a missing signature.
    """
    key_id = headers.get("kalshi-access-key")
    timestamp = headers.get("kalshi-access-timestamp")
    signature = headers.get("kalshi-access-signature")
    if not (key_id and timestamp and signature):
        raise nested(401, "signature_is_missing_from_headers")
    if not timestamp.isascii() or not timestamp.isdigit():
        raise nested(401, "header_timestamp_expired")
    if abs(now_ms - int(timestamp)) > window_ms:
        raise nested(401, "header_timestamp_expired")
    key = keys.get(key_id)
    if key is None:
        raise unknown_key()
    _verify(key, f"{timestamp}{method}{path}".encode(), signature)
    return key


def _verify(key: ApiKey, text: bytes, signature: str) -> None:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key.public_key, Ed25519PublicKey):
            key.public_key.verify(raw, text)
        else:
            digest = hashes.SHA256()
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            key.public_key.verify(raw, text, pss, digest)
    except (InvalidSignature, binascii.Error) as problem:
        raise bad_signature() from problem


def require_scope(key: ApiKey, scope: str) -> None:
    """403 unless the key has the scope or its parent."""
    if scope not in key.scopes and scope.split("::")[0] not in key.scopes:
        raise nested(403, "forbidden", details=f"missing scope {scope}")
