"""A server for the pages alone: templates, static files, headers, a scripted socket and REST.

It proves the front end against docs/socket.md. The real API has its own tests.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.ui.support import cards, curves, orders, states
from tests.ui.support.states import Json

UI = Path(__file__).resolve().parents[3] / "ui"
STATIC = "/static/test"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ANSWER_SECONDS = 5

Answer = tuple[int, Any]


class PageServer:
    """One server. Tests change `data` and `answers`, send messages, and read what came in. With
    `missed` a page that comes back is told those events and a snapshot; without, the whole state.
    `behind` is how far its clock is."""

    def __init__(self) -> None:
        self.mode = "sim"
        self.data: dict[str, Json] = {"executor": states.executor(), "cards": cards.index()}
        self.answers: dict[str, Answer] = default_answers()
        self.automatic = True
        self.refuse_sockets = False
        self.close_code = 0
        self.received: list[Json] = []
        self.calls: list[tuple[str, str, Json | None]] = []
        self.hellos: list[Json] = []
        self.missed: list[tuple[str, Json]] | None = None
        self.queries: list[str] = []
        self.behind: dict[str, float] = {}
        self.url = ""
        self._seq = 0
        self._sockets: set[WebSocket] = set()
        self._changed = asyncio.Condition()
        self._templates = Environment(
            loader=FileSystemLoader(UI / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def app(self) -> Starlette:
        """Pages, static files, socket and REST."""
        return Starlette(
            routes=[
                Route("/", self._page("index")),
                Route("/executor", self._page("executor")),
                Route("/login", self._page("login")),
                Mount(STATIC, StaticFiles(directory=UI / "static")),
                Route("/api/v1/{path:path}", self._rest, methods=["GET", "POST", "PUT", "PATCH"]),
                WebSocketRoute("/ws/executor", self._socket),
            ]
        )

    async def send(self, type_: str, data: Json) -> None:
        """One message to every page, numbered as the server's stream is."""
        self._seq += 1
        await self._broadcast(self._envelope(type_, data) | {"seq": self._seq})

    async def send_raw(self, message: Json) -> None:
        """One message as it is."""
        await self._broadcast(message)

    async def drop(self, code: int = 1012) -> None:
        """Close every socket."""
        for one in list(self._sockets):
            await one.close(code)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what came in satisfies `holds`."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(holds), ANSWER_SECONDS)

    async def action(self, name: str) -> Json:
        """The first client message of this action, awaited."""
        await self.until(lambda: any(m.get("action") == name for m in self.received))
        return next(m for m in self.received if m.get("action") == name)

    async def call(self, path: str) -> Json | None:
        """The body of the first command to this path, awaited."""
        await self.until(lambda: any(found == path for _, found, _ in self.calls))
        return next(body for _, found, body in self.calls if found == path)

    @property
    def commands(self) -> list[str]:
        """Every effect that a page has asked for, by socket or by REST."""
        acts = [m["action"] for m in self.received if m["action"] not in {"hello", "ping"}]
        return acts + [path for method, path, _ in self.calls if method != "GET"]

    def _envelope(self, type_: str, data: Json) -> Json:
        return {"v": 1, "ts": states.ago(**self.behind), "type": type_, "data": data}

    async def _broadcast(self, message: Json) -> None:
        for one in list(self._sockets):
            await one.send_json(message)

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def page(_request: Request) -> Response:
            text = self._templates.get_template(f"{name}.html.j2").render(
                static=STATIC, page=name, mode=self.mode, version="0.1.0", user=None, preload=[]
            )
            return HTMLResponse(text, headers=HEADERS)

        return page

    async def _rest(self, request: Request) -> Response:
        path = request.path_params["path"]
        body = await request.json() if await request.body() else None
        self.queries.append(f"{path}?{request.url.query}")
        await self._note(lambda: self.calls.append((request.method, path, body)))
        if path == "snapshot":
            topic = request.query_params.get("topics", "executor")
            if "snapshot" not in self.answers:
                return JSONResponse(self._envelope("init", self.data[topic]) | {"seq": self._seq})
        status, data = self.answers.get(path, (404, problem(404, "Not found", f"No {path}")))
        return JSONResponse(data, status, headers={"ETag": '"18"'})

    async def _socket(self, one: WebSocket) -> None:
        if self.refuse_sockets:
            await one.close()
            return
        await one.accept()
        if self.close_code:
            await one.close(self.close_code)
            return
        try:
            await self._serve(one)
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.discard(one)

    async def _serve(self, one: WebSocket) -> None:
        hello = await one.receive_json()
        await self._note(lambda: self.hellos.append(hello))
        topic = hello["topics"][0]
        if hello["stream"] and self.missed is not None:
            for kind, data in [("resume", {}), *self.missed, ("snapshot", self.data[topic])]:
                await one.send_json(self._envelope(kind, data))
        else:
            await one.send_json(self._envelope("init", self.data[topic]) | {"seq": self._seq})
        self._sockets.add(one)
        while True:
            message: Json = await one.receive_json()
            await self._note(lambda message=message: self.received.append(message))  # type: ignore[misc]
            if self.automatic:
                await self._obey(message)

    async def _obey(self, message: Json) -> None:
        ref = message.get("ref")
        match message["action"]:
            case "toggle_enabled":
                await self.confirm_toggle(message["value"], ref)
            case "update_settings":
                exact = message["settings"]
                changed = {k: float(v) if "." in str(v) else int(v) for k, v in exact.items()}
                saved = states.settings(message["expected_version"] + 1, None, **changed)
                await self.send("settings_changed", saved | {"ref": ref})
            case "close_position":
                found = {"id": message["position_id"], "status": "closed", "ref": ref}
                await self.send("position_closed", found)

    async def confirm_toggle(self, value: bool, ref: str | None = None) -> None:
        """Say that the executor has taken the new state."""
        state = "RUNNING" if value else "PAUSED"
        run_state = {"state": state, "since": states.ago(), "by": "anna (web)", "reason": ""}
        told = {"enabled": value, "run_state": run_state, "ref": ref}
        self.data["executor"] |= {"enabled": value, "run_state": run_state}
        await self.send("status_changed", told)

    async def _note(self, change: Callable[[], object]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()


def problem(status: int, title: str, detail: str, **more: Any) -> Json:
    """A refusal as problem+json."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail} | more


def default_answers() -> dict[str, Answer]:
    """What REST answers by path below /api/v1."""
    return {
        "settings/history": (200, states.history()),
        "settings/revert": (200, states.settings(version=19)),
        "stats/equity": (200, curves.equity()),
        "stats/latency": (200, curves.latency()),
        "executor/kill": (202, {"text": "Halted: no new entry leaves. 2 positions stay open."}),
        "executor/resume": (202, {}),
        "executor/flatten/preview": (
            200,
            {"positions": 2, "proceeds": "19.12", "result": "-0.84", "hold_at_least": "0.36"},
        ),
        f"positions/{states.position()['id']}/close-preview": (200, orders.close_preview()),
        "alarms/1/acknowledge": (200, {"ok": True}),
        "positions/arb-naked/retry": (202, {}),
        "positions/arb-naked/hold": (202, {}),
        "positions/arb-naked/take-over": (202, {}),
        "positions/arb-naked/resolve": (202, {}),
        f"arbitrages/{states.trade(2)['arb_id']}": (
            200,
            states.position(2, phase="FLAT", status="ROLLED_BACK", reason="Poly not filled"),
        ),
        "trades": (200, {"items": [states.trade(n) for n in range(6, 12)], "next": None}),
        "cards/c0000": (200, cards.details()),
        "login": (200, {}),
    }


@asynccontextmanager
async def serving(server: PageServer) -> AsyncIterator[PageServer]:
    """Run it on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            server.app(), log_level="warning", ws="websockets-sansio", lifespan="off"
        )
        running = uvicorn.Server(config)
        task = asyncio.create_task(running.serve(sockets=[listener]))
        while not running.started:  # noqa: ASYNC110 - uvicorn offers a flag, not an event
            await asyncio.sleep(0.01)
        try:
            yield server
        finally:
            await server.drop(1001)
            running.should_exit = True
            running.force_exit = True
            await task
