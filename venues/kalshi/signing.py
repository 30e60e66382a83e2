"""Kalshi's three headers: key id, timestamp in ms, signature over timestamp + method + path.

RSA keys sign with PSS, SHA-256, MGF1 of SHA-256 and a salt of 32 bytes; Ed25519 keys sign the text
itself (accepted since 2026-09-24). RSA-2048 takes 0.25 ms, so it stays on the event loop.
"""

import base64
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from venues.port import VenueMisuse

_SHA256 = hashes.SHA256()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=padding.PSS.DIGEST_LENGTH)


class Signer:
    """One API key. The algorithm follows the key itself, not the header of its PEM."""

    def __init__(self, key_id: str, private_key_pem: str) -> None:
        """VenueMisuse where the key cannot be used; the message never repeats it."""
        try:
            key = load_pem_private_key(private_key_pem.encode(), password=None)
        except (ValueError, TypeError):
            raise VenueMisuse(
                "private_key_pem: expected an unencrypted private key in PEM, found something else"
            ) from None
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise VenueMisuse(
                f"private_key_pem: expected an RSA or Ed25519 key, found {type(key).__name__}"
            )
        self._key_id, self._key = key_id, key

    def headers(self, method: str, path: str, at_ms: int | None = None) -> dict[str, str]:
        """The headers for a request to `path`: from the root, without the query.

        `at_ms` is the wall-clock time to sign, now by default.
        """
        stamp = str(time.time_ns() // 1_000_000 if at_ms is None else at_ms)
        signature = self._sign(f"{stamp}{method}{path}".encode())
        return {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def _sign(self, text: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(text, _PSS, _SHA256)
        return self._key.sign(text)
