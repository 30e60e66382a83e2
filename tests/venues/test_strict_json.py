"""JSON that must not be believed, as a table."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.strict_json import Malformed, parse

HOSTILE = [
    (b"", "JSON"),
    (b"{", "JSON"),
    (b"nope", "JSON"),
    (b'{"a": NaN}', "finite"),
    (b'{"a": Infinity}', "finite"),
    (b'{"a": -Infinity}', "finite"),
    (b'{"a": 1e400}', "digits"),
    (b'{"a": 1e-400}', "digits"),
    (b'{"a": 0.' + b"1" * 100 + b"}", "digits"),
    (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    (b'{"a": 1, "a": 2}', "once"),
    (b'{"b": {"a": 1, "a": 1}}', "once"),
    (b"[" * 100_000, "levels"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "levels"),
    (b'{"a": "\xff"}', "UTF-8"),
    (b"[" + b"0," * (5 << 20) + b"0]", "bytes"),
    (b'{"a": 1} trailing', "JSON"),
]


@pytest.mark.parametrize(("payload", "expected"), HOSTILE, ids=[str(p[:20]) for p, _ in HOSTILE])
def test_it_is_refused_and_the_rule_named(payload: bytes, expected: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(payload)
    assert expected in refused.value.expected
    assert len(str(refused.value)) < 400


READS = """
    payload                  read     field
    {"a":{}}                 price    body.a
    {"a":true}               decimal  body.a
    {"a":null}               text     body.a
    {"a":""}                 text     body.a
    {"a":1}                  text     body.a
    {"a":"1"}                integer  body.a
    {"a":1.0}                integer  body.a
    {"a":true}               integer  body.a
    {"a":1}                  flag     body.a
    {"a":"0"}                price    body.a
    {"a":"1"}                price    body.a
    {"a":"-1"}               size     body.a
    {"a":"1_0"}              size     body.a
    {"a":"NaN"}              usd      body.a
    {"a":"1e13"}             usd      body.a
    {"a":"1"}                items    body.a
    {"b":"1"}                text     body.a
"""


@pytest.mark.parametrize("row", READS.strip().splitlines()[1:], ids=str.split)
def test_a_field_of_another_type_is_named_by_its_path(row: str) -> None:
    payload, read, field = row.split()
    with pytest.raises(Malformed) as refused:
        getattr(parse(payload).at("a"), read)()
    assert refused.value.field == field


def test_a_fault_deep_inside_is_named_by_its_whole_path() -> None:
    root = parse(b'{"orders": [{"price": "0.5"}, {"price": "x"}]}')
    orders = list(root.at("orders").items())
    assert orders[0].at("price").price() == Decimal("0.5")
    with pytest.raises(Malformed, match=r"body\.orders\[1\]\.price: expected .* found 'x'"):
        orders[1].at("price").price()


def test_brackets_inside_strings_are_no_depth() -> None:
    text = "[{" * 100 + '\\"'
    assert parse(f'{{"a": "{text}"}}').at("a").text() == "[{" * 100 + '"'


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_a_number_is_read_to_its_last_digit(number: Decimal) -> None:
    assert parse(f'{{"a": {number:f}}}').at("a").usd() == number
    assert parse(f'{{"a": "{number:f}"}}').at("a").usd() == number


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with suppress(Malformed):
        parse(payload)
