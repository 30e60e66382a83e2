"""The control server: read both ledgers, set books, faults, outcomes, cash and modes."""

import json
from collections.abc import Callable, Mapping
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sim.book import Book
from sim.faults import KINDS
from sim.listings import Pair
from sim.units import decimal_text, micros
from sim.world import MODES, VENUES, Venue, VenueName, World

Read = Callable[[World], object]
Change = Callable[[World, Mapping[str, object]], object]
Ready = Callable[[str], dict[str, object]]


def build_app(world: World, ready: Ready) -> Starlette:
    """The control application; bad input is answered with 400 {"error": ...}. `/ready` is what the
    process said at its start, with the name that it is asked by."""
    reads: dict[str, Read] = {
        "/state": _state,
        "/journal": _journal,
        "/markets": _markets,
        "/books": _books,
        "/faults": _faults,
    }
    changes: dict[str, Change] = {
        "/books": _set_books,
        "/faults": _add_faults,
        "/resolve": _resolve,
        "/cash": _cash,
        "/venue": _mode,
        "/knobs": _knobs,
    }
    routes = [_read_route(world, path, read) for path, read in reads.items()]
    routes += [_change_route(world, path, change) for path, change in changes.items()]

    async def clear_faults(_: Request) -> Response:
        world.faults.clear()
        return JSONResponse({"rules": []})

    async def say_ready(request: Request) -> Response:
        return JSONResponse(ready(request.url.hostname or "127.0.0.1"))

    routes.append(Route("/faults", clear_faults, methods=["DELETE"]))
    routes.append(Route("/ready", say_ready, methods=["GET"]))
    return Starlette(routes=routes)


def _read_route(world: World, path: str, read: Read) -> Route:
    async def endpoint(_: Request) -> Response:
        return JSONResponse(read(world))

    return Route(path, endpoint, methods=["GET"])


def _change_route(world: World, path: str, change: Change) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(change(world, _parse(await request.body())))
        except ValueError as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)

    return Route(path, endpoint, methods=["POST"])


