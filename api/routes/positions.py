"""Open positions and whole arbitrages; closing one is a workflow update."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Body as FastApiBody

from api import operations, rows, sales
from api.known import Known
from api.operations import Operation
from api.problems import Problem
from api.routes.common import Body, CommandRoute, Key, Reader, The, Trader
from api.service import Service
from api.wire import Json, JsonResponse, iso
from store.errors import NotJournaled

router = APIRouter(prefix="/api/v1", route_class=CommandRoute, tags=["positions"])


class Close(Body):
    """`loss_max` bounds what the sales may lose (dollars); null accepts any price."""

    loss_max: str | int | Decimal | None = None


class Nothing(Body):
    """No members."""


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
    """Have the workflow sell both legs. 202 once it has accepted; the operation tells the end."""
    operation = await service.commands.close(
        position_id, body.loss_max, caller, service.wall_ms(), key
    )
    return _accepted(operation)


@router.post("/positions/{position_id}/retry", status_code=202)
async def retry_unwind(
    position_id: str,
    service: The,
    caller: Trader,
    key: Key,
    _body: Annotated[Nothing, FastApiBody(default_factory=Nothing)],
) -> JsonResponse:
    """Have the workflow try its unwind again now."""
    return _accepted(await service.commands.retry(position_id, caller, service.wall_ms(), key))


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
