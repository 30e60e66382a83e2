"""A start that came to nothing is tried again, though no price moves."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from app.config_sources import load_config
from app.demo.control import Control
from app.demo.main import ENVIRONMENT
from app.intake import Intake
from app.retries import FAILED_MS, REFUSED_MS, REFUSED_MS_MAX, Retries
from app.run import RunOptions, running
from app.temporal import Server
from domain.money import Usd, usd
from domain.policy import Bounds, Refusal, Timing
from domain.venue import Mode
from store.advice import DayLeft
from tests.store.builders import an_opportunity
from tests.support.places import snapshot
from tests.support.stack import SETTLING, run_lockstep
from tests.support.temporal import connect, unique
from tests.support.waiting import until

PAIR = "p1"


class TestPauses:
    def test_a_refused_pair_rests_twice_as_long_each_time_up_to_a_minute(self) -> None:
        now = [0]
        retries = Retries(lambda: now[0])
        pauses = []
        for _ in range(9):
            retries.started(PAIR, "arb-1")
            retries.judged({"arb-1": Refusal.TOO_LATE})
            began = now[0]
            while PAIR not in retries.due():
                assert retries.refusal(PAIR) is Refusal.TOO_LATE
                now[0] += REFUSED_MS
            assert retries.refusal(PAIR) is None
            assert not retries.due(), "each is named once"
            pauses.append(now[0] - began)
        assert pauses[:4] == [REFUSED_MS, 2 * REFUSED_MS, 4 * REFUSED_MS, 8 * REFUSED_MS]
        assert pauses[-2:] == [REFUSED_MS_MAX, REFUSED_MS_MAX]

    def test_what_was_admitted_is_forgotten_and_what_is_not_judged_waits(self) -> None:
        now = [0]
        retries = Retries(lambda: now[0])
        retries.started(PAIR, "arb-1")
        retries.judged({})
        assert retries.begun == {PAIR: "arb-1"}
        retries.judged({"arb-1": None})
        now[0] += REFUSED_MS_MAX
        assert (retries.begun, retries.due(), retries.refusal(PAIR)) == ({}, set(), None)

    def test_a_second_start_that_fails_beside_an_admitted_one_is_over_with_it(self) -> None:
        now = [0]
        retries = Retries(lambda: now[0])
        retries.started(PAIR, "arb-1")
        retries.failed(PAIR)
        retries.judged({"arb-1": None})
        now[0] += REFUSED_MS_MAX
        assert retries.due() == set()


def an_intake(client: Client) -> Intake:
    intake = Intake(client, "nobody", Mode.SIM, Bounds(), Timing())
    intake.advice.stopped = None
    return intake


async def refused_client(server: Server) -> Client:
    """A client whose every start is answered by an error: its namespace is not there."""
    return await Client.connect(
        server.address, namespace="nowhere", data_converter=pydantic_data_converter
    )


@pytest.mark.temporal
async def test_a_start_that_temporal_did_not_answer_is_tried_again_after_a_second(
    temporal_server: Server,
) -> None:
    intake, plan = an_intake(await refused_client(temporal_server)), an_opportunity()
    began = time.monotonic()
    await intake.take(plan)
    assert (intake.started, intake.lifted()) == (0, set())
    assert intake.refusal(plan) is None, "a price that moves is tried at once"
    await until(lambda: plan.pair_id in intake.lifted(), "it was never tried again")
    assert time.monotonic() - began >= FAILED_MS / 1_000
    assert not intake.lifted()


@pytest.mark.temporal
async def test_what_was_started_before_under_the_same_name_is_looked_at_again(
    temporal_server: Server,
) -> None:
    client = await connect(temporal_server)
    intake, plan = an_intake(client), an_opportunity(unique("again"))
    await intake.take(plan)
    intake.retries.judged({"arb-" + plan.key: Refusal.TOO_LATE})
    await asyncio.sleep(REFUSED_MS / 1_000)
    assert intake.lifted() == {plan.pair_id}
    await intake.take(plan)
    assert intake.started == 1
    await until(lambda: plan.pair_id in intake.lifted(), "it was never looked at again")
    await client.get_workflow_handle("arb-" + plan.key).terminate()


@pytest.mark.temporal
async def test_a_full_day_starts_nothing_and_what_it_held_back_is_tried_when_it_turns(
    temporal_server: Server,
) -> None:
    intake, plan = an_intake(await refused_client(temporal_server)), an_opportunity()
    worst = Bounds().loss_budget(plan.dearer_outlay)
    for left, reason in (
        (DayLeft(0, usd(5)), Refusal.DAILY_TRADES_REACHED),
        (DayLeft(5, Usd(worst - usd("0.000001"))), Refusal.DAILY_LOSS_REACHED),
    ):
        intake.advice.day = left
        await intake.take(plan)
        assert (intake.refused[reason], intake.lifted()) == (1, set())
        assert not intake.retries.begun
        intake.advice.day = DayLeft(1, worst)
        assert intake.lifted() == {plan.pair_id}
        assert intake.lifted() == set()


class System:
    """A whole system with simulated exchanges that nobody else moves."""

    def __init__(self, folder: Path, database: Path, control: Control) -> None:
        self.control = control
        self._folder, self._database = folder, database

    async def say(self, *arguments: str) -> None:
        done = await asyncio.to_thread(run_lockstep, *arguments, "--yes", folder=self._folder)
        assert done.code == 0, done

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        return snapshot(self._database, table)[table]

    def arbitrages(self) -> list[tuple[str, str | None]]:
        return [(row["pair_id"], row["reason"]) for row in self.rows("arbitrages")]

    def admitted(self, pair_id: str) -> bool:
        return any(
            row["pair_id"] == pair_id and row["phase"] != "REFUSED"
            for row in self.rows("arbitrages")
        )

    def balance_age_ms(self) -> int:
        """Of the older one of both balances."""
        read_ms = [row["as_of_ms"] for row in self.rows("venue_balances")]
        return time.time_ns() // 1_000_000 - min(read_ms, default=0)

    def compared(self) -> bool:
        """Whether entries may leave as far as the venues' own books go."""
        return any(row["clean_ms"] is not None for row in self.rows("reconciliation"))

    def sighting(self, pair_id: str) -> Mapping[str, Any]:
        """What the executor last wrote of the pair; empty before that."""
        for row in self.rows("sightings"):
            if row["pair_id"] == pair_id:
                return dict(json.loads(row["sighting"]))
        return {}

    def verdict(self, pair_id: str) -> str:
        """The code that the pair's card shows."""
        seen = self.sighting(pair_id)
        return str(seen["card"]["verdict"]["code"]) if seen else ""

    def knows_held(self, pair_id: str) -> bool:
        """Whether the executor's copy of the journal has the pair's trade, and the day's count with
        it: only of what is held it writes down what selling would bring."""
        return bool(self.sighting(pair_id).get("bids"))

    def refused(self, reason: Refusal) -> bool:
        """Whether the executor counted it."""
        return any(f'"{reason}"' in row["report"] for row in self.rows("executors"))


