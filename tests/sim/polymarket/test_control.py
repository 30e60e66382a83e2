"""The control server drives and shows the venue; makers and a seed make a running market."""

from typing import Any

import httpx

from sim.floor import Floor
from sim.main import Options, running
from tests.sim.polymarket.harness import Sim

BOOK = {"yes_bids": [["0.45", "200"]], "yes_asks": [["0.46", "100"]]}


async def test_books_knobs_faults_cash_and_outcomes_go_through_the_control_server() -> None:
    async with running(Options(seed=7, pairs=2)) as simulator:
        urls: Any = simulator.ready["urls"]
        host = urls["polymarket"].removeprefix("http://")
        async with (
            httpx.AsyncClient(base_url=urls["control"]) as control,
            httpx.AsyncClient(base_url=urls["polymarket"]) as http,
        ):
            sim = Sim(simulator.world, host, http)
            knobs = {"settle_mined_ms": 1, "settle_confirmed_ms": 1}
            for path, body in (
                ("/books", {"pair": "p01", "polymarket": BOOK}),
                ("/knobs", {"venue": "polymarket", "knobs": knobs}),
                ("/cash", {"venue": "polymarket", "usd": "5"}),
                ("/faults", {"rules": [{"do": "ghost", "params": {"ms": 1}}]}),
            ):
                answer = await control.post(path, json=body)
                assert answer.status_code == 200, answer.text
            ghost = (await sim.trade("BUY", "4.60", "10")).json()
            await sim.settled(ghost, "FAILED")
            await sim.settled((await sim.trade("BUY", "4.60", "10")).json())
            await control.post("/resolve", json={"pair": "p01", "polymarket": "yes"})
            state = (await control.get("/state")).json()["venues"]["polymarket"]
        assert (state["cash"], state["conserved"]) == ("10010.275800", True)
        assert [order["fault"] for order in state["orders"]] == ["ghost", ""]
        assert [order["fills"][0]["state"] for order in state["orders"]] == ["FAILED", "CONFIRMED"]
        kinds = [entry["kind"] for entry in state["entries"]]
        assert kinds == ["transfer", "buy", "fee", "void", "buy", "fee", "tokens", "payout"]


async def test_makers_quote_every_market_before_the_simulator_says_ready() -> None:
    options = Options(seed=7, pairs=3, floor=Floor(makers=True))
    async with running(options) as simulator:
        for pair in simulator.world.pairs.values():
            for venue in ("polymarket", "kalshi"):
                book = simulator.world.books[venue, pair.id]
                assert book.best("bid") is not None
                assert book.best("ask") is not None
