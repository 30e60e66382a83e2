"""What supervisors and monitors ask: alive, ready, metrics."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response
from temporalio.service import RPCError

from api import slices
from api.metrics import exposition
from api.routes.common import Scraper, The
from api.wire import JsonResponse
from store.errors import JournalBusy

router = APIRouter(tags=["probes"])


@router.get("/healthz")
async def alive() -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@router.get("/readyz")
async def ready(service: The) -> JsonResponse:
    """Database and Temporal answer, an executor lives, and its books of both venues are fresh; 503
    otherwise. How far messages lag is told and is not fatal."""
    try:
        await service.journal.run_state()
        database = True
    except JournalBusy:
        database = False
    try:
        temporal = await service.client.service_client.check_health()
    except RPCError:
        temporal = False
    survey = service.live.survey
    lately = service.live.seen.lately(service.wall_ms())
    checks = {
        "database": database,
        "temporal": temporal,
        "executor": lately and service.live.alive,
        "feeds": lately and survey is not None and slices.feeds_fresh(survey.executors),
    }
    waiting = survey.backlog.waiting if survey else None
    told = {"ready": all(checks.values()), "checks": checks, "messages_waiting": waiting}
    return JsonResponse(told, 200 if all(checks.values()) else 503)


@router.get("/metrics")
async def metrics(service: The, _caller: Scraper) -> Response:
    """For Prometheus."""
    text = exposition(service.live, service.mode, service.wall_ms())
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})
