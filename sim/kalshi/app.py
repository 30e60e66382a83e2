"""The Kalshi application: every path of the exchange over one world."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from sim.kalshi import account, markets, orders, portfolio
from sim.kalshi.errors import not_found
from sim.kalshi.exchange import Exchange
from sim.kalshi.feed import Feed
from sim.kalshi.venue import KalshiVenue
from sim.wire import Wire
from sim.world import World


def build_app(world: World) -> ASGIApp:
    """Make the exchange, register it with the world and return its server application."""
    exchange = Exchange(world)
    feed = Feed(exchange)
    world.register("kalshi", KalshiVenue(exchange, feed))
    routes = [
        *orders.routes(exchange),
        *portfolio.routes(exchange),
        *markets.routes(exchange),
        *account.routes(exchange),
        feed.route(),
    ]

    async def unknown_path(_: Request, __: Exception) -> Response:
        return JSONResponse(not_found().body, status_code=404)

    return Wire(Starlette(routes=routes, exception_handlers={404: unknown_path}), world, "kalshi")
