"""Signatures, verified with the public key as the venue does."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from venues.kalshi.signing import Signer
from venues.port import VenueMisuse

PATH = "/trade-api/v2/portfolio/balance"
TEXT = b"1795000000123GET/trade-api/v2/portfolio/balance"


def pem(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def signature(private_pem: str) -> bytes:
    headers = Signer("key-1", private_pem).headers("GET", PATH, 1_795_000_000_123)
    assert headers["KALSHI-ACCESS-KEY"] == "key-1"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1795000000123"
    return base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_rsa_key_signs_pss_with_a_salt_of_32_bytes(form: PrivateFormat) -> None:
    key = rsa.generate_private_key(65537, 2048)
    signed = signature(pem(key, form))
    digest = hashes.SHA256()
    public = key.public_key()
    public.verify(signed, TEXT, padding.PSS(padding.MGF1(digest), 32), digest)
    with pytest.raises(InvalidSignature):
        public.verify(signed, TEXT, padding.PSS(padding.MGF1(digest), 20), digest)


def test_an_ed25519_key_signs_the_text_itself() -> None:
    key = Ed25519PrivateKey.generate()
    key.public_key().verify(signature(pem(key)), TEXT)


@pytest.mark.parametrize(
    "private_pem", ["", "secret-words", pem(generate_private_key(SECP256R1()))], ids=str.__len__
)
def test_another_key_is_refused_and_never_repeated(private_pem: str) -> None:
    with pytest.raises(VenueMisuse, match="private_key_pem: expected") as refused:
        Signer("key-1", private_pem)
    assert "secret-words" not in str(refused.value)
    assert "BEGIN" not in str(refused.value)
