"""The taker fee: shares x rate x (price x (1 - price))^exponent, in whole 1e-5 dollars."""

from enum import StrEnum

from sim.units import ONE

GRID = 10
"""Fees are kept to 5 decimals: 10 micro-dollars."""


class Rounding(StrEnum):
    """The venue does not document the direction, so it can be chosen."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


def taker_fee(
    size: int, price: int, rate: int, exponent: int, rounding: Rounding = Rounding.FLOOR
) -> int:
    """Micro-dollars for `size` micro-shares at `price`; `rate` in millionths (0.05 = 50,000)."""
    if exponent < 0:
        raise ValueError(f"fee exponent: expected at least 0, found {exponent}")
    numerator, denominator = size * rate, ONE * GRID
    for _ in range(exponent):
        numerator *= price * (ONE - price)
        denominator *= ONE * ONE
    added = {
        Rounding.FLOOR: 0,
        Rounding.HALF_UP: denominator // 2,
        Rounding.CEIL: denominator - 1,
    }[rounding]
    return (numerator + added) // denominator * GRID
