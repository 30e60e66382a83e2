"""Logging in and out, and acknowledging alarms."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.problems import Problem
from api.routes.common import Body, CommandRoute, Reader, The, Trader
from api.service import Service
from api.wire import JsonResponse
from store.errors import NotJournaled

router = APIRouter(prefix="/api/v1", route_class=CommandRoute, tags=["people"])
login_router = APIRouter(prefix="/api/v1", tags=["people"])


class Login(Body):
    """The password."""

    password: str


@login_router.post("/login")
async def log_in(body: Login, request: Request, service: The) -> JsonResponse:
    """A session cookie for the password; five attempts a minute."""
    peer = request.client.host if request.client else "unknown"
    response = JsonResponse({"ok": True})
    set_cookie(service, response, await service.auth.log_in(body.password, peer))
    return response


@login_router.post("/logout")
async def log_out(service: The, caller: Reader) -> JsonResponse:
    """End the session."""
    await service.auth.log_out(caller)
    response = JsonResponse({"ok": True})
    response.delete_cookie(service.auth.cookie, secure=service.options.secure, httponly=True)
    return response


@router.post("/alarms/{alarm_id}/acknowledge")
async def acknowledge(alarm_id: int, service: The, caller: Trader) -> JsonResponse:
    """Somebody has seen it: it stays open and stops repeating its message."""
    try:
        await service.journal.acknowledge_alarm(alarm_id, caller.act(service.wall_ms()))
    except (NotJournaled, OverflowError):
        raise Problem(404, "not_found", f"no alarm {alarm_id}") from None
    return JsonResponse({"ok": True})


def set_cookie(service: Service, response: Response, secret: str) -> None:
    """Only for this host, out of reach of scripts and of other sites."""
    response.set_cookie(
        service.auth.cookie,
        secret,
        max_age=12 * 3600,
        path="/",
        httponly=True,
        samesite="strict",
        secure=service.options.secure,
    )
