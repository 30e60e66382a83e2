"""Refusals as RFC 9457 problem details; `errors` names every field that has to change."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.contextvars import bound_contextvars

from api.wire import Json, dumps
from store.errors import JournalBusy

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is refused: nothing was changed unless `detail` says so. `code` is a stable
    word, `errors` are {field, message}, `more` further members."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[Json] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}
        self.more = more

    def body(self, instance: str) -> Json:
        """The members of the problem."""
        return {
            "type": f"urn:lockstep:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "errors": self.errors,
            "correlation_id": uuid4().hex,
            **self.more,
        }

    def response(self, instance: str) -> Response:
        """The HTTP answer."""
        return Response(
            dumps(self.body(instance)),
            self.status,
            {"Cache-Control": "no-store", **self.headers},
            MEDIA_TYPE,
        )


def install(app: FastAPI) -> None:
    """Answer every refusal and every failure in this form."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(JournalBusy, _busy)
    app.add_exception_handler(Exception, _failed)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem), "registered for it"
    return error.response(request.url.path)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it"
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    headers = dict(error.headers or {})
    return Problem(error.status_code, code, str(error.detail), headers=headers).response(
        request.url.path
    )


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for it"
    errors = [{"field": _field(one["loc"]), "message": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
    return Problem(422, "invalid", detail, errors=errors).response(request.url.path)


async def _busy(request: Request, error: Exception) -> Response:
    problem = Problem(
        503, "busy", f"{error}. Nothing was changed: ask again", headers={"Retry-After": "1"}
    )
    return problem.response(request.url.path)


async def _failed(request: Request, error: Exception) -> Response:
    problem = Problem(
        500, "failed", "This request failed inside Lockstep; the log names it by correlation_id"
    )
    body = problem.body(request.url.path)
    with bound_contextvars(correlation_id=body["correlation_id"]):
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Response(dumps(body), 500, {"Cache-Control": "no-store"}, MEDIA_TYPE)


def _field(location: tuple[Any, ...]) -> str:
    names = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(names) or str(location[0])
