"""Everything that only reads: status, snapshot, trades, statistics, cards, alarms, audit."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session

from api import cards, slices, trade_rows
from api.board import TOPICS
from api.problems import Problem
from api.routes.common import CommandRoute, Reader, The, cursor_of, link, page
from api.statistics import histogram
from api.wire import Json, JsonResponse, iso, text, usd
from domain.money import ZERO
from domain.trade import TradeStatus
from domain.venue import Mode, Venue
from store import alarms, audit, sightings, terms, trade_log, views
from store.codec import detail_from

router = APIRouter(prefix="/api/v1", route_class=CommandRoute, tags=["reads"])
status_router = APIRouter(tags=["reads"])
Limit = Annotated[int, Query(ge=1, le=500)]


class Range(StrEnum):
    """How far a curve goes back."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    ALL = "all"


SPANS = {
    Range.HOUR: timedelta(hours=1),
    Range.DAY: timedelta(days=1),
    Range.WEEK: timedelta(days=7),
}


@status_router.get("/api/v1/status")
@status_router.get("/api/status")
async def status(service: The, _caller: Reader) -> JsonResponse:
    """Run state, cash and what of it is free (`balances` by its first name), what is open, and
    what the executors see."""
    state = await service.journal.run_state()
    executors = service.live.survey.executors if service.live.survey else ()
    found = await service.journal.read(
        lambda s: {venue: views.balance(s, venue, service.mode) for venue in Venue}
    )
    cash = {venue.value: None if one is None else text(one.cash) for venue, one in found.items()}
    free = {venue.value: None if one is None else text(one.free) for venue, one in found.items()}
    told: Json = {
        "mode": service.mode.value,
        "run_state": state.word(alive=service.live.alive),
        "enabled": state.enabled,
        "reason": state.reason,
        "settings_version": state.settings_version,
        "balances": free,
        "cash": cash,
        "free": free,
        "open": [
            one.arb_id for one in await service.journal.unfinished() if one.mode is service.mode
        ],
        "executors": [slices.executor(one) for one in executors],
        "temporal_ui": service.options.temporal_ui,
    }
    return JsonResponse(told)


@router.get("/snapshot")
async def snapshot(service: The, _caller: Reader, topics: str = "executor") -> JsonResponse:
    """The same JSON as the socket's init, for who has no socket."""
    wanted = tuple(sorted(set(topics.split(","))))
    unknown = [topic for topic in wanted if topic not in TOPICS]
    if unknown:
        message = f"expected some of {', '.join(TOPICS)}, found {', '.join(unknown)[:80]}"
        raise Problem(422, "invalid", message, errors=[{"field": "topics", "message": message}])
    service.live.asked()
    hub = service.live.hub
    told: Json = {
        "v": 1,
        "seq": hub.seq,
        "ts": iso(service.wall_ms()),
        "type": "init",
        "data": hub.board.data(wanted),
    }
    return JsonResponse(told)


@router.get("/trades")
async def trades(
    request: Request,
    service: The,
    _caller: Reader,
    limit: Limit = 100,
    cursor: str | None = None,
    status: TradeStatus | None = None,
    mode: Mode | None = None,
) -> JsonResponse:
    """The trade log from the newest down."""
    before = cursor_of(cursor)
    found, planned = await service.journal.read(
        lambda s: (
            rows := trade_log.trades(s, mode, limit, status=status, before_id=before),
            views.planned_profits(s, [row.arb_id for row in rows]),
        )
    )
    following = found[-1].id if len(found) == limit else None
    items = [trade_rows.trade(row, planned.get(row.arb_id), numbers=False) for row in found]
    return JsonResponse(page(items, following), headers=link(request, following))


@router.get("/stats/equity")
async def equity(
    service: The,
    _caller: Reader,
    span: Annotated[Range, Query(alias="range")] = Range.DAY,
) -> JsonResponse:
    """The result after fees, trade by trade, summed from the start of the range; of it
    `guaranteed` is not final yet."""
    back = SPANS.get(span)
    now_ms = service.wall_ms()
    since_ms = 0 if back is None else now_ms - back // timedelta(milliseconds=1)
    found = await service.journal.read(lambda s: views.equity(s, service.mode, since_ms))
    net = fees = ZERO
    points: list[Json] = []
    for point in found:
        net, fees = net + point.pnl, fees + point.fees
        points.append({"at": point.at, "net": usd(net), "fees": usd(fees), "final": point.final})
    waits = [point.pnl for point in found if not point.final]
    guaranteed = {"trades": len(waits), "pnl": usd(sum(waits, start=ZERO))}
    return JsonResponse({"range": span.value, "points": points, "guaranteed": guaranteed})


@router.get("/stats/latency")
async def latency(service: The, _caller: Reader) -> JsonResponse:
    """Milliseconds from sending an entry to its answer, per venue, over 24 h."""
    since_ms = service.wall_ms() - 86_400_000
    found = await service.journal.read(lambda s: views.latencies(s, service.mode, since_ms))
    return JsonResponse(histogram(found))


@router.get("/funnel")
async def funnel(service: The, _caller: Reader) -> JsonResponse:
    """Where opportunities ended, over 1 h and 24 h."""
    return JsonResponse(service.live.hub.board.get("funnel"))


@router.get("/cards")
async def all_cards(service: The, _caller: Reader) -> JsonResponse:
    """Every followed pair as the scanners saw it last."""
    service.live.asked()
    found = service.live.hub.board.get("cards") or {}
    return JsonResponse({"items": list(found.values()), "next": None})


@router.get("/cards/{card_id}")
async def card(card_id: str, service: The, _caller: Reader) -> JsonResponse:
    """Evidence, both rule texts, ladders, costs and life of one card."""

    def work(session: Session) -> Json | None:
        found = sightings.one(session, card_id)
        if found is None:
            return None
        asked = (terms.of(session, *market) for market in cards.markets(found).items())
        return cards.details(found, [one for one in asked if one is not None])

    told = await service.journal.read(work)
    if told is None:
        raise Problem(404, "not_found", f"no card {card_id[:80]!r}")
    return JsonResponse(told)


@router.get("/alarms")
async def all_alarms(
    request: Request, service: The, _caller: Reader, limit: Limit = 100, cursor: str | None = None
) -> JsonResponse:
    """Alarms from the newest down, open ones and those that are over."""
    before = cursor_of(cursor)
    found, titles = await service.journal.read(
        lambda s: (rows := alarms.page(s, limit, before), alarms.titles(s, rows))
    )
    following = found[-1].id if len(found) == limit else None
    items = [slices.alarm_told(row, titles) for row in found]
    return JsonResponse(page(items, following), headers=link(request, following))


@router.get("/audit")
async def audit_trail(
    request: Request, service: The, _caller: Reader, limit: Limit = 100, cursor: str | None = None
) -> JsonResponse:
    """Who did what from where, from the newest down; each row seals the one before it."""
    before = cursor_of(cursor)
    found = await service.journal.read(lambda s: audit.page(s, limit, before))
    following = found[-1].id if len(found) == limit else None
    items = [slices.audit_row(row, detail_from(row.detail)) for row in found]
    return JsonResponse(page(items, following), headers=link(request, following))
