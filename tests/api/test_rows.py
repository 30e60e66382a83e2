"""What a row says of an arbitrage that has not ended."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from api import rows
from api.bids import NO_BIDS
from api.known import Known
from api.wire import dumps
from domain.leg import fold
from domain.money import Usd
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from tests.api.test_measured import with_fills
from tests.domain.tables import rows as table
from tests.support.processes import ROOT

NUMBERS = ("price", "contracts")


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
    known = Known(replace(state, fills=tuple(paid)), None, fresh=False, times={}, bids=NO_BIDS)
    assert {leg["price"] for leg in rows.position(known)["legs"].values()} == {price}


def test_the_only_numbers_of_a_row_are_the_exceptions_that_the_api_documents(
    admitted_one: ArbitrageState,
) -> None:
    known = Known(held(admitted_one, "p100+10 k100+10"), None, fresh=False, times={}, bids=NO_BIDS)
    row = json.loads(dumps(rows.position(known)))
    numbers = {name for name, value in row.items() if type(value) in (int, float)}
    legs = [value for leg in row["legs"].values() for value in leg.values()]
    assert not any(type(value) in (int, float) for value in legs)
    documented = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (exception,) = re.findall(r"^- The exception .*$", documented, re.M)
    assert numbers == {f"{leg}_{what}" for leg in ("poly", "kalshi") for what in NUMBERS}
    assert {name for name in numbers if f"`{name}`" not in exception} == set()
