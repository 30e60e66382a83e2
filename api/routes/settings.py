"""Settings: read, saved under the version they were made from, reverted."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from api import slices
from api.problems import Problem
from api.routes.common import Amount, Body, CommandRoute, Reader, The, Trader, cursor_of, link, page
from api.service import Service
from api.wire import JsonResponse
from store.settings import SavedSettings
from store.settings_values import FIELDS

router = APIRouter(prefix="/api/v1/settings", route_class=CommandRoute, tags=["settings"])
IfMatch = Annotated[str | None, Header(description="The version that was read, such as 18")]


class SettingsChange(Body):
    """Any of the settings. Bets and losses are dollars, ROIs percent; numbers or exact strings."""

    enabled: bool | None = None
    min_bet: Amount | None = None
    max_bet: Amount | None = None
    min_roi: Amount | None = None
    max_roi: Amount | None = None
    max_daily_trades: Amount | None = None
    max_daily_loss: Amount | None = None


class Revert(Body):
    """Which version to go back to."""

    version: int


@router.get("")
async def read_settings(service: The, _caller: Reader) -> JsonResponse:
    """The settings in force, their version as ETag, and what each executor has taken."""
    return _told(service, await service.journal.settings.load())


@router.patch("")
async def change_settings(
    change: SettingsChange, service: The, caller: Trader, if_match: IfMatch = None
) -> JsonResponse:
    """Save some settings; 412 with the other's change where somebody saved first."""
    wanted = change.model_dump(exclude_unset=True)
    expected = _version(if_match)
    saved = await service.commands.save(wanted, expected, caller, service.wall_ms())
    return _told(service, saved)


@router.put("")
async def replace_settings(
    change: SettingsChange, service: The, caller: Trader, if_match: IfMatch = None
) -> JsonResponse:
    """Save all limits; `enabled` stays where it is not named."""
    wanted = change.model_dump(exclude_unset=True)
    missing = [name for name in FIELDS if name != "enabled" and name not in wanted]
    if missing:
        errors = [{"field": name, "message": "is needed"} for name in missing]
        raise Problem(422, "invalid", f"expected also {', '.join(missing)}", errors=errors)
    expected = _version(if_match)
    saved = await service.commands.save(wanted, expected, caller, service.wall_ms())
    return _told(service, saved)


@router.get("/history")
async def settings_history(
    request: Request,
    service: The,
    _caller: Reader,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> JsonResponse:
    """Every version from the newest down: who, when, from where, and what changed."""
    found = await service.journal.settings.history(limit, cursor_of(cursor))
    following = found[-1].version if len(found) == limit else None
    items = [slices.settings_version(entry) for entry in found]
    return JsonResponse(page(items, following), headers=link(request, following))


@router.post("/revert")
async def revert_settings(
    body: Revert, service: The, caller: Trader, if_match: IfMatch = None
) -> JsonResponse:
    """Save the values of an older version as a new one; `enabled` stays."""
    saved = await service.commands.revert(
        body.version, _version(if_match), caller, service.wall_ms()
    )
    return _told(service, saved)


def _told(service: Service, saved: SavedSettings) -> JsonResponse:
    executors = service.live.survey.executors if service.live.survey else ()
    shown = slices.settings(saved, executors, numbers=False)
    return JsonResponse(shown, headers={"ETag": f'"{saved.version}"'})


def _version(if_match: str | None) -> int:
    """The version of If-Match: a save without it would overwrite what nobody has read."""
    if if_match is None:
        errors = [{"field": "If-Match", "message": "is needed: send the ETag that was read"}]
        raise Problem(428, "if_match_needed", "If-Match is needed", errors=errors)
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        errors = [{"field": "If-Match", "message": f"expected a version, found {if_match[:40]!r}"}]
        raise Problem(422, "invalid", "If-Match: expected a version", errors=errors)
    return int(text)
