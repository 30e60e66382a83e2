"""What a close would bring by the bids seen last, and where nobody can say it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from api.bids import Bids
from api.known import Known
from api.sales import close_preview
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from tests.api.test_measured import with_fills
from tests.api.test_naked import folded
from tests.store.builders import admitted, ready

# What is held, the contracts bid at each venue (0.45 a contract), and what the preview says.
PREVIEWS = """
    fills            bids         result   loss_max  unpriced
    p100+10 k110+10  p10 k10      -0.346   0.346     -
    p100+10 k110+10  p10 k9       -        -         kalshi
    p100+10 k110+10  p4           -        -         polymarket kalshi
    p100+10          p10          -0.60    0.60      -
    p100+10          p10 k0       -0.60    0.60      -
    p100+10          k10          -        -         polymarket
"""
ROWS = [line.strip() for line in PREVIEWS.strip().splitlines()[1:]]


@pytest.fixture
async def admitted_one(tmp_path: Path) -> ArbitrageState:
    """An arbitrage of ten contracts that nothing was bought for."""
    journal = await ready(tmp_path / "journal.db")
    try:
        return await journal.arbitrage((await admitted(journal)).arb_id)
    finally:
        journal.close()


def cells(row: str) -> list[str]:
    return [part.strip() for part in row.strip().split("  ") if part.strip()]


@pytest.mark.parametrize("row", ROWS, ids=str.strip)
def test_a_figure_is_told_only_where_the_bids_hold_what_is_held(
    admitted_one: ArbitrageState, row: str
) -> None:
    fills, bids, result, loss_max, unpriced = cells(row)
    state = replace(folded(with_fills(admitted_one, fills)), phase=Phase.HOLDING)
    plan = state.opportunity
    offered = {
        plan.leg(venue).instrument.token: ((Decimal("0.45"), Decimal(bid[1:])),)
        for venue in Venue
        for bid in bids.split()
        if bid[0] == venue[0] and bid[1:] != "0"
    }
    seen = Bids(offered, dict.fromkeys(offered, 1))
    told = close_preview(Known(state, None, fresh=False, times={}, bids=seen))
    assert [told["result"] or "-", told["loss_max"] or "-"] == [result, loss_max]
    assert " ".join(told["unpriced"]) == unpriced.replace("-", "")
    assert told["why_not"] == "", "a missing bid is no refusal"
    named = " and ".join(told["unpriced"])
    said = f"The bids seen last at {named} do not hold the position" if named else ""
    assert told["unpriced_why"] == said
