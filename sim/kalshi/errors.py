"""Kalshi's refusals: three body shapes, raised as `WireError` and answered as they are."""

from collections.abc import Mapping


class WireError(Exception):
    """An answer other than success: HTTP `status` and the exact JSON `body`."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)


def nested(status: int, code: str, message: str = "", details: str = "") -> WireError:
    """The shape of order and sign-in refusals: {"error": {code, message, details?}}."""
    error = {"code": code, "message": message or code.replace("_", " ")}
    if details:
        error["details"] = details
    return WireError(status, {"error": error})


def flat(details: str) -> WireError:
    """The shape of a body that could not be decoded: {code, message, details}."""
    return WireError(400, {"code": "bad_request", "message": "bad request", "details": details})


def bare(message: str) -> WireError:
    """The shape of a bad query: {"msg": ...}."""
    return WireError(400, {"msg": message})


def not_found() -> WireError:
    """An unknown order, market or event; also the cancel of an order that has ended."""
    return nested(404, "not_found")


def too_many_requests() -> WireError:
    """An empty token bucket; the order was not placed."""
    return nested(429, "too_many_requests")


def invalid(details: str) -> WireError:
    """Parameters the validator refuses."""
    return nested(400, "invalid_parameters", details=details)


def bad_signature() -> WireError:
    """The signature does not belong to the key, text or scheme."""
    return nested(
        401, "authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE"
    )


def unknown_key() -> WireError:
    """No such key id."""
    return nested(401, "authentication_error", "authentication_error", "NOT_FOUND")
