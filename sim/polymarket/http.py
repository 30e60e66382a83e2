"""HTTP plumbing of the venue: errors as bodies, L2 checks, scripted failures of reads."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sim import wire
from sim.polymarket.auth import ApiKey, check_l2
from sim.polymarket.entry import Dropped
from sim.polymarket.errors import ApiError, bad_payload
from sim.polymarket.exchange import VENUE, Exchange

Handler = Callable[[Request], Awaitable[Response]]
Private = Callable[[Request, ApiKey], Awaitable[Response]]


def answered(handler: Handler) -> Handler:
    """Turn refusals into the venue's error body, and a scripted drop into a closed connection."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except ApiError as refusal:
            return JSONResponse(refusal.body, refusal.status, refusal.headers)
        except Dropped:
            return wire.Dropped()

    return endpoint


def parse(body: bytes) -> Any:
    """The JSON of a request body; ApiError 400 when it is none."""
    try:
        return json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise bad_payload() from None


def required(request: Request, name: str) -> str:
    value = request.query_params.get(name, "")
    if not value:
        raise ApiError(400, f"Invalid {name}")
    return value


def private(exchange: Exchange, act: Private) -> Handler:
    """A handler behind the five L2 headers."""

    async def handler(request: Request) -> Response:
        body, knobs = await request.body(), exchange.knobs
        key = check_l2(
            request.headers,
            request.method,
            request.url.path,
            body,
            exchange.keys,
            exchange.now_s(),
            knobs.skew_seconds,
        )
        return await act(request, key)

    return answered(handler)


async def spoil(exchange: Exchange, action: str, condition: str = "", token: str = "") -> None:
    """Act out a scripted failure of a read or a cancel."""
    known = exchange.markets.get(condition) or exchange.by_token.get(token)
    fault = exchange.world.faults.take(VENUE, known.pair if known else "", action)
    if fault is None:
        return
    if fault.do in ("delay", "hang", "hang_before"):
        await wire.pause(fault.ms)
    if fault.do in ("hang_before", "drop_before", "drop_after"):
        raise Dropped
    if fault.do == "rate_limited":
        raise ApiError(429, "Too Many Requests", {"Retry-After": "1"})
    if fault.do in ("refuse", "error_before", "error_after"):
        raise ApiError(fault.status, fault.code or "Internal server error")
