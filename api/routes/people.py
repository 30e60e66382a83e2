"""Logging in and out, and acknowledging alarms."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Body as FastApiBody
from pydantic import Field
from starlette.responses import Response

from api.problems import Problem
from api.routes.common import Body, CommandRoute, Reader, The, Trader
from api.service import Service
from api.steering import EVIDENCE_MAX
from api.wire import JsonResponse
from store.errors import ClosesByItself, NotJournaled

PEER_MAX = 64
router = APIRouter(prefix="/api/v1", route_class=CommandRoute, tags=["people"])
login_router = APIRouter(prefix="/api/v1", tags=["people"])


class Login(Body):
    """The password."""

    password: str


class Seen(Body):
    """What settled it, where only a person can know; empty for "seen"."""

    evidence: Annotated[str, Field(max_length=EVIDENCE_MAX)] = ""


@login_router.post("/login")
async def log_in(body: Login, request: Request, service: The) -> JsonResponse:
    """A session cookie for the password; five attempts a minute."""
    peer = peer_of(request)
    response = JsonResponse({"ok": True})
    set_cookie(service, response, await service.auth.log_in(body.password, peer))
    return response


def peer_of(request: Request) -> str:
    """The address that asks; behind TLS what the proxy calls it."""
    return request.client.host[:PEER_MAX] if request.client else "unknown"


@login_router.post("/logout")
async def log_out(service: The, caller: Reader) -> JsonResponse:
    """End the session."""
    await service.auth.log_out(caller)
    response = JsonResponse({"ok": True})
    response.delete_cookie(service.auth.cookie, secure=service.options.secure, httponly=True)
    return response


@router.post("/alarms/{alarm_id}/acknowledge")
async def acknowledge(
    alarm_id: int,
    body: Annotated[Seen, FastApiBody(default_factory=Seen)],
    service: The,
    caller: Trader,
) -> JsonResponse:
    """Somebody has seen it: it stays open and stops repeating its message. With evidence it
    closes, where the kind of alarm waits for a person's word."""
    act, evidence = caller.act(service.wall_ms()), body.evidence.strip() or None
    try:
        await service.journal.acknowledge_alarm(alarm_id, act, evidence)
    except ClosesByItself as refused:
        raise Problem(409, "refused", str(refused)) from None
    except (NotJournaled, OverflowError):
        raise Problem(404, "not_found", f"no alarm {alarm_id}") from None
    service.live.poke()
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
