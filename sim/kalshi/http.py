"""One HTTP call: signature, clock, scope, token buckets, then a handler; errors become bodies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sim.faults import Fault
from sim.kalshi.auth import ApiKey, authenticate, require_scope
from sim.kalshi.dialect import error_body
from sim.kalshi.errors import WireError, bare, nested, too_many_requests
from sim.kalshi.exchange import SHARDS, Exchange
from sim.wire import Dropped, pause

ROOT: Final = "/trade-api/v2"
DEFAULT_COST: Final = 10
Bucket = Literal["read", "write"]
Answer = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets; `key` is None on a public path that was not signed."""

    exchange: Exchange
    request: Request
    key: ApiKey | None

    def text(self, name: str) -> str | None:
        """A query parameter, or None."""
        return self.request.query_params.get(name)

    def path(self, name: str) -> str:
        """A path parameter."""
        return str(self.request.path_params[name])

    def number(self, name: str, default: int, highest: int) -> int:
        """A whole number from the query; 400 when it is none or out of 0..highest."""
        text = self.text(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text) > highest:
            raise bare(f"invalid {name}: expected a number from 0 to {highest}, found {text!r}")
        return int(text)

    def spend(self, kind: Bucket, tokens: int, shards: tuple[int, ...]) -> None:
        """Pay from the caller's buckets; 429 when one is empty."""
        exchange = self.exchange
        knobs = exchange.knobs
        reading = kind == "read"
        exchange.limits.spend(
            self.key.key_id if self.key else "anonymous",
            kind,
            shards,
            tokens,
            exchange.world.clock(),
            knobs.read_rate if reading else knobs.write_rate,
            knobs.read_capacity if reading else knobs.write_capacity,
        )


Read = Callable[[Call], Answer]
Write = Callable[[Call], Awaitable[Response]]


def read_route(
    exchange: Exchange, path: str, handler: Read, *, signed: bool, cost: int = DEFAULT_COST
) -> Route:
    """A GET; public paths accept a signature but do not ask for one."""

    async def answer(call: Call) -> Response:
        if call.key is not None:
            require_scope(call.key, "read")
        call.spend("read", cost, (SHARDS[0],))
        fault = exchange.world.faults.take("kalshi", _market(call), "read")
        if fault is not None:
            return await _failed_read(call, handler, fault)
        status, body = handler(call)
        return JSONResponse(body, status_code=status)

    return _route(exchange, "GET", path, answer, signed=signed)


def write_route(exchange: Exchange, method: str, path: str, handler: Write) -> Route:
    """A POST or DELETE; the handler pays its own tokens, as its shard is in the body."""

    async def answer(call: Call) -> Response:
        if call.key is not None:
            require_scope(call.key, "write::trade")
        return await handler(call)

    return _route(exchange, method, path, answer, signed=True)


def error_response(exchange: Exchange, error: WireError) -> Response:
    """The refusal in the wire's month."""
    body = error_body(exchange.knobs.wire, error.status, error.body)
    return JSONResponse(body, status_code=error.status)


def internal_error(exchange: Exchange, status: int) -> Response:
    """A 5xx, which says nothing about what happened."""
    code = {503: "service_unavailable", 504: "gateway_timeout"}.get(status, "internal_server_error")
    return error_response(exchange, nested(status, code))


def _route(exchange: Exchange, method: str, path: str, answer: Write, *, signed: bool) -> Route:
    async def endpoint(request: Request) -> Response:
        response = await answered(request)
        response.headers["date"] = formatdate(exchange.clock_ns() // 1_000_000_000, usegmt=True)
        return response

    async def answered(request: Request) -> Response:
        try:
            if exchange.mode == "restarting" and not path.startswith("/exchange"):
                return internal_error(exchange, 503)
            key = _identify(exchange, request, signed=signed)
            return await answer(Call(exchange, request, key))
        except WireError as error:
            return error_response(exchange, error)

    return Route(ROOT + path, endpoint, methods=[method])


def _identify(exchange: Exchange, request: Request, *, signed: bool) -> ApiKey | None:
    if not signed and "kalshi-access-key" not in request.headers:
        return None
    return authenticate(
        exchange.keys_by_id,
        request.headers,
        request.method,
        request.scope["path"],
        exchange.clock_ns() // 1_000_000,
        exchange.knobs.auth_window_ms,
    )


def _market(call: Call) -> str:
    """The pair a read names by ticker or order, else "" (which only `*` rules match)."""
    exchange = call.exchange
    ticker = call.request.path_params.get("ticker") or call.text("ticker") or ""
    order = exchange.orders.get(str(call.request.path_params.get("order_id", "")))
    if order is not None:
        return order.pair.id
    return exchange.pairs[ticker].id if ticker in exchange.pairs else ""


async def _failed_read(call: Call, handler: Read, fault: Fault) -> Response:
    if fault.do == "rate_limited":
        raise too_many_requests()
    if fault.do.startswith("error"):
        return internal_error(call.exchange, fault.status)
    if fault.do.startswith("drop"):
        return Dropped()
    await pause(fault.ms)
    status, body = handler(call)
    return JSONResponse(body, status_code=status)
