"""However many ask at once, from threads or from processes, the gate grants what fits: no more
and no less."""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from domain.funds import Funds
from domain.money import usd
from domain.venue import Mode, Venue
from store import balances, gate, trade_log
from store import settings as stored_settings
from store.gate import Granted
from store.journal import Journal
from tests.store.builders import NOW, a_request, an_act, an_opportunity
from tests.support.places import place

OPENER = Path(__file__).with_name("opener.py")


def prepared(path: Path, **limits: str) -> Journal:
    journal = Journal.open(place(path), NOW)
    values: dict[str, str | int | bool | Decimal] = {"enabled": True, **limits}
    journal.database.write_here(lambda s: stored_settings.save(s, values, 1, an_act()))
    journal.database.write_here(fund)
    return journal


def fund(session: Session) -> None:
    for venue in Venue:
        balances.record_balance(session, venue, Mode.SIM, Funds(usd("100000")), NOW)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cap_cents=st.integers(0, 600),
    worst_cents=st.integers(1, 150),
    trades_max=st.integers(0, 12),
    openers=st.integers(2, 4),
)
def test_threads_are_granted_exactly_what_fits(
    cap_cents: int, worst_cents: int, trades_max: int, openers: int
) -> None:
    asked = 12
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        loss = f"{cap_cents / 100:.2f}"
        journal = prepared(path, max_daily_loss=loss, max_daily_trades=str(trades_max))
        others = [Journal.open(place(path), NOW) for _ in range(openers - 1)]
        everyone = [journal, *others]

        def ask(number: int) -> bool:
            request = a_request(an_opportunity(f"k{number}"), worst_loss=f"{worst_cents / 100:.2f}")
            opener = everyone[number % openers].database
            return isinstance(opener.write_here(lambda s: gate.reserve(s, request)), Granted)

        with ThreadPoolExecutor(openers) as pool:
            granted = sum(pool.map(ask, range(asked)))

        fits = min(cap_cents // worst_cents, trades_max, asked)
        assert granted == fits
        day = journal.database.read_here(lambda s: trade_log.stats(s, Mode.SIM, "2026-09-21"))
        assert day.trades == fits
        assert day.at_risk == usd(str(fits * worst_cents)) / 100
        for one in everyone:
            one.close()


def test_two_processes_are_granted_exactly_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    prepared(path, max_daily_loss="7").close()
    command = [sys.executable, str(OPENER), str(path)]
    running = [
        subprocess.Popen([*command, name, "12"], stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    results = [json.loads(process.communicate(timeout=60)[0]) for process in running]

    assert [process.returncode for process in running] == [0, 0]
    verdicts = [verdict for result in results for verdict in result]
    assert verdicts.count("granted") == 7
    assert verdicts.count("daily_loss_reached") == 17


def test_two_processes_that_ask_for_the_same_pair_are_granted_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    prepared(path).close()
    command = [sys.executable, str(OPENER), str(path)]
    running = [
        subprocess.Popen([*command, name, "1", "same-pair"], stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    verdicts = [json.loads(process.communicate(timeout=60)[0])[0] for process in running]

    assert sorted(verdicts) == ["granted", "pair_already_open"]
