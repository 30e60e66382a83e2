"""Books that hold just enough, or just too little: what is planned on them, the venue fills."""

import pytest

from app.demo.control import Quote
from domain.trade import Phase, TradeStatus
from tests.domain.tables import rows
from tests.support.books import assert_books_balance
from tests.support.trading import Trading

# Polymarket's asks, and what is planned and bought there beside 100 NO at 0.45 at Kalshi.
TABLE = """
    asks                    planned
    0.40x10                 10 at 0.40
    0.40x5 0.42x5           9 at 0.42
    0.40x10 0.42x10         19 at 0.42
    0.36x5 0.40x5 0.44x6    14 at 0.44
"""


@pytest.mark.parametrize(("asks", "expected"), rows(TABLE))
async def test_polymarket_fills_what_was_planned_on_a_book_that_binds(
    steady: Trading, pair: str, asks: str, expected: str
) -> None:
    (ask, depth), *above = [level.split("x") for level in asks.split(" ")]
    offered = Quote("0.30", ask, depth, tuple((at, contracts) for at, contracts in above))
    await steady.control.books(pair, offered, Quote("0.55", "0.60"))
    plan = await steady.opportunity(pair)
    assert f"{plan.size} at {plan.polymarket.limit:.2f}" == expected
    snapshot = await steady.until_at_rest(await steady.start(plan))
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    bought = snapshot.polymarket.state
    fee = bought.paid - plan.size * plan.polymarket.limit
    assert 0 <= fee <= plan.polymarket.fee_bound, "its dollars are spent to the last"
    assert bought.bought >= plan.size
    await assert_books_balance(steady)
