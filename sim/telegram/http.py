"""The Bot API over HTTP, and the control paths that play the people and the troubles."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sim.telegram.bot import Bot, Refused
from sim.telegram.page import page
from sim.telegram.script import Rule
from sim.wire import Dropped, keep_transport

ME = {"id": 7, "is_bot": True, "first_name": "Lockstep", "username": "lockstep_test_bot"}
BAD_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def build_app(bot: Bot) -> ASGIApp:
    """The application of one bot; /control/... is for tests and demonstrations."""

    async def method(request: Request) -> Response:
        name = request.path_params["method"]
        if request.path_params["token"] != bot.token:
            return _error(401, "Unauthorized")
        given = await _parameters(request)
        chat = int(str(given["chat_id"])) if "chat_id" in given else None
        bot.calls.append({"method": name, "chat": chat, "parameters": given})
        rule = bot.script.take(name, chat)
        before = await _trouble_before(rule)
        if before is not None:
            return before
        try:
            result = await _do(bot, name, given, rule)
        except Refused as refused:
            return _error(refused.code, str(refused))
        after = await _trouble_after(rule)
        return after or JSONResponse({"ok": True, "result": result})

    async def control(request: Request) -> Response:
        try:
            return JSONResponse(_act(bot, request.path_params["act"], await _parameters(request)))
        except (ValueError, KeyError) as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)

    async def state(_: Request) -> Response:
        return JSONResponse(
            {
                "messages": [asdict(message) for message in bot.messages],
                "answers": bot.answers,
                "menus": bot.menus,
                "calls": bot.calls,
            }
        )

    async def chats(_: Request) -> Response:
        return HTMLResponse(page(bot.messages))

    app = Starlette(
        routes=[
            Route("/", chats, methods=["GET"]),
            Route("/control/state", state, methods=["GET"]),
            Route("/control/{act}", control, methods=["POST"]),
            Route("/bot{token}/{method}", method, methods=["GET", "POST"]),
        ]
    )

    async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
        keep_transport(scope, send)
        await app(scope, receive, send)

    return droppable


async def _do(bot: Bot, name: str, given: Mapping[str, object], rule: Rule | None) -> object:
    match name:
        case "getMe":
            return ME
        case "getUpdates":
            return await bot.updates(given, rule)
        case "sendMessage":
            return bot.send(given)
        case "getChat":
            return bot.chat(given)
        case "sendChatAction":
            return bot.act(given)
        case "editMessageText":
            return bot.edit(given)
        case "answerCallbackQuery":
            bot.answers.append(dict(given))
            return True
        case "setMyCommands":
            bot.menus.append(dict(given))
            return True
        case "getWebhookInfo":
            return bot.webhook_info()
        case "deleteWebhook":
            bot.webhook = ""
            return True
    raise Refused(404, "Not Found")


def _act(bot: Bot, act: str, given: Mapping[str, object]) -> object:
    match act:
        case "say":
            return {"update_id": bot.say(given)}
        case "press":
            return {"update_id": bot.press(given)}
        case "script":
            return asdict(bot.script.add(given))
        case "calm":
            bot.script.rules.clear()
            return {}
        case "webhook":
            bot.webhook = str(given["url"])
            return {}
        case "delete":
            bot.deleted(int(str(given["chat"])), int(str(given["message_id"])))
            return {}
    raise ValueError(f"expected say, press, script, calm, webhook or delete, found {act}")


async def _trouble_before(rule: Rule | None) -> Response | None:
    match rule.do if rule else None:
        case "429":
            assert rule is not None
            return _error(
                429,
                f"Too Many Requests: retry after {rule.seconds}",
                {"retry_after": rule.seconds},
            )
        case "hang_before":
            assert rule is not None
            await asyncio.sleep(rule.seconds)
            return Dropped()
        case "error_before":
            assert rule is not None
            return _error(rule.status, "Internal Server Error")
        case "drop_before":
            return Dropped()
        case "bad_page":
            return Response(BAD_PAGE, status_code=502, media_type="text/html")
        case "blocked":
            return _error(403, "Forbidden: bot was blocked by the user")
        case "conflict":
            return _error(409, "Conflict: terminated by other getUpdates request")
    return None


async def _trouble_after(rule: Rule | None) -> Response | None:
    match rule.do if rule else None:
        case "hang_after":
            assert rule is not None
            await asyncio.sleep(rule.seconds)
            return Dropped()
        case "error_after":
            assert rule is not None
            return _error(rule.status, "Internal Server Error")
        case "drop_after":
            return Dropped()
    return None


def _error(code: int, description: str, parameters: object = None) -> Response:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters is not None:
        body["parameters"] = parameters
    return JSONResponse(body, status_code=code)


async def _parameters(request: Request) -> dict[str, object]:
    """Form fields, each of them JSON where it reads as such; or one JSON object."""
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.json()
        return dict(body) if isinstance(body, dict) else {}
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    given = {**request.query_params, **form}
    return {name: _value(name, str(value)) for name, value in given.items()}


def _value(name: str, value: str) -> object:
    if name == "text":
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
