"""Every refusal and what it proves, as a table."""

import json

import pytest

from domain.order import NotFilled, Unknown
from venues.kalshi import errors

TABLE = """
    status code                                       answer
    409    fill_or_kill_insufficient_resting_volume   fok_not_filled
    409    order_already_exists                       ?
    409    trading_is_paused                          venue_closed
    409    exchange_is_paused                         venue_closed
    409    market_closed                              market_closed
    409    something_new                              ?
    400    insufficient_balance                       insufficient_balance
    400    available_balance_too_low                  insufficient_balance
    400    invalid_price                              invalid_order
    400    invalid_parameters                         invalid_order
    400    something_new                              invalid_order
    400    Ohio_residents_are_not_currently_allowed   account_restricted
    401    authentication_error                       unauthorised
    401    header_timestamp_expired                   unauthorised
    403    permission_denied                          unauthorised
    404    market_not_found                           invalid_order
    410    deprecated_v1_order_endpoint               invalid_order
    429    too_many_requests                          rate_limited
    418    something_new                              ?
    302    something_new                              ?
    500    internal_server_error                      ?
    502    bad_gateway                                ?
    503    service_unavailable                        ?
    504    gateway_timeout                            ?
"""


def judged(status: int, body: bytes) -> str:
    match errors.order_answer(status, body):
        case NotFilled(rejection):
            return rejection.value
        case Unknown():
            return "?"
        case other:
            return str(other)


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:], ids=str.split)
def test_a_refusal_proves_what_the_table_says(row: str) -> None:
    status, code, answer = row.split()
    nested = json.dumps({"error": {"code": code, "message": "m"}}).encode()
    flat = json.dumps({"code": code, "message": "m", "details": "d"}).encode()
    assert judged(int(status), nested) == answer
    assert judged(int(status), flat) == answer


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (400, b'{"msg": "invalid limit"}', "invalid_order"),
        (429, b'{"error": "too many requests"}', "rate_limited"),
        (429, b"<html>slow down</html>", "rate_limited"),
        (400, b"<html>400 Bad Request</html>", "?"),
        (403, b"error code: 1020", "?"),
        (400, b'{"error": {"code": 7}}', "?"),
        (400, b"[]", "?"),
        (400, b"", "?"),
        (503, b'{"exchange_active": true, "trading_active": false}', "?"),
    ],
)
def test_a_body_that_is_not_the_venues_own_proves_nothing(
    status: int, body: bytes, answer: str
) -> None:
    assert judged(status, body) == answer
