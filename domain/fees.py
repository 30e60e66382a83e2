"""Taker fees of both venues: what a fill is charged, and the most an order can be charged.

Polymarket: size * rate * price * (1 - price), floored to five decimals (observed fill of
5 at 0.47 and 0.07: 0.08718); paid in dollars on top of a BUY, out of the proceeds of a SELL.
Kalshi: 0.07 * multiplier * size * price * (1 - price), raised to a micro-dollar per fill, then the
balance change is floored to the member's grid (fee rounding rules of autumn 2026).
"""

from dataclasses import dataclass
from decimal import Decimal

from domain.money import CENT, MICRO, ONE, ZERO, Price, Size, Usd, ceil_to, floor_to, on_grid

POLYMARKET_FEE_STEP = Decimal("0.00001")
KALSHI_RATE = Decimal("0.07")
OLDER_STEP = Decimal("0.0001")
# A better price than the best one shown buys more shares for the same dollars, and the fee follows
# the shares. The bound covers an improvement of ten cents; a larger one is reported, not hidden.
IMPROVEMENT_COVERED = Decimal("0.10")


@dataclass(frozen=True, slots=True)
class PolymarketFee:
    """A market's own taker rate (`fd.r`; 0 where trading is free) with exponent 1."""

    rate: Decimal

    def charge(self, size: Size, price: Price) -> Usd:
        """Dollars charged for one fill."""
        return Usd(floor_to(size * self.rate * price * (ONE - price), POLYMARKET_FEE_STEP))

    def bound_buy(self, dollars: Usd, best: Price) -> Usd:
        """The most a BUY that spends `dollars` is charged while `best` is the lowest ask shown.

        At price q the shares are dollars/q, so the fee is rate * dollars * (1 - q): it grows as
        the price improves.
        """
        lowest = max(best - IMPROVEMENT_COVERED, ZERO)
        return Usd(ceil_to(dollars * self.rate * (ONE - lowest), POLYMARKET_FEE_STEP))

    def bound_sell(self, size: Size, floor: Price) -> Usd:
        """The most a SELL of `size` at `floor` or better is charged."""
        return Usd(ceil_to(size * self.rate * _widest(floor), POLYMARKET_FEE_STEP))


@dataclass(frozen=True, slots=True)
class KalshiFee:
    """A series' multiplier (or its event's override) and the member's balance grid in dollars."""

    multiplier: Decimal
    grid: Decimal = CENT

    def trade_fee(self, size: Size, price: Price) -> Usd:
        """The model fee of one fill before the balance is floored to the grid."""
        return Usd(ceil_to(self._raw(size, price), MICRO))

    def charge(self, size: Size, price: Price) -> Usd:
        """Dollars a single-fill BUY order is charged: trade fee plus what flooring takes."""
        outlay = size * price + self.trade_fee(size, price)
        return Usd(ceil_to(outlay, self.grid) - size * price)

    def bound_buy(self, size: Size, cap: Price) -> Usd:
        """The most a BUY of `size` at `cap` or better costs beyond size * cap, cut into fills of a
        contract or more. Smaller ones cost a member whose grid is a cent (an account with a broker)
        up to a cent each beyond this; one whose grid is finer loses next to nothing by them.

        Closer to one half the fee alone may be larger, but a better price lowers price plus fee
        together (its slope is above zero), so the cap is the worst case. The larger of the older
        and the newer rounding rule, plus the grid's loss on each of at most `size` fills (a whole
        step where the cap is finer than the grid: a rebate never makes a fill's fee negative),
        plus what the rebate accumulator may hold back.
        """
        return self._bound(self._raw(size, cap), size, cap)

    def bound_sell(self, size: Size, floor: Price) -> Usd:
        """The most a SELL of `size` at `floor` or better brings below size * floor."""
        return self._bound(KALSHI_RATE * self.multiplier * size * _widest(floor), size, floor)

    def _raw(self, size: Size, price: Price) -> Decimal:
        return KALSHI_RATE * self.multiplier * size * price * (ONE - price)

    def _bound(self, raw: Decimal, size: Size, limit: Price) -> Usd:
        per_fill = OLDER_STEP if on_grid(limit, self.grid) else self.grid
        accumulator = Decimal("0.0101") if self.grid < CENT else Decimal("0.02")
        return Usd(ceil_to(raw, OLDER_STEP) + ceil_to(size, ONE) * per_fill + accumulator)


Fee = PolymarketFee | KalshiFee


def _widest(floor: Price) -> Decimal:
    """The largest p(1-p) at or above `floor`: it peaks at one half."""
    worst = max(floor, Decimal("0.5"))
    return worst * (ONE - worst)