@contextlib.asynccontextmanager
async def system(folder: Path, **environment: str) -> AsyncIterator[System]:
    config = load_config({"data_dir": str(folder), "api.port": 0}, env={}).config
    options = RunOptions(
        environment={**ENVIRONMENT, "LOCKSTEP_API__PORT": "0", **environment},
        makers=False,
        pairs=3,
    )
    async with running(config, options) as stack:
        assert stack.control_url is not None
        async with Control(stack.control_url) as control:
            here = System(folder, config.database_path, control)
            await control.knobs("polymarket", **SETTLING)
            for pair in ("p01", "p02"):
                await control.quiet(pair)
            limits = ("max_bet=20", "max_daily_loss=10000", "max_daily_trades=1")
            await here.say("settings", "set", *limits)
            await here.say("resume")
            yield here


def both(*holds: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: all(one() for one in holds)


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(300)
async def test_a_full_day_leaves_no_workflow_and_its_end_needs_no_price_to_move(
    tmp_path: Path,
) -> None:
    async with system(tmp_path) as here:
        await here.control.edge("p01", 8)
        await until(lambda: here.admitted("p01"), "the first was not taken")
        await until(lambda: here.knows_held("p01"), "the executor did not hear of it")
        for cents in (6, 7, 8):
            await here.control.edge("p02", cents)
            await asyncio.sleep(0.3)
        full = Refusal.DAILY_TRADES_REACHED
        await until(
            both(lambda: here.refused(full), lambda: here.verdict("p02") == full),
            "neither the funnel nor the card says why",
        )
        assert here.arbitrages() == [("p01", None)]
        await here.say("settings", "set", "max_daily_trades=2")
        await until(lambda: here.admitted("p02"), "the second was not tried again")
        assert [pair for pair, _ in here.arbitrages()] == ["p01", "p02"]


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(300)
async def test_what_the_gate_refused_once_is_tried_again(tmp_path: Path) -> None:
    """Balances are read every two seconds and believed for four; Polymarket keeps its own back
    until the gate has refused."""
    async with system(tmp_path, LOCKSTEP_TRADE__BALANCE_AGE_MS="4000") as here:
        await until(here.compared, "the venues were not compared")
        await here.control.fault("polymarket", "*", "balance", "error_before", times=0)
        await until(lambda: here.balance_age_ms() > 4_000, "a balance is still read")
        await here.control.edge("p01", 8)
        await until(lambda: bool(here.arbitrages()), "nothing was begun")
        assert here.arbitrages()[0] == ("p01", Refusal.BALANCE_UNKNOWN)
        await here.control.clear_faults()
        await until(lambda: here.admitted("p01"), "it was not tried again")
        assert 2 <= len(here.arbitrages()) < 8, "each try leaves a row"
