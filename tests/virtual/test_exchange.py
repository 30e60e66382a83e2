"""The modelled Polymarket spends an order's dollars to the last, or kills it, as the venue does."""

from dataclasses import replace

import pytest

from domain.money import price, size
from domain.order import Order, Purpose
from domain.venue import Action, Outcome, TimeInForce, Venue
from tests.domain.build import an_instrument
from tests.domain.tables import rows
from tests.virtual.exchange import GOOD, ONE, Exchange, Quote
from tests.virtual.loop import VirtualLoop

# Asks of 0.40, ten deep; `better` is by how many cents the order finds them lower.
TABLE = """
    venue       size    limit   better  verdict
    polymarket  10      0.40    0       filled
    polymarket  10      0.42    0       killed
    polymarket  9       0.42    0       filled
    polymarket  10      0.40    1       killed
    polymarket  9       0.40    1       filled
    polymarket  10.01   0.40    0       killed
    kalshi      10      0.42    0       filled
    kalshi      10.01   0.42    0       killed
"""


@pytest.mark.parametrize(("venue", "wanted", "limit", "better", "verdict"), rows(TABLE))
def test_a_purchase_of_a_thin_book_is_the_row_of_the_table(
    venue: str, wanted: str, limit: str, better: str, verdict: str
) -> None:
    rule = an_instrument(Venue(venue), Outcome.YES)
    quote = Quote(ask=40 * ONE // 100, bid=ONE // 10, depth=10 * ONE)
    loop = VirtualLoop()  # type: ignore[abstract]
    exchange = Exchange(loop, rule.venue, Outcome.YES, quote, 0, lambda _: None)
    order = Order(
        "i", "a", rule, Purpose.ENTRY, Action.BUY, size(wanted), price(limit), TimeInForce.FOK,
        reduce_only=False, created_at_ms=0, not_after_ms=1,
    )  # fmt: skip
    placed = exchange.arrive(order, replace(GOOD, better=int(better)))
    assert placed.verdict == verdict
    spent = -exchange.cash if verdict == "filled" else 0
    whole = int(order.size * order.limit * ONE) if rule.venue is Venue.POLYMARKET else 4 * ONE
    assert spent >= (whole if verdict == "filled" else 0)
