"""Where an arbitrage stands, told by workers of which one may have stood still meanwhile."""

from functools import partial
from pathlib import Path

import pytest

from activities.desk import report
from activities.record import write_down
from domain.standing import Standing
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store.arbitrages import ArbitrageState
from tests.domain.tables import rows
from tests.store.builders import NOW, admitted, ready

# Words in the order in which they reach the journal: run, length of its history, phase.
TOLD = """
    first                second               third                journal says
    one 10 RESOLVING     one 20 HOLDING       -                    HOLDING
    one 20 HOLDING       one 12 RESOLVING     -                    HOLDING
    one 20 HOLDING       one 12 UNWINDING     -                    HOLDING
    one 20 HOLDING       one 20 RESOLVING     -                    RESOLVING
    one 20 HOLDING       one 31 RESOLVING     -                    RESOLVING
    one 20 HOLDING       two 4 RESOLVING      -                    RESOLVING
    one 20 HOLDING       two 4 RESOLVING      two 9 HOLDING        HOLDING
    one 20 RESOLVING     one 12 RESOLVING     one 14 HOLDING       RESOLVING
"""


@pytest.mark.parametrize(("first", "second", "third", "says"), rows(TOLD))
async def test_a_worker_that_was_overtaken_says_nothing_any_more(
    tmp_path: Path, first: str, second: str, third: str, says: str
) -> None:
    journal = await ready(tmp_path / "journal.db")
    arb_id = (await admitted(journal)).arb_id
    for number, told in enumerate(one for one in (first, second, third) if one != "-"):
        standing = _standing(await journal.arbitrage(arb_id), *told.split())
        now_ms = NOW + 1_000 * (number + 1)
        await journal.write(now_ms, partial(write_down, standing=standing, now_ms=now_ms))
    assert (await journal.arbitrage(arb_id)).phase == says
    journal.close()


def _standing(state: ArbitrageState, run_id: str, history: str, phase: str) -> Standing:
    return Standing(
        arb_id=state.arb_id,
        revision=1,
        opportunity=state.opportunity,
        mode=Mode.SIM,
        phase=Phase(phase),
        status=TradeStatus.SUCCESS,
        polymarket=report(state, Venue.POLYMARKET),
        kalshi=report(state, Venue.KALSHI),
        locked=False,
        settled=True,
        profit=None,
        reason="as it was told",
        run_id=run_id,
        history=int(history),
    )
