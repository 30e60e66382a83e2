"""What the tests of an installation do with it."""

import time
from collections.abc import Callable
from typing import Any

from tests.deploy.installation import SECONDS, Installation, Process


def until(found: Callable[[], Any], what: str) -> Any:
    """The first answer that is not nothing."""
    deadline = time.monotonic() + SECONDS
    while not (answer := found()):
        assert time.monotonic() < deadline, f"waited {SECONDS} s for {what}"
        time.sleep(0.3)
    return answer


def done(installation: Installation, *jobs: str, times: int = 1) -> None:
    """Run these jobs; `up` does so every time."""
    for name in jobs:
        for _ in range(times):
            ran = installation.job(name)
            assert ran.code == 0, f"{name}: {ran.err}"


def trading(installation: Installation, times: int = 1) -> tuple[Process, Process, Process]:
    """Exchanges, an executor and the API, healthy, with entries allowed."""
    sim = installation.start("sim")
    installation.await_health(sim)
    done(installation, "temporal-namespace", "sim-settings", "journal", times=times)
    executor = installation.start("executor")
    installation.await_health(executor)
    api = installation.start("api")
    installation.await_health(api)
    for verb in (
        ("settings", "set", "max_bet=20", "max_daily_trades=10000", "max_daily_loss=10000"),
        ("resume",),
    ):
        ran = installation.lockstep("executor", *verb, "--yes")
        assert ran.code == 0, ran
    return sim, executor, api


def locked(installation: Installation) -> list[Any]:
    """What is held now, both legs filled."""
    ran = installation.lockstep("executor", "positions", "--json")
    assert ran.code == 0, ran
    return [one for one in ran.json["positions"] if one["phase"] == "HOLDING"]
