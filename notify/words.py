"""Amounts, names and lines as every message writes them: HTML, rounded against ourselves."""

import html
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

from domain.money import ZERO, ceil_to, floor_to, nearest_to
from domain.venue import Mode, Venue

BAR = "━" * 25
TITLE_MAX = 120
REASON_MAX = 200
TEXT_MAX = 3_900
"""Below Telegram's 4,096 characters, tags included."""
FINEST = Decimal("0.0001")
SIZE_STEP = Decimal("0.01")

NAMES = {Venue.POLYMARKET: "Poly", Venue.KALSHI: "Kalshi"}
UNITS = {Venue.POLYMARKET: "shares", Venue.KALSHI: "contracts"}
MODES = {Mode.SIM: "SIM", Mode.PAPER: "PAPER", Mode.LIVE: "LIVE 🔴"}
_SPORTS = (
    ("NBA", "🏀"), ("WNBA", "🏀"), ("NCAAMB", "🏀"), ("NFL", "🏈"), ("NCAAF", "🏈"),
    ("MLB", "⚾"), ("NHL", "🏒"), ("EPL", "⚽"), ("UCL", "⚽"), ("MLS", "⚽"), ("LALIGA", "⚽"),
    ("ATP", "🎾"), ("WTA", "🎾"), ("UFC", "🥊"), ("PGA", "⛳"), ("F1", "🏎"),
    ("BTC", "🪙"), ("ETH", "🪙"), ("FED", "🏦"), ("CPI", "🏦"), ("HIGH", "🌡"),
    ("PRES", "🗳"), ("SENATE", "🗳"), ("HOUSE", "🗳"), ("GOV", "🗳"),
)  # fmt: skip


def safe(text: object, most: int = REASON_MAX) -> str:
    """Somebody else's words inside our message: one line, no control or direction characters, no
    markup, not endless."""
    seen = "".join(
        " " if character.isspace() else character
        for character in str(text)
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
    ).strip()
    cut = seen if len(seen) <= most else seen[: most - 1] + "…"
    return html.escape(cut, quote=False)


def count(number: int, what: str) -> str:
    """So many of a thing: "1 open position", "2 open positions"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def rest(number: int, where: str) -> str | None:
    """The line under a list that was cut: how many more there are, and where to see them."""
    return f"…and {number} more: {where}" if number > 0 else None


def event(title: str, ticker: str) -> str:
    """The question, marked by its kind as far as Kalshi's ticker tells."""
    series = ticker.split("-")[0].upper().removeprefix("KX")
    mark = next((mark for start, mark in _SPORTS if series.startswith(start)), "🎯")
    return f"{mark} {safe(title, TITLE_MAX)}"


def gain(value: Decimal) -> str:
    """What we have, get or keep, rounded down to a hundredth of a cent."""
    return _dollars(floor_to(value, FINEST))


def cost(value: Decimal) -> str:
    """What we pay or lose, rounded up to a hundredth of a cent."""
    return _dollars(ceil_to(value, FINEST))


def signed(value: Decimal) -> str:
    """A result with its sign, rounded down."""
    return ("+" if value >= ZERO else "") + gain(value)


def pending(not_final: Decimal | None) -> str | None:
    """What of a sum of results is guaranteed and not earned yet; None where all of it is final."""
    return None if not_final is None else f"{signed(not_final)} of it guaranteed and not final"


def result(total: Decimal, not_final: Decimal | None) -> str:
    """A sum of results, and what of it is not final (None: nothing)."""
    return ", ".join(filter(None, (signed(total), pending(not_final))))


def price(value: Decimal) -> str:
    """Dollars per contract to the nearest hundredth of a cent: a quotient, never paid."""
    return _dollars(nearest_to(value, FINEST))


def size(value: Decimal) -> str:
    """Contracts, rounded down to hundredths."""
    return _plain(floor_to(value, SIZE_STEP))


def percent(value: Decimal) -> str:
    """Percent with one decimal, rounded down."""
    return f"{_plain(floor_to(value, Decimal('0.1')), 1)}%"


def clock(at_ms: int, now_ms: int) -> str:
    """The time of day in UTC, with its date where that is not today's."""
    at, now = (datetime.fromtimestamp(one // 1000, UTC) for one in (at_ms, now_ms))
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S} UTC"


def span(milliseconds: int) -> str:
    """A duration in its two largest units."""
    seconds = max(milliseconds, 0) // 1000
    for unit, name, below, lower in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= unit:
            rest = seconds % unit // below
            return f"{seconds // unit} {name}" + (f" {rest} {lower}" if rest else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def lines(*parts: str | None) -> str:
    """The lines that there are, cut before Telegram would refuse them."""
    text = "\n".join(part for part in parts if part is not None)
    if len(text) <= TEXT_MAX:
        return text
    kept = text[:TEXT_MAX].rsplit("\n", 1)[0]
    return f"{kept}\n…"


def _dollars(value: Decimal) -> str:
    return f"{'-' if value < ZERO else ''}${_plain(abs(value), 2)}"


def _plain(value: Decimal, least: int = 0) -> str:
    """Decimal digits without needless zeros, but `least` of them after the point."""
    whole, _, rest = f"{value:f}".partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    return f"{whole}.{rest}" if rest else whole
