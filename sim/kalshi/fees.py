"""Fees: the model fee per fill, the balance grid, and the per-order accumulator of roundings.

Rules: kalshi.com's fee rounding page of autumn 2026 (trade fee up to $0.000001, balance change
down to the member's grid, roundings given back in grid steps within one order).
"""

from dataclasses import dataclass
from typing import Final

from sim.units import ONE, ceil_div, micros

DIRECT_GRID: Final = 100
BROKER_GRID: Final = 10_000
# hundredths of the model rate 0.07 * C * P * (1 - P) that a maker pays
_MAKER_SHARE: Final = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 25,
    "quadratic_with_combo_maker_fees": 50,
}


def trade_fee(fee_type: str, multiplier: str, price: int, size: int, *, is_taker: bool) -> int:
    """The model fee of one fill in micro-dollars, rounded up; KeyError for an unknown type."""
    share = 100 if is_taker else _MAKER_SHARE[fee_type]
    product = micros(multiplier) * 7 * share * size * price * (ONE - price)
    return ceil_div(product, 100 * 100 * ONE**3)


@dataclass(slots=True)
class RoundingAccumulator:
    """What one order has paid in roundings and not yet got back, in micro-dollars."""

    grid: int = DIRECT_GRID
    held: int = 0

    def charge(self, revenue: int, fee: int) -> int:
        """The fee really charged for a fill with this cash `revenue` (signed) and model `fee`.

        The balance change `revenue` - charged lies on the grid; charged is never negative.
        """
        change = revenue - fee
        floored = change // self.grid * self.grid
        rounding = change - floored
        self.held += rounding
        rebate = min(self.held, fee + rounding) // self.grid * self.grid
        self.held -= rebate
        return fee + rounding - rebate
