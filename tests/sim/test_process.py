"""The simulator as a process and its control server."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sim.main import Options, running
from tests.support.processes import run_sim

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def control() -> AsyncIterator[httpx.AsyncClient]:
    async with running(Options(seed=7, pairs=3)) as simulator:
        urls = simulator.ready["urls"]
        assert isinstance(urls, dict)
        async with httpx.AsyncClient(base_url=urls["control"]) as http:
            yield http


def test_the_process_says_where_everything_is_and_stops_on_request() -> None:
    with run_sim("--control-port", "0", "--seed", "9", "--pairs", "2") as child:
        ready = child.ready
        assert ready["ready"] is True
        assert ready["seed"] == 9
        assert set(ready["urls"]) >= {
            "polymarket", "polymarket_ws", "gamma", "data", "kalshi", "kalshi_ws", "control",
        }  # fmt: skip
        assert ready["urls"]["kalshi"].endswith("/trade-api/v2")
        keys = ready["keys"]
        assert keys["kalshi"]["private_key_pem"].startswith("-----BEGIN PRIVATE KEY-----")
        assert set(keys["kalshi"]["ed25519"]) == {"key_id", "private_key_pem"}
        assert set(keys["polymarket"]) >= {
            "private_key", "api_key", "secret", "passphrase", "address", "funder", "signature_type",
        }  # fmt: skip
        markets = httpx.get(ready["urls"]["control"] + "/markets").json()["pairs"]
        assert [pair["id"] for pair in markets] == ["p01", "p02"]
        # Asked later, and by the name that it has for the asker.
        assert httpx.get(ready["urls"]["control"] + "/ready").json() == ready
        address = ready["urls"]["control"].replace("127.0.0.1", "localhost")
        named = httpx.get(address + "/ready").json()["urls"]
        assert named["kalshi_ws"] == ready["urls"]["kalshi_ws"].replace("127.0.0.1", "localhost")
        child.process.terminate()
        assert child.process.wait(10) == 0


def test_a_port_in_use_is_one_line_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "sim.main", "--kalshi-port", port],
            cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "kalshi" in line
    assert port in line


@pytest.mark.parametrize("arguments", [["--kalshi-port", "99999"], ["--pairs", "0"], ["--what"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "sim.main", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert "usage: lockstep sim" in result.stderr


async def test_markets_name_a_pair_on_both_venues(control: httpx.AsyncClient) -> None:
    (pair, *_) = (await control.get("/markets")).json()["pairs"]
    assert pair["polymarket"]["condition_id"].startswith("0x")
    assert len(pair["polymarket"]["condition_id"]) == 66
    assert pair["polymarket"]["token_yes"].isdigit()
    assert pair["kalshi"]["ticker"].startswith("KX")


async def test_books_of_both_venues_are_set_and_shown(control: httpx.AsyncClient) -> None:
    quotes = {"yes_bids": [["0.45", "100"]], "yes_asks": [["0.47", "50"], ["0.48", "1"]]}
    body = {"pair": "p01", "polymarket": quotes, "kalshi": quotes}
    assert (await control.post("/books", json=body)).status_code == 200
    shown = (await control.get("/books")).json()["p01"]
    for venue in ("polymarket", "kalshi"):
        assert shown[venue]["yes_bids"] == [["0.450000", "100.000000"]]
        assert shown[venue]["yes_asks"][0] == ["0.470000", "50.000000"]


async def test_both_ledgers_start_conserved_and_empty(control: httpx.AsyncClient) -> None:
    state = (await control.get("/state")).json()
    for venue in ("polymarket", "kalshi"):
        ledger = state["venues"][venue]
        assert ledger["conserved"] is True
        assert ledger["orders"] == []
        assert ledger["cash"] == ledger["start_cash"]
    moved = (await control.post("/cash", json={"venue": "kalshi", "usd": "-12.5"})).json()
    assert moved["cash"] == "9987.500000"
    state = (await control.get("/state")).json()
    assert state["venues"]["kalshi"]["conserved"] is True
    assert state["venues"]["kalshi"]["entries"][0]["kind"] == "withdrawal"


WRONG = """
    path      body
    /books    {"pair": "p99"}
    /books    {"pair": "p01", "kalshi": {"yes_bids": [["0.45"]]}}
    /books    {"pair": "p01", "kalshi": {"yes_bids": [["0.45", "0.001"]]}}
    /books    {"pair": "p01", "kalshi": {"yes_bids": [[0.45, "1"]]}}
    /books    {"pair": "p01", "kalshi": {"yes_bids": [["0.5", "1"]], "yes_asks": [["0.5", "1"]]}}
    /faults   {"rules": [{"do": "explode"}]}
    /faults   {"rules": [{"do": "kill", "market": "p99"}]}
    /faults   {"rules": "kill"}
    /resolve  {"pair": "p01"}
    /resolve  {"pair": "p01", "kalshi": "half"}
    /cash     {"venue": "kalshi", "usd": 5}
    /cash     {"venue": "nyse", "usd": "5"}
    /venue    {"venue": "kalshi", "mode": "asleep"}
    /knobs    {"venue": "kalshi", "knobs": {"speed": 1}}
    /knobs    {"venue": "kalshi", "knobs": {"ack_ms": "2"}}
    /state    not JSON
"""


@pytest.mark.parametrize("row", WRONG.strip().splitlines()[1:], ids=str.strip)
async def test_wrong_control_input_is_explained(control: httpx.AsyncClient, row: str) -> None:
    path, body = row.strip().split(maxsplit=1)
    answer = await control.post(path, content=body)
    if path == "/state":
        assert answer.status_code == 405
        return
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_fault_rules_are_listed_with_counters_and_cleared(control: httpx.AsyncClient) -> None:
    rules = [{"venue": "kalshi", "market": "p01", "action": "sell", "do": "kill", "times": 2}]
    added = (await control.post("/faults", json={"rules": rules})).json()["rules"]
    assert added[0]["hits"] == 0
    assert len((await control.get("/faults")).json()["rules"]) == 1
    await control.delete("/faults")
    assert (await control.get("/faults")).json()["rules"] == []


async def test_the_journal_notes_every_request_with_its_arrival_and_status() -> None:
    async with running(Options(seed=7, pairs=1)) as simulator, httpx.AsyncClient() as http:
        urls = simulator.ready["urls"]
        assert isinstance(urls, dict)
        before = time.time_ns()
        await http.get(urls["kalshi"] + "/markets")
        await http.get(urls["kalshi"] + "/portfolio/balance")
        await http.get(urls["polymarket"] + "/ok")
        requests = (await http.get(urls["control"] + "/journal")).json()["requests"]
    assert [(one["venue"], one["path"], one["status"]) for one in requests] == [
        ("kalshi", "/trade-api/v2/markets", 200),
        ("kalshi", "/trade-api/v2/portfolio/balance", 401),
        ("polymarket", "/ok", 200),
    ]
    assert all(before < one["first_byte_ns"] < time.time_ns() for one in requests)


async def test_outcomes_may_differ_between_the_venues(control: httpx.AsyncClient) -> None:
    body = {"pair": "p01", "polymarket": "half", "kalshi": "no"}
    assert (await control.post("/resolve", json=body)).status_code == 200
    assert (await control.post("/resolve", json=body)).status_code == 400
    outcomes = (await control.get("/state")).json()["outcomes"]
    assert {(one["venue"], one["outcome"]) for one in outcomes} == {
        ("polymarket", "half"),
        ("kalshi", "no"),
    }
