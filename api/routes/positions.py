"""Open positions and whole arbitrages; closing one is a workflow update."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Body as FastApiBody

from api import naked, operations, rows, sales
from api.known import Known
from api.operations import Operation
from api.problems import Problem
from api.routes.common import Amount, Body, CommandRoute, Key, Reader, The, Trader
from api.service import Service
from api.steering import sale_limits
from api.wire import Json, JsonResponse, iso
from store.errors import NotJournaled

router = APIRouter(prefix="/api/v1", route_class=CommandRoute, tags=["positions"])


class Limits(Body):
    """The lowest price of a sale (dollars per contract), by venue; null or absent accepts any."""

    polymarket: Amount | None = None
    kalshi: Amount | None = None


class Close(Body):
    """`loss_max` bounds what the sales may lose (dollars); null accepts any price. `limits` are the
    lowest prices of the sales."""

    loss_max: Amount | None = None
    limits: Limits | None = None


class Resolved(Body):
    """`evidence` says what was done and where it can be seen; `cash` is what it brought (dollars,
    negative where it cost)."""

    evidence: str
    cash: Amount


class Nothing(Body):
    """No members."""


OptionalNothing = Annotated[Nothing, FastApiBody(default_factory=Nothing)]


@router.get("/positions")
async def positions(service: The, _caller: Reader) -> JsonResponse:
    """Every arbitrage that has not ended, as the pages show it."""
    service.live.asked()
    rows_now = service.live.hub.board.get("positions") or {}
    return JsonResponse({"items": list(rows_now.values()), "next": None})


@router.get("/positions/{position_id}/close-preview")
async def close_preview(position_id: str, service: The, _caller: Reader) -> JsonResponse:
    """What selling both legs now would bring, by the books seen last."""
    return JsonResponse(sales.close_preview(await _known(service, position_id)))


@router.post("/positions/{position_id}/close", status_code=202)
async def close_position(
    position_id: str,
    service: The,
    caller: Trader,
    key: Key,
    body: Annotated[Close, FastApiBody(default_factory=Close)],
) -> JsonResponse:
    """Have the workflow sell both legs. 202 once it has accepted; the operation tells the end. 409
    where the bids seen last do not pay a limit."""
    limits = sale_limits(body.limits.model_dump() if body.limits else {})
    operation = await service.steering.close(
        position_id, body.loss_max, caller, service.wall_ms(), key, limits
    )
    return _accepted(operation)


@router.post("/positions/{position_id}/retry", status_code=202)
async def retry_unwind(
    position_id: str,
    service: The,
    caller: Trader,
    key: Key,
    _body: OptionalNothing,
) -> JsonResponse:
    """Have the workflow try its unwind again now."""
    return _accepted(await service.steering.retry(position_id, caller, service.wall_ms(), key))


@router.post("/positions/{position_id}/hold", status_code=202)
async def hold(
    position_id: str, service: The, caller: Trader, key: Key, _body: OptionalNothing
) -> JsonResponse:
    """Have the workflow keep an uneven pair as it is until the question resolves."""
    return _accepted(await service.steering.hold(position_id, caller, service.wall_ms(), key))


@router.post("/positions/{position_id}/take-over", status_code=202)
async def take_over(
    position_id: str, service: The, caller: Trader, key: Key, _body: OptionalNothing
) -> JsonResponse:
    """Have the workflow sell nothing more: a person sells at the venue, then marks it resolved."""
    return _accepted(await service.steering.take_over(position_id, caller, service.wall_ms(), key))


@router.post("/positions/{position_id}/resolve", status_code=202)
async def mark_resolved(
    position_id: str, body: Resolved, service: The, caller: Trader, key: Key
) -> JsonResponse:
    """Have the workflow end on a person's word; nothing is sent to any venue."""
    operation = await service.steering.mark_resolved(
        position_id, body.evidence, body.cash, caller, service.wall_ms(), key
    )
    return _accepted(operation)


@router.get("/positions/{position_id}/actions")
async def actions(position_id: str, service: The, _caller: Reader) -> JsonResponse:
    """What a person may ask of the arbitrage now: true, or why not."""
    return JsonResponse(naked.actions(await _known(service, position_id)))


@router.get("/operations/{operation_id}")
async def operation(operation_id: str, service: The, _caller: Reader) -> JsonResponse:
    """How far a command is: pending, succeeded or failed."""
    return JsonResponse(await operations.look(service.client, Operation.parse(operation_id)))


@router.get("/arbitrages/{arb_id}")
async def arbitrage(arb_id: str, service: The, _caller: Reader) -> JsonResponse:
    """One arbitrage with both legs in milliseconds, its orders, its events, and where the profit
    came from. `stale` says that no worker answered and the journal speaks alone."""
    known = await _known(service, arb_id)
    events: list[Json] = [
        {"revision": e.revision, "at": iso(e.at_ms), "kind": e.kind, "detail": e.detail}
        for e in await service.journal.events(arb_id)
    ]
    told: dict[str, Any] = rows.detail(known, events)
    return JsonResponse(told)


async def _known(service: Service, arb_id: str) -> Known:
    try:
        return await service.live.known(arb_id, ask=True)
    except NotJournaled:
        raise Problem(404, "not_found", f"no arbitrage {arb_id[:80]!r}") from None


def _accepted(found: Operation) -> JsonResponse:
    told = found.told("pending", "accepted by the workflow")
    return JsonResponse(told, 202, {"Location": found.path})
