"""Seeded arbitrages in virtual time keep every promise, and are the same each time."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.virtual.campaign import campaign, run_seed
from tests.virtual.golden import golden, today
from tests.virtual.script import script
from tests.virtual.sdk import SdkSaga
from tests.virtual.world import World

SEEDS = range(1, 401)


def test_no_seed_breaks_a_promise_and_every_ending_is_seen() -> None:
    heard: list[str] = []
    found = campaign(1, SEEDS, heard.append)
    assert found.violations == heard == []
    assert found.never() == []
    assert found.drift == 0


def test_a_venue_that_is_read_slowly_is_no_executor_that_died() -> None:
    """Each read takes longer than the server waits for a heartbeat; nobody dies."""
    sold = 0
    for seed in SEEDS[:150]:
        slow = replace(script(seed), read_ms=1_900, crashes=(), down_ms=0)
        outcome = World(slow).run()
        assert outcome.violation is None, seed
        assert outcome.final is not None, seed
        said = [line.said for line in outcome.final.story]
        assert not [one for one in said if "HEARTBEAT" in one], seed
        sold += any("sell of" in one for one in said)
    assert sold > 10


@pytest.mark.parametrize("seed", [3, 7, 16, 68, 100])
def test_a_seed_gives_the_same_trace_each_time(seed: int) -> None:
    first, again = run_seed(seed), run_seed(seed)
    assert first.trace == again.trace
    assert first.digest == again.digest
    assert len(first.trace) > 5


def test_the_golden_traces_are_those_of_today() -> None:
    """A changed step of the saga changes them: look at the traces, then run
    `python -m tests.virtual --write-golden`."""
    assert golden() == today()


def test_a_trace_does_not_depend_on_the_process_that_plays_it() -> None:
    """Another hash seed orders every set and dict of strings anew."""
    command = [sys.executable, "-m", "tests.virtual", "--seed", "7", "--runs", "1", "--trace"]
    traces = [
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("arbitrages in virtual time")[0]
        for hash_seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert "\n".join(run_seed(7).trace) in traces[0]


@pytest.mark.parametrize("seed", [410_953, 449_845])
def test_a_word_may_stop_a_timer_that_was_over_while_nobody_ran(seed: int) -> None:
    """Both waited for the worker; the word was told first, and the timer is not told at all."""
    found = run_seed(seed)
    assert "WORD " in "\n".join(found.trace)
    assert found.violation is None


@pytest.mark.parametrize("seed", range(1, 41))
def test_temporals_own_workflow_instance_takes_the_same_steps(seed: int) -> None:
    ours, theirs = World(script(seed)).run(), World(script(seed), new_saga=SdkSaga).run()
    assert ours.trace == theirs.trace
    assert ours.violation is None
