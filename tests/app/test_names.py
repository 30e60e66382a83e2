"""No two executors are one to the lease, and no journal is of two installations."""

from pathlib import Path

import pytest

from app.errors import ConfigError
from app.wiring import open_station
from tests.support.processes import Child
from tests.support.trading import sim_config


async def test_two_of_one_process_id_and_one_millisecond_do_not_share_the_lease(
    sim: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in two containers that are started at once: each counts its processes from 1."""
    config = await sim_config(sim.ready, tmp_path)
    monkeypatch.setattr("app.wiring.wall_ms", lambda: 1_800_000_000_000)
    monkeypatch.setattr("app.wiring.os.getpid", lambda: 7)
    async with open_station(config) as first, open_station(config) as second:
        assert (first.sender.holds, second.sender.holds) == (True, False)
        assert first.sender.name != second.sender.name
        assert {one.sender.name.split("-")[-1] for one in (first, second)} == {"7"}


async def test_a_journal_of_another_wallet_is_refused_at_the_start(
    sim: Child, tmp_path: Path
) -> None:
    """As where two installations were given one database: they would sell each other's legs."""
    config = await sim_config(sim.ready, tmp_path)
    funder = "0x" + "b" * 40
    other = config.model_copy(
        update={"polymarket": config.polymarket.model_copy(update={"funder": funder})}
    )
    async with open_station(config):
        with pytest.raises(ConfigError, match=rf"database: this journal is of .* {funder}\."):
            async with open_station(other):
                pass
