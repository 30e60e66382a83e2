"""Executors that are wrong on purpose: each is named by the line of the oracle it breaks."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from app.temporal import Server
from tests.oracle.checks import CHECKS
from tests.oracle.mutants.endings import ENDINGS
from tests.oracle.mutants.planted import MUTANTS
from tests.oracle.mutants.scenarios import SCENARIOS
from tests.support.processes import ROOT

AT_ONCE = 2
CHILD = (sys.executable, "-m", "tests.oracle.mutants.child")
CHILD_SECONDS = 180


async def judged(address: str, *scenarios: str, mutant: str = "") -> list[dict[str, Any]]:
    """What the judge says of one mutant, or of the true executor in these scenarios."""
    process = await asyncio.create_subprocess_exec(
        *CHILD, address, *scenarios, cwd=ROOT, env={**os.environ, "MUTANT": mutant},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), CHILD_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, f"{mutant or 'the true executor'}: {err.decode()[-2_000:]}"
    # Temporal's core warns on the same stream.
    return [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]


async def all_judged(address: str) -> dict[str, dict[str, Any]]:
    """Every mutant, a few at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> dict[str, Any]:
        async with places:
            return (await judged(address, mutant=name))[0]

    reports = await asyncio.gather(*(one(name) for name in MUTANTS))
    return {report["mutant"]: report for report in reports}


def test_there_are_enough_mutants_and_each_names_a_line_and_a_scenario() -> None:
    assert len(MUTANTS) >= 40
    assert {one.caught_by for one in MUTANTS.values()} <= set(CHECKS)
    assert {one.scenario for one in MUTANTS.values()} <= set(SCENARIOS)
    assert all(one.plant.__doc__ for one in MUTANTS.values())


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(300)
async def test_the_true_executor_breaks_nothing_in_any_scenario(temporal_server: Server) -> None:
    half = len(SCENARIOS) // 2
    names = list(SCENARIOS)
    both = await asyncio.gather(
        judged(temporal_server.address, *names[:half]),
        judged(temporal_server.address, *names[half:]),
    )
    played = [one for reports in both for one in reports]
    assert [one["scenario"] for one in played] == names
    in_vain = {one["scenario"]: one["given_up"] for one in played if one["given_up"]}
    assert not in_vain, f"waited for in vain: {in_vain}"
    assert {one["scenario"]: (one["orders"], one["ended"]) for one in played} == ENDINGS
    broken = [f"{one['scenario']}: {v[0]}: {v[1]}" for one in played for v in one["violations"]]
    assert not broken, "\n".join(broken)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(600)
async def test_every_mutant_is_caught_by_name(temporal_server: Server) -> None:
    reports = await all_judged(temporal_server.address)
    missed = [
        f"{name}: expected {one.caught_by}, found {reports[name]['checks'] or 'nothing'}"
        for name, one in MUTANTS.items()
        if one.caught_by not in reports[name]["checks"]
    ]
    assert not missed, "\n".join(missed)
