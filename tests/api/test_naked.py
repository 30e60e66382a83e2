"""Since when a leg that nothing hedges is shown to be one."""

from dataclasses import replace

import pytest

from api.bids import NO_BIDS
from api.known import Known
from api.naked import naked
from api.wire import iso
from domain.leg import fold
from domain.order import Fill
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from tests.api.test_measured import with_fills
from tests.store.builders import NOW


def on(state: ArbitrageState, venue: Venue) -> list[Fill]:
    return [fill for fill in state.fills if fill.venue is venue]


def folded(state: ArbitrageState) -> ArbitrageState:
    """The same with both legs as its fills make them."""
    legs = {v.value: fold(v, state.opportunity.size, on(state, v)) for v in Venue}
    return replace(state, polymarket=legs["polymarket"], kalshi=legs["kalshi"])


# What was filled when, and since when the page says that a leg is exposed.
SINCE = """
    p100+10                     100
    p100+10 k140+4              100
    p100+10 k140+4 p300-2       100
    p100+10 k140+10 k300-10     300
    p100+12 k140+10             140
"""
ROWS = [line.rsplit(maxsplit=1) for line in SINCE.strip().splitlines()]


@pytest.mark.parametrize(("fills", "since"), ROWS, ids=[row[0].strip() for row in ROWS])
def test_a_leg_is_exposed_since_it_became_so_whatever_happens_then(
    admitted_one: ArbitrageState, fills: str, since: str
) -> None:
    state = folded(with_fills(admitted_one, fills.strip()))
    for phase, updated_ms in ((Phase.UNWINDING, 400), (Phase.NEEDS_OPERATOR, 90_000)):
        now = replace(state, phase=phase, updated_at_ms=NOW + updated_ms)
        leg = naked(Known(now, None, fresh=False, times={}, bids=NO_BIDS))
        assert leg is not None
        assert leg["since"] == iso(NOW + int(since))
