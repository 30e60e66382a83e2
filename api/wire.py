"""JSON as the API speaks it: exact amounts as strings, times as ISO 8601 UTC with milliseconds.

The seed's socket fields are JSON numbers; `Number` writes one digit by digit from its Decimal, so
that no amount is ever a binary number here.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from starlette.responses import Response

from store.codec import iso_utc

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Number:
    """An exact amount that is written as a JSON number."""

    value: Decimal


def text(value: Decimal) -> str:
    """An amount without exponent and without needless zeros."""
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def usd(value: Decimal) -> str:
    """Dollars: at least two decimals."""
    whole, _, cents = text(value).partition(".")
    return f"{whole}.{cents.ljust(2, '0')}"


def optional(value: Decimal | None) -> str | None:
    """An amount that may not be known."""
    return None if value is None else text(value)


def iso(at_ms: int | None) -> str | None:
    """Wall-clock milliseconds as "2026-11-20T13:32:15.123Z"."""
    return None if at_ms is None else iso_utc(at_ms)


def utc_clock(at_ms: int) -> str:
    """Wall-clock milliseconds as "14:32:15 UTC", for sentences."""
    return f"{iso_utc(at_ms)[11:19]} UTC"


def dumps(value: object) -> bytes:
    """JSON; Decimals become strings, Numbers become numbers."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, Number):
        digits = text(value.value)
        return orjson.Fragment(digits if "." in digits else f"{digits}.0")
    raise TypeError(f"expected a value that JSON can hold, found {type(value).__name__}")


class JsonResponse(Response):
    """An answer in JSON; never kept by a cache."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(
            dumps(content), status_code, {"Cache-Control": "no-store", **(headers or {})}
        )
