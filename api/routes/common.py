"""What every route shares: who asks, exact numbers in bodies, commands that are done once."""

import hashlib
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from starlette.responses import Response

from api.auth import Caller
from api.problems import Problem
from api.service import Service, service_of
from api.wire import Json
from store import command_results
from store.command_results import SavedAnswer
from store.journal import Journal
from store.states import Scope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
KEY_MAX = 128
KEPT_HEADERS = ("location", "etag", "content-type")
_running: set[str] = set()


class Body(BaseModel):
    """A command's body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _an_object(cls, value: object) -> object:
        """FastAPI reads attributes of whatever is no object: a number would count as a body that
        names no bound at all."""
        if not isinstance(value, dict | cls):
            raise ValueError("expected a JSON object")
        return value


def _no_flag(value: object) -> object:
    """True is no amount, though Python counts it as 1."""
    if isinstance(value, bool):
        raise ValueError("expected an amount, found true or false")
    return value


Amount = Annotated[str | int | Decimal, BeforeValidator(_no_flag)]
"""Dollars or percent, as a number or as exact text."""


def _service(request: Request) -> Service:
    return service_of(request)


The = Annotated[Service, Depends(_service)]


async def caller_of(request: Request, service: The) -> Caller:
    """Who asks; Problem 401 where a login is needed."""
    return _known(await service.auth.caller(request.headers, request.cookies))


async def scraper(request: Request, service: The) -> Caller:
    """May read numbers, also while the journal cannot be read."""
    readable = service.live.seen.lately(service.wall_ms())
    auth, headers = service.auth, request.headers
    caller = _known(await auth.scraper(headers, request.cookies, readable=readable))
    caller.need(Scope.READ)
    return caller


def _known(caller: Caller | None) -> Caller:
    """Problem 401 for nobody."""
    if caller is None:
        raise Problem(
            401,
            "unauthorised",
            "A login is needed: open /login, or run `lockstep login-url`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return caller


async def reader(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """May look."""
    caller.need(Scope.READ)
    return caller


async def trader(caller: Annotated[Caller, Depends(caller_of)], service: The) -> Caller:
    """May act, ten times a second."""
    caller.need(Scope.TRADE)
    service.auth.limit_command(caller)
    return caller


Reader = Annotated[Caller, Depends(reader)]
Scraper = Annotated[Caller, Depends(scraper)]
Trader = Annotated[Caller, Depends(trader)]


class _ExactRequest(Request):
    """A request whose JSON numbers are Decimals."""

    async def json(self) -> Any:
        """The body; JSONDecodeError where it is none."""
        try:
            text = (await self.body()).decode()
            return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        except (UnicodeDecodeError, RecursionError, _NotANumber):
            raise json.JSONDecodeError("expected JSON", "", 0) from None


class CommandRoute(APIRoute):
    """A command with an Idempotency-Key is done once; said again, its answer is said again."""

    def get_route_handler(self) -> Handler:
        """The handler, with exact numbers and saved answers."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            exact = _ExactRequest(request.scope, request.receive)
            key = request.headers.get("idempotency-key")
            if key is None or request.method in {"GET", "HEAD"}:
                return await inner(exact)
            if not 1 <= len(key) <= KEY_MAX:
                message = f"expected 1 to {KEY_MAX} characters"
                errors = [{"field": "Idempotency-Key", "message": message}]
                raise Problem(422, "invalid", message, errors=errors)
            return await _once(exact, key, inner)

        return handle


async def _once(request: Request, key: str, inner: Handler) -> Response:
    service = service_of(request)
    caller = await caller_of(request, service)
    name = _digest(f"{caller.actor}\n{key}")
    text = f"{request.method} {request.url.path}\n{(await request.body()).decode(errors='replace')}"
    wanted = _digest(text)
    saved = await service.journal.read(lambda s: command_results.find(s, name))
    if saved is not None:
        if saved.request_hash != wanted:
            raise Problem(422, "key_reused", "This Idempotency-Key named another command.")
        told = {**saved.headers, "idempotent-replay": "true", "cache-control": "no-store"}
        return Response(saved.body, saved.status, told)
    if name in _running:
        raise Problem(409, "running", "A command with this Idempotency-Key is being carried out.")
    _running.add(name)
    try:
        response = await inner(request)
        await _save(service.journal, name, wanted, response, service.wall_ms())
    finally:
        _running.discard(name)
    return response


async def _save(journal: Journal, name: str, wanted: str, response: Response, now_ms: int) -> None:
    headers = {h: response.headers[h] for h in KEPT_HEADERS if h in response.headers}
    body = bytes(response.body).decode()
    answer = SavedAnswer(wanted, response.status_code, headers, body)
    await journal.write(now_ms, lambda s: command_results.save(s, name, answer, now_ms))


def command_key(request: Request) -> str | None:
    """The Idempotency-Key, which also names the workflow update."""
    return request.headers.get("idempotency-key")


Key = Annotated[str | None, Depends(command_key)]


def cursor_of(text: str | None) -> int | None:
    """Where a page begins; Problem 422 for what is no cursor of ours."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        errors = [{"field": "cursor", "message": "expected a cursor from `next`"}]
        raise Problem(422, "invalid", "cursor: expected a cursor from `next`", errors=errors)
    return int(text)


def page(items: list[Json], following: object | None) -> Json:
    """One page; `next` is the cursor of the page after it."""
    return {"items": items, "next": None if following is None else str(following)}


def link(request: Request, following: object | None) -> dict[str, str]:
    """The Link header of a page."""
    if following is None:
        return {}
    address = request.url.include_query_params(cursor=str(following))
    return {"Link": f'<{address.path}?{address.query}>; rel="next"'}


class _NotANumber(Exception):
    """NaN or Infinity, which JSON does not have."""


def _no_constant(_name: str) -> object:
    raise _NotANumber


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
