"""A Parquet file from rows: one row group, plain encoding, no compression, standard library only.

An export of trades is small, and the libraries that write this format weigh forty megabytes and
more; the format itself is a page. Columns are optional text, exact decimals, integers, flags and
UTC times; every reader of Parquet reads them.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import groupby

from domain.money import to_micro

MAGIC = b"PAR1"
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_PLAIN, _RLE, _OPTIONAL, _UNCOMPRESSED = 0, 3, 1, 0
_DECIMAL_DIGITS, _DECIMAL_PLACES = 18, 6

Value = str | int | bool | Decimal | None


class Kind(Enum):
    """What a column holds: its physical type, and how that is to be read (None: as it is)."""

    TEXT = (6, 0)
    DECIMAL = (2, 5)
    WHOLE = (2, None)
    FLAG = (0, None)
    TIME = (2, 9)

    def __init__(self, physical: int, meaning: int | None) -> None:
        self.physical = physical
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Column:
    """One column. TIME values are wall-clock milliseconds, DECIMAL has at most six places."""

    name: str
    kind: Kind


def parquet(columns: Sequence[Column], rows: Sequence[Mapping[str, Value]]) -> bytes:
    """The whole file."""
    out = bytearray(MAGIC)
    chunks = []
    for column in columns:
        page = _page([row[column.name] for row in rows], column.kind)
        chunks.append(_chunk(column, len(rows), len(out), len(page)))
        out += page
    group = _struct(
        (1, _LIST, _list(_STRUCT, chunks)),
        (2, _I64, _int(len(out) - len(MAGIC))),
        (3, _I64, _int(len(rows))),
    )
    footer = _struct(
        (1, _I32, _int(1)),
        (2, _LIST, _list(_STRUCT, [_root(len(columns)), *map(_element, columns)])),
        (3, _I64, _int(len(rows))),
        (4, _LIST, _list(_STRUCT, [group])),
        (6, _BINARY, _text("lockstep")),
    )
    return bytes(out + footer + struct.pack("<I", len(footer)) + MAGIC)


def _page(values: list[Value], kind: Kind) -> bytes:
    """One data page with its header: which rows have a value, then the values."""
    levels = b"".join(
        _varint(len(list(run)) << 1) + bytes([present])
        for present, run in groupby(int(value is not None) for value in values)
    )
    present = [value for value in values if value is not None]
    body = struct.pack("<I", len(levels)) + levels + _plain(present, kind)
    header = _struct(
        (1, _I32, _int(0)),
        (2, _I32, _int(len(body))),
        (3, _I32, _int(len(body))),
        (
            5,
            _STRUCT,
            _struct(
                (1, _I32, _int(len(values))),
                (2, _I32, _int(_PLAIN)),
                (3, _I32, _int(_RLE)),
                (4, _I32, _int(_RLE)),
            ),
        ),
    )
    return header + body


def _plain(values: Sequence[Value], kind: Kind) -> bytes:
    match kind:
        case Kind.TEXT:
            texts = [str(value).encode() for value in values]
            return b"".join(struct.pack("<I", len(text)) + text for text in texts)
        case Kind.DECIMAL:
            micros = [to_micro(value) for value in values if isinstance(value, Decimal)]
            assert len(micros) == len(values), f"expected decimals, found {values!r}"
            return struct.pack(f"<{len(micros)}q", *micros)
        case Kind.FLAG:
            packed = bytearray((len(values) + 7) // 8)
            for place, value in enumerate(values):
                packed[place // 8] |= bool(value) << (place % 8)
            return bytes(packed)
        case Kind.WHOLE | Kind.TIME:
            return struct.pack(f"<{len(values)}q", *values)


def _chunk(column: Column, rows: int, offset: int, size: int) -> bytes:
    meta = _struct(
        (1, _I32, _int(column.kind.physical)),
        (2, _LIST, _list(_I32, [_int(_PLAIN), _int(_RLE)])),
        (3, _LIST, _list(_BINARY, [_text(column.name)])),
        (4, _I32, _int(_UNCOMPRESSED)),
        (5, _I64, _int(rows)),
        (6, _I64, _int(size)),
        (7, _I64, _int(size)),
        (9, _I64, _int(offset)),
    )
    return _struct((2, _I64, _int(offset)), (3, _STRUCT, meta))


def _root(columns: int) -> bytes:
    return _struct((4, _BINARY, _text("trades")), (5, _I32, _int(columns)))


def _element(column: Column) -> bytes:
    kind = column.kind
    fields = [
        (1, _I32, _int(kind.physical)),
        (3, _I32, _int(_OPTIONAL)),
        (4, _BINARY, _text(column.name)),
    ]
    if kind.meaning is not None:
        fields.append((6, _I32, _int(kind.meaning)))
    if kind is Kind.DECIMAL:
        fields += [(7, _I32, _int(_DECIMAL_PLACES)), (8, _I32, _int(_DECIMAL_DIGITS))]
    return _struct(*fields)


# Thrift's compact protocol, as far as the footer needs it.


def _struct(*fields: tuple[int, int, bytes]) -> bytes:
    out, before = bytearray(), 0
    for number, kind, value in fields:
        out.append((number - before) << 4 | kind)
        out += value
        before = number
    return bytes(out) + b"\0"


def _list(kind: int, items: Iterable[bytes]) -> bytes:
    made = list(items)
    short = len(made) < 15
    head = bytes([len(made) << 4 | kind]) if short else bytes([0xF0 | kind]) + _varint(len(made))
    return head + b"".join(made)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _varint(len(raw)) + raw


def _int(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
