"""What a row says of an arbitrage that has not ended."""

from dataclasses import replace
from decimal import Decimal

import pytest

from api import rows
from api.known import Known
from domain.leg import fold
from domain.money import Usd
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from tests.api.test_measured import with_fills
from tests.domain.tables import rows as table


def held(state: ArbitrageState, fills: str, phase: Phase = Phase.HOLDING) -> ArbitrageState:
    """The arbitrage after these fills (see with_fills)."""
    state = with_fills(state, fills)
    legs = {
        venue: fold(
            venue, state.opportunity.size, [fill for fill in state.fills if fill.venue is venue]
        )
        for venue in Venue
    }
    return replace(state, polymarket=legs[Venue.POLYMARKET], kalshi=legs[Venue.KALSHI], phase=phase)


# What ten contracts cost without fees, and the average price that the page shows as paid.
PAID = """
    notional  price
    5.10      0.51
    5.10011   0.5101
    5.109999  0.511
"""


@pytest.mark.parametrize(("notional", "price"), table(PAID))
def test_the_price_paid_is_never_shown_better_than_it_was(
    admitted_one: ArbitrageState, notional: str, price: str
) -> None:
    state = held(admitted_one, "p100+10 k100+10")
    paid = [replace(one, notional=Usd(Decimal(notional))) for one in state.fills]
    known = Known(replace(state, fills=tuple(paid)), None, fresh=False, times={}, bids={})
    assert {leg["price"] for leg in rows.position(known)["legs"].values()} == {price}
