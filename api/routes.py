"""REST under /api/v1, and the probes that supervisors ask."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from temporalio.service import RPCError

from api.service import Service
from store.errors import NotJournaled

router = APIRouter()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


The = Annotated[Service, Depends(_service)]


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(service: The, response: Response) -> dict[str, object]:
    """Database and Temporal answer, and an executor lives; 503 otherwise."""
    status = await service.status()
    try:
        temporal = await service.client.service_client.check_health()
    except RPCError:
        temporal = False
    checks = {"database": True, "temporal": temporal, "executor": bool(status["executors"])}
    if not all(checks.values()):
        response.status_code = 503
    return {"ready": all(checks.values()), "checks": checks}


@router.get("/api/v1/status")
@router.get("/api/status")
async def status(service: The) -> dict[str, object]:
    """Run state, balances, what is open, and what the executors see."""
    return await service.status()


@router.get("/api/v1/trades")
async def trades(
    service: The,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """The trade log from the newest down; `next` is the `before` of the following page."""
    page = await service.journal.trade_log.trades(service.mode, limit, before)
    rows = [asdict(trade) for trade in page]
    return {"trades": rows, "next": rows[-1]["id"] if len(rows) == limit else None}


@router.get("/api/v1/arbitrages/{arb_id}")
async def arbitrage(arb_id: str, service: The) -> dict[str, Any]:
    """One arbitrage: the workflow's snapshot, else the journal's state marked stale."""
    snapshot = await service.snapshot(arb_id)
    if snapshot is not None:
        return {"stale": False, "arbitrage": asdict(snapshot)}
    try:
        state = await service.journal.arbitrage(arb_id)
    except NotJournaled:
        raise HTTPException(404, f"no arbitrage {arb_id}") from None
    return {"stale": not state.phase.ended, "arbitrage": asdict(state)}
