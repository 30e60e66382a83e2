"""/ws/executor: the seed's protocol, and on top of it numbers, resuming and a heartbeat.

docs/socket.md is the contract. The seed's `ws_handler` is `Connection` here.
"""

import asyncio
import logging

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api import frames, slices
from api.auth import Caller
from api.frames import BadFrame, Close, Hello, Ping, Subscribe, Toggle, Update
from api.hub import CLIENTS_MAX, Client
from api.problems import Problem
from api.service import Service, service_of
from api.steering import sale_limits
from api.wire import Json
from store.errors import JournalBusy
from store.states import Scope

log = logging.getLogger(__name__)
router = APIRouter()

HEARTBEAT_SECONDS = 5
SLOW_SECONDS = 5
HELLO_SECONDS = 2
BAD_FRAMES_MAX = 100
CLOSES_MAX = 20
NOT_TEXT, TOO_BIG, MISUSE, RESTART, SLOW, LOGIN = 1003, 1009, 1008, 1012, 1013, 4401
CODES = {
    401: "unauthorised",
    403: "unauthorised",
    412: "conflict",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
    504: "unconfirmed",
}


class Connection:
    """One page: obeys its frames one after another, sends what the hub tells. A close alone is
    waited for beside the next frames: its workflow may take seconds, and a pause waits for none."""

    def __init__(self, socket: WebSocket, service: Service, caller: Caller) -> None:
        self._socket = socket
        self._service = service
        self._caller = caller
        self._client: Client | None = None
        self._bad = 0
        self._closing = False
        self._closes: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the page leaves or has to."""
        hello = self._socket.query_params.get("hello") == "1"
        try:
            if hello:
                await self._wait_for_hello()
            else:
                self._begin(("executor",), None)
            if self._client is None:
                return
            async with asyncio.TaskGroup() as group:
                sending = [group.create_task(self._send()), group.create_task(self._beat())]
                await self._read(group)
                for task in sending:
                    task.cancel()
                # What was asked is asked to its end, also of a page that has left: the group waits.
        finally:
            if self._client is not None:
                self._service.live.hub.leave(self._client)

    async def close(self, code: int, reason: str) -> None:
        """Close once; a page that is gone already needs none."""
        if self._closing or self._socket.client_state is WebSocketState.DISCONNECTED:
            return
        self._closing = True
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._socket.close(code, reason)
        except (RuntimeError, WebSocketDisconnect, TimeoutError):
            log.debug("a page was gone before it could be told %s", code)

    async def restart(self) -> None:
        """This process ends: say so, so that the page comes back quietly."""
        if self._client is not None and not self._closing:
            bye = self._service.live.hub.frame("bye", {"reason": "The server restarts"})
            try:
                async with asyncio.timeout(1):
                    await self._socket.send_text(bye.decode())
            except (RuntimeError, WebSocketDisconnect, TimeoutError):
                log.debug("a page was gone before it could be told bye")
        await self.close(RESTART, "restart")

    async def _wait_for_hello(self) -> None:
        """The first frame says what the page has; a page that says nothing gets the whole state."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                text = await self._frame()
        except TimeoutError:
            self._begin(("executor",), None)
            return
        if text is None:
            return
        try:
            frame = frames.parse(text)
        except BadFrame as bad:
            self._begin(("executor",), None)
            self._complain(bad)
            return
        if isinstance(frame, Hello):
            self._begin(frame.topics, frame)
        else:
            self._begin(("executor",), None)
            self._complain(BadFrame("expected hello first", "action"))

    def _complain(self, bad: BadFrame) -> None:
        assert self._client is not None, "a page is complained to once it is known"
        self._bad += 1
        self._client.offer(self._error(bad.message, bad.field, bad.ref, "malformed"))

    def _begin(self, topics: tuple[str, ...], hello: Hello | None) -> None:
        hub = self._service.live.hub
        resumed = hub.resume(topics, hello.stream, hello.last_seq) if hello else None
        self._client = hub.join(topics)
        for frame in resumed or [hub.init(topics)]:
            self._client.offer(frame)
        self._service.live.poke()

    async def _send(self) -> None:
        """A page that takes nothing for SLOW_SECONDS is closed; it may come back."""
        assert self._client is not None, "sending begins after hello"
        while True:
            frame = await self._client.next_frame()
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await self._socket.send_text(frame.decode())
            except TimeoutError:
                await self.close(SLOW, "too slow")
                return
            except (RuntimeError, WebSocketDisconnect):
                return

    async def _beat(self) -> None:
        """Server time every few seconds; and whether the login still holds."""
        assert self._client is not None, "sending begins after hello"
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                valid = await self._service.auth.still(self._caller)
            except JournalBusy:
                continue
            if not valid:
                await self.close(LOGIN, "login")
                return
            self._client.offer(self._heartbeat())

    def _heartbeat(self) -> bytes:
        hub = self._service.live.hub
        return hub.frame("heartbeat", {"seq": hub.seq})

    async def _frame(self) -> str | None:
        """The next text frame; None once the page is gone or was closed."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if text is None:
            await self.close(NOT_TEXT, "expected text")
            return None
        if len(text) > frames.FRAME_MAX:
            await self.close(TOO_BIG, "too big")
            return None
        return str(text)

    async def _read(self, group: asyncio.TaskGroup) -> None:
        while self._client is not None:
            text = await self._frame()
            if text is None or self._closing:
                return
            await self._take(text, group)
            if self._bad >= BAD_FRAMES_MAX:
                await self.close(MISUSE, "too many bad frames")
                return

    async def _take(self, text: str, group: asyncio.TaskGroup) -> None:
        """Obey one frame or say why not; a close in a task of the group."""
        assert self._client is not None, "frames are read after hello"
        try:
            frame = frames.parse(text)
        except BadFrame as bad:
            self._complain(bad)
            return
        if not isinstance(frame, Close):
            await self._answer(frame)
        elif len(self._closes) < CLOSES_MAX:
            task = group.create_task(self._answer(frame))
            self._closes.add(task)
            task.add_done_callback(self._closes.discard)
        else:
            message = f"expected an answer first: {CLOSES_MAX} closes have none yet"
            self._client.offer(self._error(message, None, frame.ref, "rate_limited"))

    async def _answer(self, frame: frames.Frame) -> None:
        """Obey what a frame asks for or say why not."""
        assert self._client is not None, "frames are answered after hello"
        ref: str | None = getattr(frame, "ref", None)
        try:
            self._client.offer(await self._obey(frame))
        except BadFrame as bad:
            self._complain(bad)
        except Problem as problem:
            first = problem.errors[0] if problem.errors else {}
            message = str(first.get("message", problem.detail))
            code = CODES.get(problem.status, "refused")
            more = {"errors": problem.errors, **problem.more}
            self._client.offer(self._error(message, first.get("field"), ref, code, **more))
        except JournalBusy as busy:
            message = f"{busy}. Nothing was changed"
            self._client.offer(self._error(message, None, ref, "unavailable"))

    async def _obey(self, frame: frames.Frame) -> bytes:
        assert self._client is not None, "frames are obeyed after hello"
        hub = self._service.live.hub
        match frame:
            case Hello():
                raise BadFrame("expected hello only once", "action")
            case Subscribe(topics):
                self._client.topics = topics
                return hub.frame("snapshot", hub.board.data(topics))
            case Ping():
                return self._heartbeat()
            case _:
                return await self._command(frame)

    async def _command(self, frame: Toggle | Update | Close) -> bytes:
        assert self._client is not None, "frames are obeyed after hello"
        service, hub = self._service, self._service.live.hub
        self._caller.need(Scope.TRADE)
        service.auth.limit_command(self._caller)
        now_ms = service.wall_ms()
        match frame:
            case Toggle(value, confirm, ref):
                told = await service.commands.set_enabled(value, self._caller, confirm, now_ms)
                return hub.frame("status_changed", told | {"ref": ref})
            case Update(settings, version, ref):
                saved = await service.commands.save(settings, version, self._caller, now_ms)
                executors = service.live.survey.executors if service.live.survey else ()
                shown = slices.settings(saved, executors, numbers=True)
                return hub.frame("settings_changed", shown | {"ref": ref})
            case Close(position, loss_max, ref, limits):
                operation = await service.steering.close(
                    position, loss_max, self._caller, now_ms, ref, sale_limits(limits)
                )
                if ref is not None:
                    self._client.refs[position] = ref
                told = operation.told("pending", "accepted by the workflow")
                return hub.frame("accepted", told | {"ref": ref})

    def _error(
        self, message: str, field: object, ref: str | None, code: str, **more: object
    ) -> bytes:
        """The seed's error; `code` says the kind of refusal in a word."""
        told: Json = {"message": message, "field": field, "code": code}
        if ref is not None:
            told["ref"] = ref
        return self._service.live.hub.frame("error", None, **told, **more)


class Connections:
    """Every open page, so that all can be told when this process ends."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()

    async def serve(self, socket: WebSocket, service: Service) -> None:
        """One page from its handshake on. Host and Origin are checked already."""
        caller = await service.auth.caller(socket.headers, socket.cookies)
        await socket.accept()
        if caller is None:
            await socket.close(LOGIN, "login")
            return
        if len(self._open) >= CLIENTS_MAX:
            await socket.close(SLOW, "too many pages")
            return
        connection = Connection(socket, service, caller)
        self._open.add(connection)
        try:
            await connection.serve()
        except WebSocketDisconnect:
            log.debug("a page left in the middle of a frame")
        finally:
            self._open.discard(connection)

    async def restart(self) -> None:
        """Tell every page that this process ends."""
        await asyncio.gather(*(one.restart() for one in list(self._open)))


@router.websocket("/ws/executor")
async def executor_socket(socket: WebSocket) -> None:
    """See the module."""
    connections: Connections = socket.app.state.connections
    await connections.serve(socket, service_of(socket))
