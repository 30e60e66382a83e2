"""The simulator process: both exchanges and their control server, one JSON line when ready."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from sim import control
from sim.floor import Floor, open_world, quoted
from sim.frames import BadRecording
from sim.kalshi.app import build_app as build_kalshi
from sim.polymarket.app import build_app as build_polymarket
from sim.server import PortInUse, Servers, Site
from sim.world import World

MAX_PAIRS = 300


@dataclass(frozen=True, slots=True)
class Options:
    """Ports (0 = any free one), the seed of everything random, the number of market pairs."""

    polymarket_port: int = 0
    kalshi_port: int = 0
    control_port: int = 0
    seed: int = 7
    pairs: int = 24
    host: str = "127.0.0.1"
    floor: Floor = field(default_factory=Floor)


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that accepts connections; `ready` is the line that says so."""

    world: World
    ready: dict[str, object]


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[Running]:
    """Both exchanges and the control server, served until the block ends; PortInUse."""
    world, quoting = open_world(options.seed, options.pairs, options.floor)

    def ready(host: str) -> dict[str, object]:
        return _ready(world, servers, host)

    servers = Servers(
        [
            Site("polymarket", build_polymarket(world), options.polymarket_port),
            Site("kalshi", build_kalshi(world), options.kalshi_port, dates=False),
            Site("control", control.build_app(world, ready), options.control_port),
        ],
        options.host,
    )
    await servers.start()
    try:
        async with quoted(quoting):
            yield Running(world, ready(options.host))
    finally:
        await servers.stop()


def _ready(world: World, servers: Servers, host: str) -> dict[str, object]:
    urls = {"control": f"http://{host}:{servers.port('control')}"}
    for name, venue in world.venues.items():
        place = f"{host}:{servers.port(name)}"
        urls |= venue.urls(f"http://{place}", f"ws://{place}")
    keys = {name: venue.credentials() for name, venue in world.venues.items()}
    return {"ready": True, "seed": world.seed, "urls": urls, "keys": keys}


async def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; `announce` gets the ready line as JSON text."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(options) as simulator:
        announce(json.dumps(simulator.ready))
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: 0 after a stop, 1 when a port is taken, 2 on wrong usage or a bad file."""
    options = _parse(argv)
    try:
        with asyncio.Runner(loop_factory=uvicorn.Config(app="").get_loop_factory()) as runner:
            runner.run(serve(options, lambda line: print(line, flush=True)))  # noqa: T201
    except PortInUse as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1
    except (BadRecording, OSError) as problem:
        print(f"--kalshi-frames: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _parse(argv: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="lockstep sim", description="Run Polymarket and Kalshi, simulated, on this machine."
    )
    for venue in ("polymarket", "kalshi", "control"):
        parser.add_argument(
            f"--{venue}-port", type=_port, default=0, help=f"port of {venue}; 0 takes a free one"
        )
    parser.add_argument("--seed", type=int, default=7, help="seed of everything random")
    parser.add_argument("--pairs", type=_pairs, default=24, help="how many markets both list")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    quotes = parser.add_argument_group("who quotes (nobody, unless asked)")
    quotes.add_argument("--makers", action="store_true", help="a seeded market maker on both")
    quotes.add_argument("--kalshi-frames", type=Path, help="a recorded Kalshi session to play")
    for name, default, text in (
        ("frames-speed-percent", 100, "pace of the recording; 200 is twice as fast"),
        ("edges-per-minute", 40, "how often an arbitrage opens, over all pairs"),
        ("edge-cents", 2, "its least edge per contract, after both fees"),
        ("edge-contracts", 60, "contracts at the edge price"),
        ("edge-ms", 4_000, "how long it stays"),
    ):
        quotes.add_argument(f"--{name}", type=_whole, default=default, help=text)
    given = vars(parser.parse_args(argv))
    floor = Floor(**{name: given.pop(name) for name in Floor.__slots__})
    return Options(**given, floor=floor)


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, found {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {text!r}")
    return int(text)


def _pairs(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAIRS:
        raise argparse.ArgumentTypeError(f"expected 1 to {MAX_PAIRS}, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
