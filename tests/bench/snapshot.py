"""How long the whole state takes to arrive with 500 cards: over the socket, from the connection to
the last byte of `init`, and by REST; against the state of `/executor` in the same run.

The API, its journal and its socket are real; the looks at 500 pairs are written by hand, since the
simulated exchanges list 200 at most.
"""

import asyncio
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client
from websockets.asyncio.client import connect

from app.temporal import ServerOptions, open_server
from store import sightings
from tests.api.harness import Running, opened, serving, wall_ms
from tests.bench.figures import percentiles
from tests.ui.support import cards

CARDS = 500
TIMES = 20
READY_SECONDS = 60
MS_MAX = 300


async def measure(_trades: int) -> dict[str, object]:
    """Figures by topic."""
    with TemporaryDirectory(prefix="lockstep-bench-") as folder:
        journal = opened(Path(folder))
        seen = {f"pair-{number}": {"card": cards.card(number)} for number in range(CARDS)}
        now_ms = wall_ms()
        await journal.write(now_ms, lambda s: sightings.keep(s, "bench", seen, (), now_ms))
        try:
            async with open_server(ServerOptions(ui=False)) as temporal:
                client = await Client.connect(temporal.address)
                async with serving(journal, client) as api:
                    found = await _listed(api)
                    topics = {one: await _topic(api, one) for one in ("executor", "cards")}
        finally:
            journal.close()
    expected = {"cards_socket_p95_ms_max": MS_MAX}
    return {"number": found, "baseline": "executor", **topics, "expected": expected}


async def _listed(api: Running) -> int:
    """How many cards there are, once all have been read."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            found = (await api.http.get("/api/v1/cards")).json()["items"]
            if len(found) == CARDS:
                return CARDS
            await asyncio.sleep(0.2)


async def _topic(api: Running, topic: str) -> dict[str, object]:
    by_socket, by_rest, size = [], [], 0
    address = api.url.replace("http", "ws") + "/ws/executor?hello=1"
    for _ in range(TIMES):
        began = time.perf_counter_ns()
        async with connect(
            address, additional_headers={"Origin": api.url}, max_size=None
        ) as socket:
            await socket.send(json.dumps({"action": "hello", "topics": [topic]}))
            frame = await socket.recv()
            by_socket.append(time.perf_counter_ns() - began)
            size = len(frame)
            assert json.loads(frame)["type"] == "init"
        began = time.perf_counter_ns()
        (await api.http.get(f"/api/v1/snapshot?topics={topic}")).raise_for_status()
        by_rest.append(time.perf_counter_ns() - began)
    return {"bytes": size, "socket_ms": percentiles(by_socket), "rest_ms": percentiles(by_rest)}
