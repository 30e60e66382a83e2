"""Polymarket's two kinds of request headers: L1 proves the wallet, L2 the API key."""

from py_clob_client_v2.clob_types import ApiCreds, RequestArgs
from py_clob_client_v2.headers.headers import create_level_1_headers, create_level_2_headers
from py_clob_client_v2.signer import Signer

from venues.polymarket.account import ApiKey


def l1_headers(signer: Signer, now_s: int) -> dict[str, str]:
    """Headers that create or derive an API key (EIP-712 ClobAuth, nonce 0)."""
    headers: dict[str, str] = create_level_1_headers(signer, nonce=0, timestamp=now_s)
    return headers


def l2_headers(
    signer: Signer, key: ApiKey, method: str, path: str, now_s: int, body: str = ""
) -> dict[str, str]:
    """Headers of a private request: HMAC over time, method, path without query, exact body.

    The library hashes ' as ", which the server does not: a body must not hold one.
    """
    assert "'" not in body, "expected a body without apostrophes"
    headers: dict[str, str] = create_level_2_headers(
        signer,
        ApiCreds(key.key, key.secret, key.passphrase),
        RequestArgs(method=method, request_path=path, serialized_body=body or None),
        timestamp=now_s,
    )
    return headers
