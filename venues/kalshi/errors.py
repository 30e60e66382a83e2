"""What Kalshi's refusals mean for an order: proven not placed, or unknown.

Bodies come in three shapes (nested `error`, flat, bare `msg`), and a code may be a whole sentence.
"""

from dataclasses import dataclass

from domain.order import Answer, NotFilled, Rejection, Unknown
from venues.strict_json import Malformed, Node, parse, shown


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body. `code` is empty in the bare shape."""

    code: str
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.code, self.text) if part)


BY_CODE = {
    (409, "fill_or_kill_insufficient_resting_volume"): Rejection.KILLED,
    (409, "trading_is_paused"): Rejection.VENUE_CLOSED,
    (409, "exchange_is_paused"): Rejection.VENUE_CLOSED,
    (409, "market_closed"): Rejection.MARKET_CLOSED,
    (409, "market_inactive"): Rejection.MARKET_CLOSED,
    (400, "insufficient_balance"): Rejection.INSUFFICIENT_BALANCE,
    (400, "available_balance_too_low"): Rejection.INSUFFICIENT_BALANCE,
    (400, "market_closed"): Rejection.MARKET_CLOSED,
    (400, "market_inactive"): Rejection.MARKET_CLOSED,
    (400, "market_already_closed"): Rejection.MARKET_CLOSED,
}
BY_STATUS = {
    400: Rejection.INVALID_ORDER,
    401: Rejection.UNAUTHORISED,
    403: Rejection.UNAUTHORISED,
    404: Rejection.INVALID_ORDER,
    410: Rejection.INVALID_ORDER,
}
"""Refused whatever the code, as long as the body is Kalshi's own. A 409 or a 5xx is not."""


def order_answer(status: int, body: bytes) -> Answer:
    """The answer to an order that was not accepted (any status but 2xx).

    429 never reached an engine. `order_already_exists` says that an earlier send did: only the
    orders themselves tell what became of it. 500, 503 and 504 say nothing.
    """
    if status == 429:
        return NotFilled(Rejection.RATE_LIMITED, f"HTTP 429: {shown(_text(body))}")
    refusal = read(body)
    if refusal is None:
        return Unknown(f"HTTP {status} with a body that is not Kalshi's: {shown(_text(body))}")
    told = f"HTTP {status}: {refusal}"
    rejection = BY_CODE.get((status, refusal.code)) or BY_STATUS.get(status)
    if rejection is Rejection.INVALID_ORDER and _is_sentence(refusal.code):
        rejection = Rejection.BANNED
    return NotFilled(rejection, told) if rejection else Unknown(told)


def read(body: bytes) -> Refusal | None:
    """The error in a body; None where it has none of the known shapes."""
    try:
        root = parse(body)
        nested = root.get("error")
        if nested is not None and isinstance(nested.value, str):
            return Refusal("", nested.value)
        if nested is not None:
            return _coded(nested)
        bare = root.get("msg")
        return Refusal("", bare.any_text()) if bare else _coded(root)
    except Malformed:
        return None


def _coded(node: Node) -> Refusal:
    parts = (node.get("message"), node.get("details"))
    return Refusal(
        node.at("code").text(),
        " ".join(part.any_text() for part in parts if part is not None),
    )


def _is_sentence(code: str) -> bool:
    """Eligibility refusals come as prose: `Nevada_residents_are_not_currently_allowed_to_...`."""
    return "not_currently_allowed" in code or "attestation" in code or " " in code


def _text(body: bytes) -> str:
    return body[:200].decode(errors="replace")
