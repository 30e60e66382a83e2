"""A machine without room for the journal, or with a clock of its own, lets no entry leave."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from activities.desk import Desk
from app.config_sources import load_config
from app.demo.control import Control
from app.fitness import AHEAD_MS_MAX, MEGABYTE, SOUND_AFTER_MS, Fitness, problem
from app.links import wall_ms
from app.operating.machine import folders
from app.run import RunOptions, running
from domain.policy import Refusal
from store import clock
from store.journal import Journal
from tests.support.places import place, snapshot
from tests.support.waiting import until

MEND = "mend the time synchronisation of whichever is wrong, since leases are judged by the clock"
TABLE = f"""
free  skew    ahead  says
1000  none    none   -
999   none    none   999 MB are free for the journal, 1000 are needed
1000  0       none   -
1000  2000    none   -
1000  -2000   none   -
1000  2001    none   Kalshi's clock and ours are 2.0 s apart
1000  -3600   none   Kalshi's clock and ours are 3.6 s apart
10    5000    none   10 MB are free for the journal, 1000 are needed
1000  none    500    -
1000  none    -500   -
1000  none    501    our clock is 0.5 s ahead of that of the journal's server: {MEND}
1000  none    -1200  our clock is 1.2 s behind that of the journal's server: {MEND}
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
def test_what_makes_a_machine_unfit(line: str) -> None:
    free, *clocks, said = line.split(maxsplit=3)
    skew, ahead = (None if one == "none" else int(one) for one in clocks)
    found = problem(int(free), 1_000, skew, ahead)
    assert (found or "-") == said


async def test_the_alarm_is_closed_by_whoever_runs_there_next(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.sqlite3", wall_ms())
    desk = Desk(journal, {}, wall_ms, lambda: None, lambda: None)

    async def after(free_mb_min: int) -> tuple[bool, list[tuple[str, int, bool]]]:
        fitness = Fitness(desk, [tmp_path], free_mb_min)
        for _ in range(3):
            await fitness.look()
        rows = snapshot(tmp_path / "journal.sqlite3", "alarms")["alarms"]
        told = [(row["code"], row["repeats"], row["closed_ms"] is None) for row in rows]
        return fitness.unfit is None, told

    assert await after(1) == (True, [])
    assert await after(1_000_000_000) == (False, [("MACHINE_UNFIT", 0, True)])
    assert await after(1) == (True, [("MACHINE_UNFIT", 0, False)])
    gone = Fitness(desk, [tmp_path, tmp_path / "gone"], 1)
    await gone.look()
    assert str(gone.unfit).startswith(f"{tmp_path / 'gone'} cannot be looked at")
    journal.close()


async def test_a_clock_that_is_not_the_journal_servers_lets_nothing_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is on this machine, and has no clock of its own."""
    off_ms, where = 0, place(tmp_path / "journal.sqlite3")
    monkeypatch.setattr("app.fitness.wall_ms", lambda: wall_ms() + off_ms)
    journal = Journal.open(where, wall_ms())
    fitness = Fitness(Desk(journal, {}, wall_ms, lambda: None, lambda: None), [tmp_path], 1)
    said = []
    for wrong_ms in (0, AHEAD_MS_MAX - 100, AHEAD_MS_MAX + 700, -AHEAD_MS_MAX - 700, 0):
        off_ms = wrong_ms
        await fitness.look()
        said.append(fitness.unfit)
    assert [said[0], said[1], said[4]] == [None, None, None]
    ways = [one and one.split(" that of")[0].rpartition(" s ")[2] for one in said[2:4]]
    assert ways == ([None, None] if isinstance(where, Path) else ["ahead of", "behind"])
    journal.close()


async def test_an_answer_that_took_long_proves_no_wrong_clock(tmp_path: Path) -> None:
    """What an answer took may all have passed before the server looked, or after."""
    where, now_ms = place(tmp_path / "journal.sqlite3"), wall_ms()
    journal = Journal.open(where, now_ms)
    looks = iter((now_ms, now_ms + 3_000))
    ahead_ms = await journal.read(lambda s: clock.ahead_ms(s, lambda: next(looks)))
    assert ahead_ms == (None if isinstance(where, Path) else 0)
    journal.close()


async def test_a_disk_that_failed_is_believed_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = wall_ms()
    monkeypatch.setattr("app.fitness.wall_ms", lambda: now_ms)
    journal = Journal.open(tmp_path / "journal.sqlite3", wall_ms())
    desk = Desk(journal, {}, wall_ms, lambda: None, lambda: None)
    fitness = Fitness(desk, [tmp_path], 1)
    failed = "was not written: disk I/O error"
    fitness.journal_failed(failed)
    said = []
    for later_ms in (0, SOUND_AFTER_MS, 1):
        now_ms += later_ms
        await fitness.look()
        said.append(fitness.unfit)
    assert said == [failed, failed, None]
    (row,) = snapshot(tmp_path / "journal.sqlite3", "alarms")["alarms"]
    assert (row["code"], row["closed_ms"] is not None) == ("MACHINE_UNFIT", True)
    journal.close()


async def test_a_journal_on_a_disk_of_its_own_needs_room_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded = tmp_path / "crowded"
    crowded.mkdir()
    given = {"data_dir": str(tmp_path), "database.path": str(crowded / "journal.sqlite3")}
    config = load_config(given, env={}).config
    room = {tmp_path: 5_000, crowded: 999}
    monkeypatch.setattr(
        "shutil.disk_usage", lambda folder: SimpleNamespace(free=room[folder] * MEGABYTE)
    )
    journal = Journal.open(config.database_path, wall_ms())
    desk = Desk(journal, {}, wall_ms, lambda: None, lambda: None)
    fitness = Fitness(desk, config.folders, config.trade.disk_mb_min)
    checked = {one.name: one.state for one in folders(config)}
    assert checked == {"data folder": "ok", "journal folder": "bad"}
    said = []
    for data, own in ((5_000, 999), (999, 5_000), (5_000, 5_000)):
        room |= {tmp_path: data, crowded: own}
        await fitness.look()
        said.append(fitness.unfit)
    short = "999 MB are free for the journal, 1000 are needed"
    assert said == [short, short, None]
    journal.close()


@pytest.mark.slow
@pytest.mark.temporal
async def test_an_executor_enters_nothing_there(tmp_path: Path) -> None:
    config = load_config({"data_dir": str(tmp_path), "api.port": 0}, env={}).config

    def refused() -> bool:
        reports = snapshot(config.database_path, "executors")["executors"]
        return any(f'"{Refusal.MACHINE_UNFIT}"' in row["report"] for row in reports)

    crowded = {"LOCKSTEP_API__PORT": "0", "LOCKSTEP_TRADE__DISK_MB_MIN": "1000000000"}
    anchor = tmp_path / "journal-sim.anchor.json"
    async with running(config, RunOptions(environment=crowded, makers=False, pairs=2)) as stack:
        assert stack.control_url is not None
        async with Control(stack.control_url) as control:
            await control.edge("p01", 8)
            await until(refused, "nothing was refused")
            await until(anchor.exists, "nothing was kept of the journal")
    # New exchanges begin a new journal, which is no older copy of the last one.
    options = RunOptions(environment={"LOCKSTEP_API__PORT": "0"}, makers=False, pairs=2)
    async with running(config, options):
        assert snapshot(config.database_path, "alarms")["alarms"] == []
