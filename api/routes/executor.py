"""The executor's switches: enable, pause, kill, resume, and their previews."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Body as FastApiBody

from api.problems import Problem
from api.routes.common import Body, CommandRoute, Key, Reader, The, Trader
from api.wire import JsonResponse

router = APIRouter(prefix="/api/v1/executor", route_class=CommandRoute, tags=["executor"])


class Enabled(Body):
    """Whether entries may leave; in live money `confirm` is the word LIVE."""

    value: bool
    confirm: str | None = None


class Confirmed(Body):
    """The typed word, where one is needed."""

    confirm: str | None = None


class Kill(Body):
    """Why, for the record; `flatten` also sells everything and needs the word FLATTEN."""

    flatten: bool = False
    confirm: str | None = None
    reason: str = "killed by a person"


Optional = Annotated[Confirmed, FastApiBody(default_factory=Confirmed)]


@router.put("/enabled")
async def switch(body: Enabled, service: The, caller: Trader) -> JsonResponse:
    """Enable or pause; answered once it holds."""
    return JsonResponse(
        await service.commands.set_enabled(body.value, caller, body.confirm, service.wall_ms())
    )


@router.post("/enable")
async def enable(body: Optional, service: The, caller: Trader) -> JsonResponse:
    """Let entries leave from the next gate on."""
    return JsonResponse(
        await service.commands.set_enabled(True, caller, body.confirm, service.wall_ms())
    )


@router.post("/disable")
@router.post("/pause")
async def pause(service: The, caller: Trader) -> JsonResponse:
    """No new entries; what is open goes on."""
    return JsonResponse(await service.commands.set_enabled(False, caller, None, service.wall_ms()))


@router.post("/kill", status_code=202)
async def kill(
    body: Annotated[Kill, FastApiBody(default_factory=Kill)],
    service: The,
    caller: Trader,
    key: Key,
) -> JsonResponse:
    """Stop all entries at the last gate until a person resumes; with `flatten` also sell
    everything that is open. Each sale is an operation to be watched."""
    if body.flatten:
        _word(body.confirm, "FLATTEN")
    now_ms = service.wall_ms()
    told = await service.commands.kill(body.reason[:200], caller, now_ms)
    if body.flatten:
        operations = await service.steering.flatten(caller, now_ms, key)
        refused = [one for one in operations if one["state"] == "failed"]
        told["operations"] = operations
        told["text"] = (
            f"Halted: no new entry leaves. {len(operations) - len(refused)} positions are being "
            f"sold{f', {len(refused)} could not be asked' if refused else ''}."
        )
    return JsonResponse(told, 202)


@router.post("/resume", status_code=202)
@router.post("/unkill", status_code=202)
async def resume(body: Optional, service: The, caller: Trader) -> JsonResponse:
    """Release the halt; needs the word RESUME."""
    _word(body.confirm, "RESUME")
    return JsonResponse(await service.commands.resume(caller, service.wall_ms()), 202)


@router.get("/flatten/preview")
async def flatten_preview(service: The, _caller: Reader) -> JsonResponse:
    """What selling everything now would bring, by the books seen last."""
    return JsonResponse(await service.steering.flatten_preview())


def _word(found: str | None, expected: str) -> None:
    if found != expected:
        message = f"expected the word {expected}"
        errors = [{"field": "confirm", "message": message}]
        raise Problem(409, "refused", message, errors=errors)
