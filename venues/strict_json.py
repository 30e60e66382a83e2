"""Venue JSON, read exactly or not at all: Decimal numbers, no NaN, no repeated keys, no surprises.

`parse` gives the root `Node`; its readers raise `Malformed` with the path of the field at fault.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn, TypeVar

from domain.money import NotMoney, Price, Size, Usd, exact, price, size, usd

Value = TypeVar("Value")

BYTES_MAX = 8 << 20
DEPTH_MAX = 32
DIGITS_MAX = 40
SHOWN = 80
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MOMENT_MS_MAX = 10**14
"""The year 5138: no moment is later, and what is larger would not fit into the journal."""
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class Malformed(Exception):
    """A payload is not what the venue documents. `field` is a path like `orders[0].price`."""

    def __init__(self, field: str, expected: str, found: str) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
        self.field, self.expected, self.found = field, expected, found


def parse(payload: bytes | str, *, root: str = "body") -> "Node":
    """The payload's root; Malformed where it is no JSON, too large, too deep or ambiguous."""
    if len(payload) > BYTES_MAX:
        raise Malformed(root, f"at most {BYTES_MAX} bytes", f"{len(payload)}")
    try:
        text = payload.decode() if isinstance(payload, bytes) else payload
    except UnicodeDecodeError as problem:
        raise Malformed(root, "UTF-8", f"{problem.reason} at byte {problem.start}") from None
    _check_depth(text, root)
    try:
        value = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except _Refused as refused:
        raise Malformed(root, refused.expected, refused.found) from None
    except ValueError as problem:
        raise Malformed(root, "JSON", f"{shown(text)} ({problem})") from None
    return Node(root, value)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands in its payload."""

    path: str
    value: object

    def at(self, key: str) -> "Node":
        """The member `key` of an object."""
        members = self._members()
        if key not in members:
            raise Malformed(f"{self.path}.{key}", "a value", "nothing")
        return Node(f"{self.path}.{key}", members[key])

    def get(self, key: str) -> "Node | None":
        """The member `key` of an object; None where it is absent or null."""
        value = self._members().get(key)
        return None if value is None else Node(f"{self.path}.{key}", value)

    def items(self) -> Iterator["Node"]:
        """The elements of an array."""
        if not isinstance(self.value, list):
            self.refuse("an array")
        return (Node(f"{self.path}[{n}]", item) for n, item in enumerate(self.value))

    def keys(self) -> tuple[str, ...]:
        """The member names of an object."""
        return tuple(self._members())

    def pair(self) -> tuple["Node", "Node"]:
        """The elements of an array of two."""
        elements = tuple(self.items())
        if len(elements) != 2:
            self.refuse("an array of two")
        return elements[0], elements[1]

    def text(self) -> str:
        """A string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            self.refuse("a string that is not empty")
        return self.value

    def any_text(self) -> str:
        """A string, perhaps an empty one."""
        if not isinstance(self.value, str):
            self.refuse("a string")
        return self.value

    def one_of(self, *allowed: str) -> str:
        """One of these strings."""
        if not isinstance(self.value, str) or self.value not in allowed:
            self.refuse(" or ".join(allowed))
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def integer(self) -> int:
        """A JSON integer."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.refuse("an integer")
        return self.value

    def milliseconds(self) -> int:
        """A moment as a JSON integer of wall-clock milliseconds."""
        found = self.integer()
        if not 0 <= found <= MOMENT_MS_MAX:
            self.refuse("milliseconds since 1970")
        return found

    def decimal(self) -> Decimal:
        """A decimal number, as a string or as a JSON number."""
        return self._money(exact)

    def price(self) -> Price:
        """Dollars per contract, strictly between 0 and 1."""
        return self._money(price)

    def size(self) -> Size:
        """Contracts, zero or more."""
        return self._money(size)

    def usd(self) -> Usd:
        """Dollars, of either sign."""
        return self._money(usd)

    def time_ms(self) -> int:
        """Wall-clock milliseconds of an ISO time with its zone."""
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError:
            self.refuse("an ISO time")
        if moment.tzinfo is None:
            self.refuse("an ISO time with its zone")
        return (moment - EPOCH) // MILLISECOND

    def refuse(self, expected: str) -> NoReturn:
        """Raise Malformed for this value."""
        raise Malformed(self.path, expected, shown(self.value))

    def _members(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return self.value

    def _money(self, read: Callable[[str | int | Decimal], Value]) -> Value:
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | Decimal):
            self.refuse("a decimal number")
        try:
            return read(self.value)
        except NotMoney as problem:
            raise Malformed(self.path, *_split(problem)) from None


def shown(value: object) -> str:
    """A value for a message: one line of bounded length."""
    text = value if isinstance(value, str) else repr(value)
    text = ascii(text[:SHOWN])
    return text if len(text) <= SHOWN + 2 else f"{text[:SHOWN]}…"


class _Refused(Exception):
    """JSON that is legal and unacceptable."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected)
        self.expected, self.found = expected, found


def _check_depth(text: str, root: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _STRUCTURE.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
        if depth > DEPTH_MAX:
            raise Malformed(root, f"at most {DEPTH_MAX} levels", "more")


def _decimal(digits: str) -> Decimal:
    number = Decimal(digits) if len(digits) <= DIGITS_MAX else Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > DIGITS_MAX:
        raise _Refused(f"a number of at most {DIGITS_MAX} digits", shown(digits))
    return number


def _integer(digits: str) -> int:
    # An order or token id of 78 digits is legal; more is an attack on int().
    if len(digits) > 2 * DIGITS_MAX:
        raise _Refused(f"an integer of at most {2 * DIGITS_MAX} digits", shown(digits))
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise _Refused("a finite number", name)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused("every key once", f"{shown(twice)} again")
    return members


def _split(problem: NotMoney) -> tuple[str, str]:
    """The two halves of "expected X, found Y"."""
    expected, _, found = str(problem).removeprefix("expected ").partition(", found ")
    return expected, found.encode("ascii", "backslashreplace").decode()[:SHOWN]
