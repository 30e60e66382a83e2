"""The pages, their static files and the documentation page."""

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api.guard import CSP
from api.options import ApiOptions
from api.routes.people import peer_of, set_cookie
from api.service import service_of

DOCS_CSP = CSP.partition("; require-trusted-types-for")[0]
NOT_FOR = {"index": "executor", "executor": "cards"}
router = APIRouter(include_in_schema=False)


class Pages:
    """Templates rendered once per request; `static` is the address of this very version."""

    def __init__(self, options: ApiOptions) -> None:
        self._options = options
        self._folder = options.ui / "static"
        self.static = f"/static/{_fingerprint(self._folder)}"
        self._templates = Environment(
            loader=FileSystemLoader(options.ui / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def render(self, page: str, mode: str, user: str | None) -> str:
        """One page as HTML."""
        return self._templates.get_template(f"{page}.html.j2").render(
            static=self.static,
            page=page,
            mode=mode,
            version=self._options.version,
            user=user,
            preload=self._preload(page),
            openapi_url="/api/v1/openapi.json",
        )

    def files(self) -> "Immutable":
        """The static files of this version."""
        return Immutable(directory=self._folder)

    def _preload(self, page: str) -> list[str]:
        if page not in NOT_FOR:
            return []
        folder = self._folder / "js"
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.js"))
        others = {"index": {"executor.js"}, "executor": {"index.js"}}[page]
        alone = {"login.js", "docs.js", "theme-boot.js"} | others
        away = f"{NOT_FOR[page]}/"
        return [n for n in names if n not in alone and not n.startswith(away)]


class Immutable(StaticFiles):
    """Files under an address that names their content: a browser may keep them for good."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The file, to be kept."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@router.get("/")
async def index(request: Request) -> Response:
    """The cards."""
    return await _page(request, "index")


@router.get("/executor")
async def executor(request: Request) -> Response:
    """The executor."""
    return await _page(request, "executor")


@router.get("/docs")
async def documentation(request: Request) -> Response:
    """The API's documentation; Swagger UI does without Trusted Types."""
    response = await _page(request, "docs")
    response.headers["Content-Security-Policy"] = DOCS_CSP
    return response


@router.get("/login")
async def login(request: Request, token: str | None = None) -> Response:
    """The login form; a one-time link logs in and leads on."""
    service = service_of(request)
    if token is not None:
        secret = await service.auth.follow_link(token, peer_of(request))
        if secret is not None:
            response = RedirectResponse("/executor", 303)
            set_cookie(service, response, secret)
            return response
    return _html(request, "login", None)


async def _page(request: Request, name: str) -> Response:
    service = service_of(request)
    caller = await service.auth.caller(request.headers, request.cookies)
    if caller is None:
        return RedirectResponse(f"/login?next={request.url.path}", 303)
    return _html(request, name, caller.actor)


def _html(request: Request, name: str, user: str | None) -> HTMLResponse:
    pages: Pages = request.app.state.pages
    text = pages.render(name, service_of(request).mode.value, user)
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


def _fingerprint(folder: Path) -> str:
    """Twelve digits that change with any file."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(folder)).encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:12]
