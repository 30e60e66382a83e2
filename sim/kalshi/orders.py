"""Creating and cancelling orders over HTTP, with the failures that were asked for."""

import json
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sim.faults import Fault
from sim.kalshi import matching
from sim.kalshi.dialect import speak
from sim.kalshi.errors import WireError, flat, invalid, nested, not_found, too_many_requests
from sim.kalshi.exchange import SHARDS, Exchange
from sim.kalshi.fees import RoundingAccumulator
from sim.kalshi.http import Call, error_response, internal_error, write_route
from sim.kalshi.model import FOK, Order, OrderRequest, check_grid, parse_request
from sim.kalshi.views import count, dollars
from sim.orders import OrderRecord
from sim.units import ONE, decimal_text
from sim.wire import Dropped, first_byte_ns, pause

CREATE_COST: Final = 10
CANCEL_COST: Final = 2
_EVENT_ORDERS = "/portfolio/events/orders"
_NO_FAULT: Final = Fault(do="", rule=0)
_BEFORE: Final = ("drop_before", "error_before", "hang_before")
_ATTESTED = ("Sports", "Elections", "Entertainment")
_LEGACY = (
    ("POST", "/portfolio/orders"),
    ("POST", "/portfolio/orders/batched"),
    ("DELETE", "/portfolio/orders/batched"),
    ("DELETE", "/portfolio/orders/{order_id}"),
    ("POST", "/portfolio/orders/{order_id}/amend"),
    ("POST", "/portfolio/orders/{order_id}/decrease"),
)


def routes(exchange: Exchange) -> list[Route]:
    """All writing paths; the retired ones answer 410."""
    return [
        write_route(exchange, "POST", _EVENT_ORDERS, create),
        write_route(exchange, "DELETE", _EVENT_ORDERS, cancel_all),
        write_route(exchange, "DELETE", _EVENT_ORDERS + "/{order_id}", cancel),
        *(write_route(exchange, method, path, gone) for method, path in _LEGACY),
    ]


async def gone(_: Call) -> Response:
    """The first version's order paths, shut off in June 2026."""
    raise nested(410, "deprecated_v1_order_endpoint")


async def create(call: Call) -> Response:
    """201 with a flat body, 409 for a killed fill-or-kill or a used id, else a refusal."""
    exchange = call.exchange
    request = parse_request(_json_object(await call.request.body()))
    pair = exchange.pairs.get(request.ticker)
    if pair is None:
        raise nested(404, "market_not_found")
    order = _new_order(exchange, request, first_byte_ns(call.request))
    index = pair.kalshi.exchange_index
    try:
        if request.exchange_index not in (None, index):
            raise invalid(f"exchange_index: {request.ticker} trades on {index}")
        shards = SHARDS if request.exchange_index is None else (index,)
        call.spend("write", CREATE_COST, shards)
        _refuse_duplicate(exchange, request)
    except WireError as error:
        _note_refusal(exchange, order, error)
        raise
    fault = exchange.world.faults.take("kalshi", pair.id, order.record.action) or _NO_FAULT
    order.record.fault = fault.do
    return await _create(exchange, order, fault)


async def _create(exchange: Exchange, order: Order, fault: Fault) -> Response:
    """Let the fault happen before, in or after the engine; what is lost after it is the answer."""
    if fault.do in _BEFORE:
        _note_refusal(exchange, order, nested(500, fault.do))
        return await _nothing_done(exchange, fault)
    if fault.do == "delay":
        await pause(fault.ms)
    if fault.do == "delay_fills":
        now = exchange.world.clock()
        exchange.holds.append((now, now + fault.ms * 1_000_000))
    answer = _answer(exchange, order, fault)
    await pause(exchange.knobs.ack_ms)
    if fault.do == "duplicate":
        return error_response(exchange, nested(409, "order_already_exists"))
    return await _perhaps_lost(exchange, fault, answer)


async def _nothing_done(exchange: Exchange, fault: Fault) -> Response:
    await pause(fault.ms)
    return Dropped() if fault.do == "drop_before" else internal_error(exchange, fault.status)


async def _perhaps_lost(exchange: Exchange, fault: Fault, answer: Response) -> Response:
    """The answer, or what the fault makes of it."""
    if fault.do == "hang":
        await pause(fault.ms)
    if fault.do == "drop_after":
        return Dropped()
    if fault.do == "error_after":
        return internal_error(exchange, fault.status)
    return answer


def _answer(exchange: Exchange, order: Order, fault: Fault) -> Response:
    """Submit and say what came of it."""
    try:
        _refuse_by_fault(fault)
        if not _submit(exchange, order, fault):
            raise nested(409, "fill_or_kill_insufficient_resting_volume")
    except WireError as error:
        if not order.record.reached_matching:
            _note_refusal(exchange, order, error)
        return error_response(exchange, error)
    return JSONResponse(_created(exchange, order), status_code=201)


def _refuse_by_fault(fault: Fault) -> None:
    if fault.do == "rate_limited":
        raise too_many_requests()
    if fault.do in ("refuse", "sell_refused"):
        raise nested(400, fault.code or "insufficient_balance")


