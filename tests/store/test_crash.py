"""kill -9 at any moment: each act is in the journal wholly or not at all, and what was
acknowledged stays."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from domain.order import Filled
from domain.trade import Phase, TradeStatus
from domain.venue import Mode
from store import arbitrages, gate, trade_log
from store.journal import Journal
from store.states import IntentState
from tests.store.builders import NOW, a_fill, a_request, admitted, ready
from tests.store.crasher import ACTS, facts
from tests.support.places import FILES, place

HERE = Path(__file__).parent
STEPS = ("reserve", "send", "answer", "lock", "conclude")

# One number per fact that the act writes. Each query has its value before the act and after it.
FACTS: dict[str, dict[str, tuple[object, object]]] = {
    "reserve": {
        "SELECT count(*) FROM arbitrages": (0, 1),
        "SELECT count(*) FROM reservations": (0, 1),
        "SELECT count(*) FROM intents": (0, 2),
        "SELECT count(*) FROM events": (0, 1),
        "SELECT coalesce(sum(trades), 0) FROM risk_days": (0, 1),
        "SELECT coalesce(sum(reserved_loss_micro), 0) FROM risk_days": (0, 1_000_000),
    },
    "send": {
        "SELECT state FROM intents WHERE venue = 'polymarket'": ("planned", "sent"),
        "SELECT sent_ms FROM intents WHERE venue = 'polymarket'": (None, NOW + 10),
    },
    "answer": {
        "SELECT state FROM intents WHERE venue = 'polymarket'": ("sent", "filled"),
        "SELECT count(*) FROM fills WHERE venue = 'polymarket'": (0, 1),
    },
    "lock": {
        "SELECT phase FROM arbitrages": ("PLACING", "HOLDING"),
        "SELECT state FROM reservations": ("held", "settled"),
        "SELECT reserved_loss_micro FROM risk_days": (1_000_000, 0),
        "SELECT count(*) FROM executor_trades": (0, 1),
        "SELECT count(*) FROM executor_positions": (0, 1),
        "SELECT count(*) FROM events": (1, 2),
        "SELECT count(*) FROM outbox WHERE topic <> 'settings_changed'": (0, 2),
    },
    "conclude": {
        "SELECT phase FROM arbitrages": ("SETTLING", "SETTLED"),
        "SELECT realised_micro FROM arbitrages": (None, -9_100_000),
        "SELECT realised_loss_micro FROM risk_days": (0, 9_100_000),
        "SELECT final FROM executor_trades": (0, 1),
        "SELECT status FROM executor_positions": ("open", "expired"),
    },
}


async def until(path: Path, act: str) -> None:
    """A journal in which everything before `act` has happened."""
    journal = await ready(path)
    done = STEPS[: STEPS.index(act)]
    if "reserve" in done:
        request = await admitted(journal)
        for order, _ in request.orders:
            if "send" in done or order.venue == "kalshi":
                await journal.mark_sent(order.intent_id, NOW + 10)
            if "answer" in done or order.venue == "kalshi":
                answer = Filled(f"order-{order.venue}", (a_fill(order),))
                if order.venue == "kalshi" or "answer" in done:
                    await journal.record_answer(order.intent_id, answer, NOW + 50)
        if "lock" in done:
            await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 60)
            await journal.set_phase(request.arb_id, Phase.SETTLING, NOW + 70)
    journal.close()


@pytest.mark.parametrize("act", STEPS)
def test_an_act_is_whole_or_absent_wherever_the_process_dies(tmp_path: Path, act: str) -> None:
    base = tmp_path / "base.db"
    asyncio.run(until(base, act))
    before = [value for value, _ in FACTS[act].values()]
    after = [value for _, value in FACTS[act].values()]
    queries = list(FACTS[act])
    assert facts(base, queries) == before

    command = [sys.executable, str(HERE / "crasher.py"), act, str(base), str(tmp_path)]
    command.append(json.dumps(queries))
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert finished.returncode == 0, finished.stderr
    *died, survived = json.loads(finished.stdout)

    assert len(died) > 3, "expected several statements to die at"
    assert died == [before] * len(died)
    assert survived == after
    if isinstance(place(base), Path):
        each_copy_goes_on(tmp_path, act, len(died))


def each_copy_goes_on(folder: Path, act: str, died: int) -> None:
    before = [value for value, _ in FACTS[act].values()]
    after = [value for _, value in FACTS[act].values()]
    queries = list(FACTS[act])
    for died_at in range(1, died + 1):
        path = folder / f"{died_at}.db"
        journal = Journal.open(path, NOW + 100)
        assert facts(path, queries) == before, f"killed before statement {died_at} of {act}"
        journal.database.write_here(ACTS[act])
        journal.close()
        assert facts(path, queries) == after


@FILES
async def test_a_gate_that_was_committed_before_the_kill_repeats_its_verdict(
    tmp_path: Path,
) -> None:
    path = tmp_path / "alive" / "journal.db"
    journal = await ready(path)
    first = await journal.reserve(a_request())
    shutil.copytree(path.parent, tmp_path / "killed")
    journal.close()

    reopened = Journal.open(tmp_path / "killed" / path.name, NOW + 1)
    assert await reopened.reserve(a_request(now_ms=NOW + 900)) == first
    reopened.close()


@pytest.mark.parametrize("acknowledged", [1, 3, 8])
def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "journal.db"
    asyncio.run(ready(path, cash="1000000", max_daily_trades="100000")).close()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "writer.py"), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    names = [process.stdout.readline().strip() for _ in range(acknowledged)]
    process.kill()
    names += process.stdout.read().split()
    process.wait(timeout=30)
    process.stdout.close()

    reopened = Journal.open(place(path), NOW)
    for name in names:
        state = reopened.database.read_here(partial(arbitrages.load, arb_id=name))
        assert [one.state for one in state.intents] == [IntentState.SENT] * 2
    day = partial(trade_log.stats, mode=Mode.SIM, day="2026-09-21")
    assert reopened.database.read_here(day).trades in (len(names), len(names) + 1)
    reopened.close()


def test_the_acts_are_those_that_the_crasher_knows() -> None:
    act: Callable[..., object] = ACTS["reserve"]
    assert getattr(act, "func", None) is gate.reserve
    assert tuple(ACTS) == STEPS == tuple(FACTS)
