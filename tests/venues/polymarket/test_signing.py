"""Request headers against vectors computed by hand from the documented algorithm."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from py_clob_client_v2.signer import Signer

from tests.venues.polymarket.builders import OWNER, PRIVATE_KEY
from venues.polymarket import signing
from venues.polymarket.account import ApiKey

SECRET = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()
KEY = ApiKey("the-key", SECRET, "the-phrase")
ROOM = Path(signing.__file__).parent


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/data/trades", ""), ("POST", "/order", '{"order":{"salt":1},"owner":"k"}')],
)
def test_l2_signs_time_method_path_and_exact_body(method: str, path: str, body: str) -> None:
    message = f"1700000000{method}{path}{body}".encode()
    mac = hmac.new(base64.urlsafe_b64decode(SECRET), message, hashlib.sha256).digest()
    assert signing.l2_headers(Signer(PRIVATE_KEY, 137), KEY, method, path, 1_700_000_000, body) == {
        "POLY_ADDRESS": OWNER,
        "POLY_SIGNATURE": base64.urlsafe_b64encode(mac).decode(),
        "POLY_TIMESTAMP": "1700000000",
        "POLY_API_KEY": "the-key",
        "POLY_PASSPHRASE": "the-phrase",
    }


def test_l2_equals_a_vector_written_down() -> None:
    headers = signing.l2_headers(
        Signer(PRIVATE_KEY, 137), KEY, "GET", "/data/trades", 1_700_000_000
    )
    assert headers["POLY_SIGNATURE"] == "YUOapc0-oauI2hDAa4gbHoEvORF42llCUPk-vFbrylw="


def test_a_body_that_the_library_would_change_before_hashing_is_refused() -> None:
    with pytest.raises(AssertionError, match="apostrophes"):
        signing.l2_headers(Signer(PRIVATE_KEY, 137), KEY, "POST", "/order", 1, "it's")


def test_l1_attests_the_wallet() -> None:
    headers = signing.l1_headers(Signer(PRIVATE_KEY, 137), 1_700_000_000)
    typed = {
        "primaryType": "ClobAuth",
        "domain": {"name": "ClobAuthDomain", "version": "1", "chainId": 137},
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "ClobAuth": [
                {"name": "address", "type": "address"},
                {"name": "timestamp", "type": "string"},
                {"name": "nonce", "type": "uint256"},
                {"name": "message", "type": "string"},
            ],
        },
        "message": {
            "address": OWNER,
            "timestamp": "1700000000",
            "nonce": 0,
            "message": "This message attests that I control the given wallet",
        },
    }
    signer = Account.recover_message(
        encode_typed_data(full_message=typed), signature=headers["POLY_SIGNATURE"]
    )
    assert signer == OWNER
    assert (headers["POLY_ADDRESS"], headers["POLY_NONCE"]) == (OWNER, "0")


def test_the_library_never_sends_anything() -> None:
    """Its global client retries, polls and posts resting orders: only its pure parts serve."""
    forbidden = ("ClobClient", "http_helpers", "post_order", "create_and_post", "retry_on_error")
    for file in sorted(ROOM.glob("*.py")):
        text = file.read_text()
        found = [word for word in forbidden if word in text]
        assert not found, f"{file.name} must not use {found}"


def test_the_room_reads_no_environment_and_no_floats() -> None:
    for file in sorted(ROOM.glob("*.py")):
        text = file.read_text()
        assert "os.environ" not in text
        assert "float(" not in text
