"""A whole system, as `lockstep run` starts it, for tests of the command: it trades only the edges
that a test opens. `python -m tests.support.stack FOLDER` works until it is ended.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import fastjsonschema
import httpx

from app.config_sources import load_config
from app.demo.main import ENVIRONMENT
from app.run import RunOptions, end_on_sigterm, running, stop_event
from tests.support.processes import python_module

LOCKSTEP = Path(sys.executable).with_name("lockstep")
PAIRS = 60
CAPTURES = "captures"
"""Where the executor writes down the order books that it reads, within its folder."""
SECONDS = 60
SETTLING = {"settle_mined_ms": 20, "settle_confirmed_ms": 20}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """Its data, where it was asked for JSON."""
        found: Json = json.loads(self.out)
        return found


class StackUnderTest:
    """A running system and the command on its data directory."""

    def __init__(self, folder: Path, ready: Mapping[str, Any]) -> None:
        self.folder = folder
        self.ready = ready
        self._pairs = count(1)
        self._control = httpx.Client(base_url=ready["control"], trust_env=False, timeout=20)
        self._api = httpx.Client(base_url=ready["urls"]["api"], trust_env=False, timeout=20)
        self.trading = False
        self._schemas: dict[str, Callable[[Json], object]] = {}

    def run(self, *arguments: str, typed: str | None = None, **env: str) -> Ran:
        """Run `lockstep` with these arguments, without a terminal."""
        return run_lockstep(*arguments, folder=self.folder, typed=typed, **env)

    def ok(self, *arguments: str, **env: str) -> Ran:
        """As `run`; it must end with 0."""
        done = self.run(*arguments, **env)
        assert done.code == 0, f"lockstep {' '.join(arguments)}: {done}"
        return done

    def published(self, schema: str, *arguments: str) -> Json:
        """The JSON of a command that ended with 0, held against its published schema."""
        told = self.ok(*arguments, "--json").json
        self.keeps(schema, told)
        return told

    def keeps(self, schema: str, told: Json) -> None:
        """The data keep to the schema that `lockstep schema` prints."""
        if schema not in self._schemas:
            self._schemas[schema] = fastjsonschema.compile(self.ok("schema", schema).json)
        self._schemas[schema](told)
        assert told["schema_version"] == 1

    def close(self) -> None:
        """Let go of the connections."""
        self._control.close()
        self._api.close()

    def pair(self) -> str:
        """A market that no other test trades."""
        return f"p{next(self._pairs):02d}"

    def edge(self, pair: str, cents: int = 8) -> None:
        """Quote so that both legs together cost this much less than a dollar."""
        ask, kalshi = 50, 50 + cents
        self.books(pair, (ask - 2, ask), (kalshi, kalshi + 2))

    def books(self, pair: str, polymarket: tuple[int, int], kalshi: tuple[int, int]) -> None:
        """Replace both books: bid and ask of YES in cents, a hundred contracts each."""
        sides = {
            venue: {
                "yes_bids": [[f"{bid / 100:.2f}", "100"]],
                "yes_asks": [[f"{ask / 100:.2f}", "100"]],
            }
            for venue, (bid, ask) in (("polymarket", polymarket), ("kalshi", kalshi))
        }
        self.tell("/books", {"pair": pair, **sides})

    def tell(self, path: str, body: Json) -> None:
        """Speak to the simulated exchanges."""
        reply = self._control.post(path, json=body)
        assert reply.status_code == httpx.codes.OK, reply.text

    def fault(self, venue: str, pair: str, action: str, do: str, times: int = 1) -> None:
        """Script what happens to the next such orders."""
        rule = {"venue": venue, "market": pair, "action": action, "do": do, "times": times}
        self.tell("/faults", {"rules": [{**rule, "probability": "1", "params": {}}]})

    def let_trade(self) -> None:
        """Enable entries with limits that no test reaches; once."""
        if self.trading:
            return
        self.tell("/knobs", {"venue": "polymarket", "knobs": SETTLING})
        self.ok(
            "settings", "set", "max_bet=20", "max_daily_trades=10000", "max_daily_loss=10000",
            "--yes",
        )  # fmt: skip
        self.ok("resume", "--yes")
        self.trading = True

    def open(self, cents: int = 8) -> Json:
        """Open an edge on a fresh pair, have it taken, close the edge; the held position."""
        self.let_trade()
        pair = self.pair()
        self.edge(pair, cents)
        held: Json = self.until(lambda: self.position_of(pair, "HOLDING"), f"{pair} to be held")
        self.edge(pair, -2)
        return held

    def stuck(self) -> Json:
        """An arbitrage that needs a person: one leg filled, and nobody buys it back."""
        self.let_trade()
        pair = self.pair()
        self.fault("kalshi", pair, "buy", "kill", times=0)
        self.fault("polymarket", pair, "sell", "kill", times=0)
        self.edge(pair)
        stuck: Json = self.until(
            lambda: self.position_of(pair, "NEEDS_OPERATOR"), f"{pair} to need a person"
        )
        self.edge(pair, -2)
        return stuck

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nothing begins within the block and nothing moves: two readings say the same. What other
        tests left for a person is tried again, not when it would by itself."""
        self.ok("pause")
        try:
            for one in self._open():
                if one["phase"] == "NEEDS_OPERATOR":
                    self.run("retry", one["id"], "--yes")
            self.until(self._still, "what is open to come to rest")
            yield
        finally:
            self.ok("resume", "--yes")

    def _still(self) -> bool:
        return all(
            one["phase"] == "HOLDING" and not moves(one["legs"].values()) for one in self._open()
        )

    def _open(self) -> list[Json]:
        """What is open. Raises where the API does not answer."""
        reply = self._api.get("/api/v1/positions")
        assert reply.status_code == httpx.codes.OK, reply.text
        found: list[Json] = reply.json()["items"]
        return found

    def mend(self) -> None:
        """Forget every scripted failure."""
        assert self._control.delete("/faults").status_code == httpx.codes.OK

    def position_of(self, pair: str, *phases: str, moving: bool = False) -> Json | None:
        """The open position of a pair in one of these phases; both legs final, unless it may be
        moving."""
        reply = self._api.get("/api/v1/positions")
        for one in reply.json()["items"] if reply.status_code == httpx.codes.OK else ():
            still = moving or not moves(one["legs"].values())
            if one["event_key"] == pair and one["phase"] in phases and still:
                found: Json = one
                return found
        return None

    def told(self, arb_id: str) -> Json:
        """What the API says of it: without starting a process, for who asks often."""
        reply = self._api.get(f"/api/v1/arbitrages/{arb_id}")
        assert reply.status_code == httpx.codes.OK, reply.text
        found: Json = reply.json()
        return found

    def scrape(self) -> str:
        """What Prometheus would read."""
        reply = self._api.get("/metrics")
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.text

    def shown(self, arb_id: str) -> Json:
        """What `show` says of it."""
        return self.ok("show", arb_id, "--json").json

    def orders(self, arb_id: str) -> list[str]:
        """Every order the journal names for it."""
        return [one["intent_id"] for one in self.shown(arb_id)["orders"]]

    @staticmethod
    def until(found: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """The first answer that is not nothing."""
        deadline = time.monotonic() + seconds
        while True:
            answer = found()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.2)


