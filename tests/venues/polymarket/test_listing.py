"""The account's own lists are read whole, or refused by the name of the field: never a crash."""

import json

import pytest

from tests.venues.polymarket import test_parse
from venues.polymarket import listing, parse
from venues.strict_json import Malformed
from venues.strict_json import parse as read

TRADE = test_parse.TRADE | {"trader_side": "TAKER", "match_time": "1790000000"}
NO_TIMES = [
    "2026-09-21T14:13:20Z",
    "1790000000.5",
    "-1790000000",
    "+1790000000",
    "1_790_000_000",
    " 1790000000",
    "١٧٩٠٠٠٠٠٠٠",
    "9" * 20,
    "9" * 5_000,
    "",
    1790000000,
    None,
]


def page(**changes: object) -> bytes:
    return json.dumps({"data": [TRADE | changes], "next_cursor": "LTE="}).encode()


def test_a_time_in_whole_seconds_is_read() -> None:
    (trade,), cursor = listing.trades_page(page(), "0xef")
    assert (trade.at_ms, cursor) == (1_790_000_000_000, None)
    (row,), _ = parse.trades_page(page(), "0xab")
    assert row.at_ms == 1_790_000_000_000


@pytest.mark.parametrize("time", NO_TIMES)
def test_what_is_no_time_is_refused_by_name(time: object) -> None:
    with pytest.raises(Malformed, match="match_time"):
        listing.trades_page(page(match_time=time), "0xef")
    with pytest.raises(Malformed, match="match_time"):
        parse.trades_page(page(match_time=time), "0xab")


@pytest.mark.parametrize("moment", ["-1", "1e3", "100000000000001", "9" * 60, '"1"', "true"])
def test_what_are_no_milliseconds_is_refused(moment: str) -> None:
    with pytest.raises(Malformed, match="ts_ms"):
        read(f'{{"ts_ms": {moment}}}').at("ts_ms").milliseconds()
