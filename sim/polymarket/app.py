"""All of the venue's hosts on one port: CLOB, Gamma, Data, relayer, both WebSocket channels."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from sim.polymarket.desk import Desk
from sim.polymarket.exchange import START_CASH, Exchange
from sim.polymarket.orders import SignatureType
from sim.polymarket.public import Public
from sim.polymarket.resting import watch
from sim.polymarket.venue import PolymarketVenue
from sim.wire import Wire
from sim.world import World


def build_app(
    world: World,
    start_cash: int = START_CASH,
    signature_type: SignatureType = SignatureType.DEPOSIT_WALLET,
    private_key: bytes | None = None,
) -> ASGIApp:
    """The venue on `world`, registered there; `start_cash` micro-dollars in the main wallet.

    The main wallet belongs to `private_key` (derived from the seed when None).
    """
    exchange = Exchange(world, start_cash, signature_type, private_key)
    world.register("polymarket", PolymarketVenue(exchange))
    watch(exchange)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await exchange.settlement.close()

    sockets = [
        WebSocketRoute("/ws/market", exchange.hub.serve_market),
        WebSocketRoute("/ws/user", exchange.hub.serve_user),
    ]
    routes = [*Public(exchange).routes(), *Desk(exchange).routes(), *sockets]
    return Wire(Starlette(routes=routes, lifespan=lifespan), world, "polymarket")
