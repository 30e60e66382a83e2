"""Integer micro-units and the text they travel as; each rounding names its direction."""

import re
from datetime import UTC, datetime

ONE = 1_000_000
"""One dollar in micro-dollars, or one contract in micro-contracts."""

_DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,18}))?")


def micros(text: object) -> int:
    """Read a decimal string exactly; ValueError when it is no such string or finer than 1e-6."""
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected a decimal string such as '0.45', found {text!r}")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > 6:
        raise ValueError(f"expected at most 6 decimals, found {text!r}")
    value = int(whole) * ONE + int(fraction.ljust(6, "0"))
    return -value if sign else value


def decimal_text(value: int, places: int = 6) -> str:
    """Print micro-units with exactly `places` decimals; ValueError when digits would be lost."""
    unit = 10 ** (6 - places)
    if value % unit:
        raise ValueError(f"{value} micro-units do not fit into {places} decimals")
    scaled = abs(value) // unit
    sign = "-" if value < 0 else ""
    if places == 0:
        return f"{sign}{scaled}"
    return f"{sign}{scaled // 10**places}.{scaled % 10**places:0{places}d}"


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide rounding up."""
    return -(-numerator // denominator)


def notional_floor(price: int, size: int) -> int:
    """price x size in micro-dollars, rounded down (what a seller receives)."""
    return price * size // ONE


def notional_ceil(price: int, size: int) -> int:
    """price x size in micro-dollars, rounded up (what a buyer pays)."""
    return ceil_div(price * size, ONE)


def iso_time(ts_ns: int) -> str:
    """Print nanoseconds since the epoch as an RFC 3339 time with microseconds."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
