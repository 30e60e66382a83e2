"""What an order says on the wire, as tables."""

import pytest

from domain.venue import TimeInForce
from tests.venues.kalshi.builders import CENTS, TAPERED, an_order
from venues.kalshi import orders

SIDES = """
    action outcome limit   grid     side price
    buy    yes     0.52    cents    bid  0.5200
    buy    no      0.45    cents    ask  0.5500
    sell   yes     0.52    cents    ask  0.5200
    sell   no      0.45    cents    bid  0.5500
    buy    yes     0.055   tapered  bid  0.0550
    buy    no      0.055   tapered  ask  0.9450
    buy    yes     0.525   cents    bid  0.5200
    buy    no      0.455   cents    ask  0.5500
    sell   yes     0.525   cents    ask  0.5300
    sell   no      0.455   cents    bid  0.5400
"""
GRIDS = {"cents": CENTS, "tapered": TAPERED}


@pytest.mark.parametrize("row", SIDES.strip().splitlines()[1:], ids=str.split)
def test_an_order_travels_in_yes_terms_and_never_gets_worse(row: str) -> None:
    action, outcome, limit, grid, side, price = row.split()
    body = orders.body(an_order(action, outcome, limit, bands=GRIDS[grid]), "id")
    assert (body["side"], body["price"]) == (side, price)


def test_prices_and_sizes_are_strings_and_the_shard_is_named() -> None:
    assert orders.body(an_order(size="2.5"), "abc") == {
        "ticker": "KXGAME-1",
        "client_order_id": "abc",
        "side": "bid",
        "count": "2.50",
        "price": "0.5200",
        "time_in_force": "fill_or_kill",
        "self_trade_prevention_type": "taker_at_cross",
        "exchange_index": 3,
    }


def test_reduce_only_is_said_only_where_it_is_wanted() -> None:
    order = an_order("sell", tif=TimeInForce.IOC, reduce_only=True)
    assert orders.body(order, "abc")["reduce_only"] is True
    assert orders.fault(order) is None


FAULTS = """
    size   limit  tif                  reduce  why
    10     0.52   fill_or_kill         no      -
    0.01   0.52   fill_or_kill         no      -
    0.005  0.52   fill_or_kill         no      size
    0      0.52   fill_or_kill         no      size
    1.005  0.52   fill_or_kill         no      size
    10     0.004  fill_or_kill         no      limit
    10     0.52   fill_or_kill         yes     immediate_or_cancel
"""


@pytest.mark.parametrize("row", FAULTS.strip().splitlines()[1:], ids=str.split)
def test_an_order_the_venue_must_refuse_is_not_sent(row: str) -> None:
    size, limit, tif, reduce, why = row.split()
    order = an_order(size=size, limit=limit, tif=TimeInForce(tif), reduce_only=reduce == "yes")
    fault = orders.fault(order)
    assert (why in fault) if fault else (why == "-")
