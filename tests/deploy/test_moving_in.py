"""From one machine to the containers, with an arbitrage held: nothing of it stays behind."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.temporal import Server
from tests.deploy.installation import Installation
from tests.deploy.play import done, until
from tests.deploy.test_deploy_page import BLOCKS, MOVING_IN, typed
from tests.support.stack import LOCKSTEP, Json, Ran, moves, run_lockstep
from tests.support.temporal import session_server

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.timeout(420)]
DATA = "DATA"
(THIRD,) = [text.split("\n") for kind, text in BLOCKS if not kind and "--from /old" in text]
LINES = [line.strip() for line in THIRD if line.strip()]
"""What the page says to type once PostgreSQL is up."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Temporal of the containers, which knows no workflow of the one machine's."""
    with session_server() as started:
        yield started


class Before:
    """An executor on one machine: its journal in a file, its Temporal another one."""

    def __init__(self, folder: Path, settings: Path, temporal: Server) -> None:
        self.folder = folder
        self.env = {
            "LOCKSTEP_CONFIG": str(settings),
            "LOCKSTEP_TEMPORAL__ADDRESS": temporal.address,
        }

    def run(self, line: str) -> Ran:
        """A command of the page."""
        program, *words = line.split()
        assert program == "lockstep"
        return run_lockstep(*words, folder=self.folder, **self.env)

    @contextmanager
    def trading(self) -> Iterator[None]:
        """With entries allowed, until the block ends; then stopped as by Ctrl-C."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LOCKSTEP_")}
        env = {**clean, **self.env, "LOCKSTEP_DATA_DIR": str(self.folder)}
        said = self.folder / "executor.log"
        with said.open("wb") as log:
            process = subprocess.Popen(
                [LOCKSTEP, "run", "executor"], env=env, stdout=log, stderr=log
            )
            try:
                wide = "max_bet=20 max_daily_trades=10000 max_daily_loss=10000"
                until(lambda: '"ready": true' in said.read_text(), "the executor to be ready")
                assert self.run(f"lockstep settings set {wide} --yes").code == 0
                assert self.run("lockstep resume --yes").code == 0
                yield
                process.terminate()
                assert process.wait(30) == 0
            finally:
                process.kill()
                process.wait()

    def held(self) -> list[Json]:
        """What is open, once all of it only waits to be paid and no leg waits for its venue."""
        found = self.run("lockstep positions --json")
        positions: list[Json] = found.json["positions"] if found.code == 0 else []
        at_rest = all(one["phase"] == "HOLDING" and not moves(one["legs"]) for one in positions)
        return positions if at_rest else []


def test_what_one_machine_holds_goes_on_in_the_containers(installation: Installation) -> None:
    made = installation
    old = made.folder / DATA
    old.mkdir()
    sim = made.start("sim")
    made.await_health(sim)
    done(made, "temporal-namespace", "sim-settings")
    with session_server() as temporal:
        before = Before(old, made.folder / "data" / "sim.toml", temporal)
        with before.trading():
            until(before.held, "an arbitrage to be locked")
            pause, copy, positions, up, move = MOVING_IN
            assert before.run(pause).code == 0
            assert before.run(copy).code == 0
            held = until(before.held, "everything to rest")
            assert before.run(positions).code == 0
    assert typed(made, up).code == 0
    assert LINES[0] == move
    until(lambda: typed(made, move.replace("-live", "-sim")).code == 0, "the journal to move")
    again = before.run("lockstep positions")
    assert "this journal was moved to" in again.err, again
    for line in LINES[1:]:
        ran = typed(made, line)
        assert ran.code == 0, (line, ran)

    def carried_on() -> bool:
        """Every one of them has a workflow, on the server that had none, and nothing is odd."""
        listed = made.within(
            "temporal",
            ["temporal", "workflow", "list", "--namespace", "lockstep"],
            TEMPORAL_ADDRESS=made.temporal,
        ).out
        alarms = made.lockstep("executor", "alarms", "list", "--json").json["alarms"]
        return all(one["id"] in listed for one in held) and not alarms

    until(carried_on, "a workflow for everything that is held")
    now = {
        one["id"]: one for one in made.lockstep("executor", "positions", "--json").json["positions"]
    }
    for one in held:
        assert now[one["id"]]["phase"] == "HOLDING"
        assert now[one["id"]]["legs"] == one["legs"]