def _submit(exchange: Exchange, order: Order, fault: Fault) -> bool:
    """Everything the engine does at one instant; False when a fill-or-kill was killed."""
    request = order.request
    matching.expire(exchange)
    _refuse_duplicate(exchange, request)
    paused = exchange.refusal_by_mode(post_only=request.post_only)
    if paused is not None:
        raise paused
    category = order.pair.kalshi.category
    if category in _ATTESTED and exchange.knobs.region_expires_in_s <= 0:
        raise nested(400, f"Your_location_attestation_has_expired_for_{category}")
    if exchange.market_status(order.pair) != "active":
        raise nested(409, "market_closed")
    off_grid = check_grid(order.pair.kalshi, request.price)
    if off_grid is not None:
        raise off_grid
    if request.post_only and matching.crosses(exchange, order):
        raise nested(400, "invalid_order", details="post only cross")
    if not matching.check_funds(exchange, order):
        raise nested(400, "insufficient_balance")
    if request.client_order_id:
        exchange.client_ids.add(request.client_order_id)
    order.created_ns = order.updated_ns = exchange.world.clock()
    if fault.do == "kill":
        matching.kill(exchange, order)
        return request.tif != FOK
    at_most = fault.size if fault.do == "partial" else None
    return matching.place(exchange, order, at_most)


def _refuse_duplicate(exchange: Exchange, request: OrderRequest) -> None:
    """An id stays used for ever, also after a cancel or a kill; refusals do not use it."""
    if request.client_order_id and request.client_order_id in exchange.client_ids:
        exchange.duplicates += 1
        raise nested(409, "order_already_exists")


async def cancel(call: Call) -> Response:
    """200 with what was taken off the book; 404 for an unknown or ended order."""
    exchange = call.exchange
    order = exchange.orders.get(call.path("order_id"))
    shards = SHARDS if order is None else (order.pair.kalshi.exchange_index,)
    call.spend("write", CANCEL_COST, shards)
    if order is None:
        raise not_found()
    fault = exchange.world.faults.take("kalshi", order.pair.id, "cancel") or _NO_FAULT
    if fault.do == "rate_limited":
        raise too_many_requests()
    if fault.do in _BEFORE:
        return await _nothing_done(exchange, fault)
    matching.expire(exchange)
    given_up = matching.cancel(exchange, order)
    body: dict[str, object] = {
        "order_id": order.record.order_id,
        "client_order_id": order.request.client_order_id,
        "reduced_by": count(given_up),
        "ts_ms": order.updated_ns // 1_000_000,
    }
    await pause(exchange.knobs.ack_ms)
    answer = JSONResponse(speak(exchange.knobs.wire, "cancel", body))
    return await _perhaps_lost(exchange, fault, answer)


async def cancel_all(call: Call) -> Response:
    """204: every resting order is taken off."""
    call.spend("write", CREATE_COST, SHARDS)
    for orders in list(call.exchange.resting.values()):
        for order in list(orders):
            matching.cancel(call.exchange, order)
    return Response(status_code=204)


def _created(exchange: Exchange, order: Order) -> dict[str, object]:
    body: dict[str, object] = {
        "order_id": order.record.order_id,
        "client_order_id": order.request.client_order_id,
        "fill_count": count(order.filled),
        "remaining_count": count(order.remaining),
        "ts_ms": order.updated_ns // 1_000_000,
    }
    fills = [fill for fill in exchange.fills_of[order.request.ticker] if fill.order is order]
    if fills:
        size = sum(fill.size for fill in fills)
        price = sum(fill.price * fill.size for fill in fills)
        body["average_fill_price"] = dollars(_nearest(price, size * 100) * 100)
        fees = sum(fill.fee for fill in fills)
        body["average_fee_paid"] = decimal_text(_nearest(fees * ONE, size * 100) * 100, 4)
    return body


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _new_order(exchange: Exchange, request: OrderRequest, arrived_ns: int) -> Order:
    pair = exchange.pairs[request.ticker]
    position = exchange.account(pair).position(request.ticker)
    sells = position < 0 if request.side == "bid" else position > 0
    yes = (request.side == "bid") != sells
    now = exchange.world.clock()
    record = OrderRecord(
        order_id=exchange.new_id(),
        client_id=request.client_order_id,
        pair=pair.id,
        market=request.ticker,
        asset=request.ticker,
        outcome="yes" if yes else "no",
        side=request.side,
        action="sell" if sells else "buy",
        size=request.count,
        limit=request.price if yes else ONE - request.price,
        tif=request.tif,
        first_byte_ns=arrived_ns,
    )
    fees = RoundingAccumulator(exchange.knobs.fee_grid_micros)
    return Order(request, pair, record, now, now, request.count, fees)


def _note_refusal(exchange: Exchange, order: Order, error: WireError) -> None:
    body = error.body.get("error", error.body)
    order.record.state = "refused"
    order.record.reason = str(body.get("code", "")) if isinstance(body, dict) else str(body)
    exchange.refused.append(order)


def _json_object(raw: bytes) -> dict[str, object]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise flat("invalid character in the body") from problem
    if not isinstance(body, dict):
        raise flat("json: cannot unmarshal into Go value of type CreateOrderV2Request")
    return body