def moves(legs: Iterable[Json]) -> bool:
    """Whether a venue may still say more of one of the legs."""
    return any(leg["state"] in ("matched", "unknown") for leg in legs)


def run_lockstep(*arguments: str, folder: Path, typed: str | None = None, **env: str) -> Ran:
    """Run the installed command in a folder that is also its data directory."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKSTEP_", "TEMPORAL"))}
    done = subprocess.run(
        [LOCKSTEP, *arguments],
        cwd=folder,
        env={**clean, "LOCKSTEP_DATA_DIR": str(folder), "COLUMNS": "200", **env},
        input=typed,
        stdin=subprocess.DEVNULL if typed is None else None,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def running_stack(folder: Path) -> Iterator[StackUnderTest]:
    """The system in a process of its own, ended with the block."""
    with python_module("tests.support.stack", str(folder), ready_seconds=90) as child:
        stack = StackUnderTest(folder, child.ready)
        try:
            yield stack
        finally:
            stack.close()


async def _run(folder: Path) -> None:
    end_on_sigterm()
    config = load_config({"data_dir": str(folder)}, env={}, folder=folder).config
    environment = {
        **ENVIRONMENT,
        "LOCKSTEP_TRADE__UNWIND_ATTEMPTS": "2",
        "LOCKSTEP_CAPTURE__FOLDER": str(folder / CAPTURES),
    }
    options = RunOptions(environment=environment, makers=False, pairs=PAIRS)
    async with running(config, options) as stack:
        stop = stop_event()
        line = {**stack.ready_line(), "control": stack.control_url, "temporal": stack.temporal}
        print(json.dumps(line), flush=True)  # noqa: T201 - what the parent waits for
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
