"""Exact money: dollars, prices and sizes as Decimal, with every rounding named and directed.

At rest all three are integers of one millionth (micro-units): Polymarket settles six decimals and
Kalshi's finest price times its finest size is one micro-dollar, so one unit fits both venues.
"""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import NewType

Price = NewType("Price", Decimal)
Size = NewType("Size", Decimal)
Usd = NewType("Usd", Decimal)

MICRO = Decimal("0.000001")
CENT = Decimal("0.01")
_NEEDLESS = re.compile(r"(?<![\w.])(\d+)\.(\d*?)0+(?![\w.])")
ZERO = Decimal(0)
ONE = Decimal(1)
NO_USD = Usd(ZERO)
NO_SIZE = Size(ZERO)
LARGEST = Decimal(10**12)


class NotMoney(ValueError):
    """Text or a number that is no exact amount."""


def exact(value: str | int | Decimal) -> Decimal:
    """A finite Decimal from a string, an int or a Decimal; anything else raises NotMoney.

    Below LARGEST, so that no sum or rounding of such amounts loses a digit.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise NotMoney(f"expected a decimal string or an integer, found {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise NotMoney(f"expected a decimal number, found {value!r}") from None
    if not number.is_finite() or "_" in str(value):
        raise NotMoney(f"expected a finite number, found {value!r}")
    if abs(number) >= LARGEST:
        raise NotMoney(f"expected less than {LARGEST}, found {value!r}")
    return number


def price(value: str | int | Decimal) -> Price:
    """Dollars per contract, strictly between 0 and 1."""
    number = exact(value)
    if not ZERO < number < ONE:
        raise NotMoney(f"expected a price between 0 and 1, found {number}")
    return Price(number)


def size(value: str | int | Decimal) -> Size:
    """Contracts, zero or more."""
    number = exact(value)
    if number < ZERO:
        raise NotMoney(f"expected a size of zero or more, found {number}")
    return Size(number)


def usd(value: str | int | Decimal) -> Usd:
    """Dollars, of either sign."""
    return Usd(exact(value))


def to_micro(value: Decimal) -> int:
    """Integer micro-units of an amount that has no more than six decimals; else NotMoney."""
    scaled = value.scaleb(6)
    micro = int(scaled)
    if micro != scaled:
        raise NotMoney(f"expected at most six decimals, found {value}")
    return micro


def from_micro(micro: int) -> Decimal:
    """The amount that `micro` millionths are."""
    return Decimal(micro).scaleb(-6)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` closest to `value`: for quotients that are shown and never paid."""
    return (value / step).to_integral_value(ROUND_HALF_EVEN) * step


def cost_ceil(value: Decimal) -> Usd:
    """What we pay, rounded up to the micro-dollar."""
    return Usd(ceil_to(value, MICRO))


def proceeds_floor(value: Decimal) -> Usd:
    """What we receive, rounded down to the micro-dollar."""
    return Usd(floor_to(value, MICRO))


def size_floor(value: Decimal, step: Decimal) -> Size:
    """Contracts rounded down to the venue's step."""
    return Size(floor_to(value, step))


def on_grid(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole multiple of `step`."""
    return value % step == ZERO


def plain(value: Decimal) -> str:
    """An exact number without the zeros that say nothing."""
    return f"{value.normalize():f}"


def tidy(said: str) -> str:
    """Words of which each number is `plain`: "holds 20.000000" is "holds 20"."""
    return _NEEDLESS.sub(lambda found: found[1] + (f".{found[2]}" if found[2] else ""), said)


def show_usd(value: Decimal, places: int = 2) -> str:
    """Dollars for a reader, sign first, rounded down so that nothing looks better than it is."""
    quantum = Decimal(1).scaleb(-places)
    shown = floor_to(value, quantum).quantize(quantum)
    return f"{'-' if shown < ZERO else ''}${abs(shown)}"


def show_cost(value: Decimal) -> str:
    """Dollars that something costs, for a reader: rounded up to the cent, so that nothing looks
    cheaper than it is."""
    return f"${value.quantize(CENT, ROUND_CEILING)}"