def _parse(text: bytes) -> dict[str, object]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as problem:
        raise ValueError(f"the body is not JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise ValueError(f"expected a JSON object, found {type(body).__name__}")
    return body


def _pair(world: World, body: Mapping[str, object]) -> Pair:
    name = body.get("pair")
    if not isinstance(name, str) or name not in world.pairs:
        raise ValueError(f"pair: expected one of {', '.join(world.pairs)}, found {name!r}")
    return world.pairs[name]


def _venue(world: World, body: Mapping[str, object]) -> tuple[VenueName, Venue]:
    name = body.get("venue")
    for known in VENUES:
        if known == name and known in world.venues:
            return known, world.venues[known]
    raise ValueError(f"venue: expected one of {', '.join(world.venues)}, found {name!r}")


def _state(world: World) -> object:
    return {
        "seed": world.seed,
        "now_ns": world.clock(),
        "venues": {name: venue.state() for name, venue in world.venues.items()},
        "outcomes": [
            {"venue": venue, "pair": pair, "outcome": outcome}
            for (venue, pair), outcome in world.outcomes.items()
        ],
    }


def _journal(world: World) -> object:
    return {
        "requests": [
            {
                "venue": entry.venue,
                "method": entry.method,
                "path": entry.path,
                "first_byte_ns": entry.first_byte_ns,
                "status": entry.status,
            }
            for entry in world.journal
        ]
    }


def _markets(world: World) -> object:
    return {"pairs": [_pair_json(world, pair) for pair in world.pairs.values()]}


def _pair_json(world: World, pair: Pair) -> dict[str, object]:
    there, here = pair.polymarket, pair.kalshi
    return {
        "id": pair.id,
        "title": pair.title,
        "polymarket": {
            "condition_id": there.condition_id,
            "token_yes": there.token_yes,
            "token_no": there.token_no,
            "question": there.question,
            "slug": there.slug,
            "tick": there.tick,
            "min_size": there.min_size,
            "fee_rate": there.fee_rate,
            "neg_risk": there.neg_risk,
            "seconds_delay": there.seconds_delay,
            "end": there.end.isoformat(),
            "outcome": world.outcomes.get(("polymarket", pair.id)),
        },
        "kalshi": {
            "ticker": here.ticker,
            "event_ticker": here.event_ticker,
            "series_ticker": here.series_ticker,
            "title": here.title,
            "exchange_index": here.exchange_index,
            "price_level_structure": here.price_level_structure,
            "fee_type": here.fee_type,
            "fee_multiplier": here.fee_multiplier_override or here.fee_multiplier,
            "close": here.close.isoformat(),
            "outcome": world.outcomes.get(("kalshi", pair.id)),
        },
    }


def _books(world: World) -> object:
    return {
        pair: {venue: _book_json(world.book(venue, pair)) for venue in VENUES}
        for pair in world.pairs
    }


def _book_json(book: Book) -> dict[str, object]:
    return {
        "version": book.version,
        "yes_bids": [_level_json(*level) for level in book.levels("bid")],
        "yes_asks": [_level_json(*level) for level in book.levels("ask")],
    }


def _level_json(price: int, size: int) -> list[str]:
    return [decimal_text(price), decimal_text(size)]


def _set_books(world: World, body: Mapping[str, object]) -> object:
    pair = _pair(world, body)
    wanted = {name: _levels(body[name]) for name in VENUES if name in body}
    for venue, (bids, asks) in wanted.items():
        world.book(venue, pair.id).replace(bids, asks)
    return {venue: _book_json(world.book(venue, pair.id)) for venue in VENUES}


def _levels(given: object) -> tuple[dict[int, int], dict[int, int]]:
    if not isinstance(given, dict) or not set(given) <= {"yes_bids", "yes_asks"}:
        raise ValueError(f"book: expected yes_bids and yes_asks, found {given!r}")
    sides = []
    for name in ("yes_bids", "yes_asks"):
        levels: dict[int, int] = {}
        for level in cast("list[object]", given.get(name, [])):
            if not isinstance(level, list) or len(level) != 2:
                raise ValueError(f"{name}: expected [price, size], found {level!r}")
            levels[micros(level[0])] = micros(level[1])
        sides.append(levels)
    return sides[0], sides[1]


def _faults(world: World) -> object:
    return {"rules": [rule.as_json() for rule in world.faults.rules], "kinds": dict(KINDS)}


def _add_faults(world: World, body: Mapping[str, object]) -> object:
    rules = body.get("rules")
    if not isinstance(rules, list):
        raise ValueError(f"rules: expected a list, found {rules!r}")
    for rule in rules:
        if not isinstance(rule, dict):
            raise ValueError(f"rules: expected objects, found {rule!r}")
        if rule.get("market", "*") not in ("*", *world.pairs):
            raise ValueError(f"fault rule: unknown market {rule['market']!r}")
    return {"rules": [world.faults.add(rule).as_json() for rule in rules]}


def _resolve(world: World, body: Mapping[str, object]) -> object:
    pair = _pair(world, body)
    outcomes: dict[VenueName, str] = {name: str(body[name]) for name in VENUES if name in body}
    if not outcomes:
        raise ValueError(f"expected an outcome for at least one of {', '.join(VENUES)}")
    world.resolve(pair.id, outcomes)
    return {"pair": pair.id, "outcomes": outcomes}


def _cash(world: World, body: Mapping[str, object]) -> object:
    name, venue = _venue(world, body)
    venue.adjust_cash(micros(body.get("usd")), str(body.get("ref", "control")))
    return {"venue": name, "cash": venue.state()["cash"]}


def _mode(world: World, body: Mapping[str, object]) -> object:
    name, venue = _venue(world, body)
    mode = body.get("mode")
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, found {mode!r}")
    venue.set_mode(mode)
    return {"venue": name, "mode": mode}


def _knobs(world: World, body: Mapping[str, object]) -> object:
    name, venue = _venue(world, body)
    knobs = body.get("knobs", {})
    if not isinstance(knobs, dict):
        raise ValueError(f"knobs: expected an object, found {knobs!r}")
    return {"venue": name, "knobs": venue.set_knobs(knobs)}
