"""From rows to answers, and from markets to instruments, as tables."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.fees import KalshiFee
from domain.money import Size
from domain.order import Filled, NotFilled, Unknown
from domain.venue import Instrument, Outcome, TickBand
from tests.venues.kalshi.builders import an_order, node
from venues.kalshi import market, parse, stream
from venues.kalshi.ladders import BrokenBook, Ladder
from venues.kalshi.shapes import Delta, Event, FillRow, Market, Series, Snapshot
from venues.kalshi.verdicts import verdict
from venues.port import Resolution, Untradable
from venues.strict_json import Malformed

VERDICTS = """
    filled  rows               answer
    0       -                  killed
    0       a:4                ?
    10      a:10               10
    10      a:4,b:6            10
    10      a:4,b:6,b:6        10
    10      a:4,b:6,x:9        10
    4       a:4                4
    10      -                  ?
    10      a:4                ?
    10      x:10               ?
    10      a:10,b:1           ?
    11      a:11               ?
"""


def rows_of(text: str) -> list[FillRow]:
    """`trade:size` with commas; the trade x belongs to another order."""
    parts = [part.split(":") for part in text.split(",") if part != "-"]
    return [a_row(trade, size, order="other" if trade == "x" else "o-1") for trade, size in parts]


def a_row(trade: str, size: str, order: str = "o-1", price: str = "0.52") -> FillRow:
    return parse.fill(
        node(
            {
                "trade_id": trade,
                "order_id": order,
                "ticker": "KXGAME-1",
                "count_fp": size,
                "yes_price_dollars": price,
                "fee_cost": "0.001",
                "created_time": "2026-11-20T10:00:00.5Z",
            }
        )
    )


@pytest.mark.parametrize("row", VERDICTS.strip().splitlines()[1:], ids=str.split)
def test_an_order_is_filled_once_its_rows_add_up(row: str) -> None:
    filled, rows, expected = row.split()
    answer = verdict(an_order(), "o-1", Size(Decimal(filled)), rows_of(rows))
    match answer:
        case Filled(fills=fills):
            assert str(sum((fill.size for fill in fills), Decimal(0))) == expected
        case NotFilled():
            assert expected == "killed"
        case Unknown():
            assert expected == "?"


@pytest.mark.parametrize(("outcome", "notional"), [("yes", "0.52"), ("no", "0.48")])
def test_cash_is_in_prices_of_the_outcome_traded(outcome: str, notional: str) -> None:
    answer = verdict(
        an_order(outcome=outcome, size="1"), "o-1", Size(Decimal(1)), [a_row("a", "1")]
    )
    assert isinstance(answer, Filled)
    assert answer.fills[0].notional == Decimal(notional)


BAND = TickBand(Decimal(0), Decimal(1), Decimal("0.01"))
LISTED = Market("T", "E", "binary", "active", "", (BAND,), None, "default", Decimal(1), None)
EVENT = Event("S", None, None, None)
SERIES = Series("quadratic", Decimal(1), None)

REFUSALS = """
    field        value      reason
    market_type  scalar     not_binary
    status       closed     not_active
    status       inactive   not_active
    bounds_type  floor      settlement_floor
    notional     2          unusual_payout
"""


@pytest.mark.parametrize("row", REFUSALS.strip().splitlines()[1:], ids=str.split)
def test_a_market_that_breaks_the_dollar_pair_is_untradable(row: str) -> None:
    field, value, reason = row.split()
    changed: Any = {field: Decimal(value) if field == "notional" else value}
    found = market.instrument(replace(LISTED, **changed), EVENT, SERIES, Outcome.YES, BAND.step)
    assert isinstance(found, Untradable)
    assert found.reason == reason
    assert value in found.detail


def test_an_unknown_fee_type_is_untradable_wherever_it_stands() -> None:
    flat = replace(SERIES, fee_type="flat")
    for event, series in ((EVENT, flat), (replace(EVENT, fee_type="flat"), SERIES)):
        found = market.instrument(LISTED, event, series, Outcome.YES, BAND.step)
        assert isinstance(found, Untradable)
        assert found.reason == "unknown_fee_type"


def test_an_events_fee_and_a_markets_shard_win() -> None:
    event = replace(EVENT, fee_multiplier=Decimal("0.5"), exchange_index=2)
    listed = replace(LISTED, exchange_index=3)
    found = market.instrument(listed, event, SERIES, Outcome.YES, Decimal("0.0001"))
    assert isinstance(found, Instrument)
    assert found.exchange_index == 3
    half = market.instrument(
        LISTED, EVENT, replace(SERIES, fee_multiplier=Decimal("0.5")), Outcome.YES, BAND.step
    )
    assert isinstance(half, Instrument)
    assert half.exchange_index == 0
    assert found.fee == KalshiFee(Decimal("0.5"), Decimal("0.0001"))
    assert half.fee == KalshiFee(Decimal("0.5"), BAND.step)


def test_the_grid_of_no_mirrors_that_of_yes() -> None:
    bands = [TickBand(*map(Decimal, row)) for row in (("0", "0.1", "0.001"), ("0.1", "1", "0.01"))]
    listed = replace(LISTED, bands=tuple(bands))
    found = market.instrument(listed, EVENT, SERIES, Outcome.NO, BAND.step)
    assert isinstance(found, Instrument)
    assert found.allows_price(Decimal("0.955"))
    assert not found.allows_price(Decimal("0.055"))


RESULTS = """
    status      result  value  yes   no
    active      -       -      -     -
    closed      -       -      -     -
    disputed    yes     -      -     -
    determined  yes     -      1     0
    finalized   no      -      0     1
    finalized   scalar  0.3    0.3   0.7
    finalized   scalar  -      -     -
"""


@pytest.mark.parametrize("row", RESULTS.strip().splitlines()[1:], ids=str.split)
def test_a_contract_pays_what_the_result_says(row: str) -> None:
    status, result, value, *pays = row.split()
    listed = replace(
        LISTED,
        status=status,
        result="" if result == "-" else result,
        settlement_value=None if value == "-" else Decimal(value),
    )
    for outcome, expected in zip(Outcome, pays, strict=True):
        found = market.resolution(listed, outcome)
        wanted = None if expected == "-" else Resolution(Decimal(expected), None)
        assert found == wanted


@pytest.mark.parametrize(("use_yes_price", "no_price"), [(True, "0.55"), (False, "0.45")])
def test_a_book_is_the_same_in_both_modes_of_the_stream(use_yes_price: bool, no_price: str) -> None:
    snapshot = {
        "type": "orderbook_snapshot",
        "sid": 1,
        "seq": 1,
        "msg": {"market_ticker": "T", "no_dollars_fp": [[no_price, "3.00"]]},
    }
    message = stream.frame(node(snapshot), use_yes_price=use_yes_price).message
    assert isinstance(message, Snapshot)
    ladder = Ladder(message.quotes)
    change = {"market_ticker": "T", "price_dollars": no_price, "delta_fp": "-1.00", "side": "no"}
    frame = {"type": "orderbook_delta", "sid": 1, "seq": 2, "msg": change | {"ts_ms": 1}}
    delta = stream.frame(node(frame), use_yes_price=use_yes_price).message
    assert isinstance(delta, Delta)
    ladder.apply(delta)
    assert [(str(level.price), str(level.size)) for level in ladder.quotes().asks] == [
        ("0.55", "2.00")
    ]
    ladder.apply(delta)
    ladder.apply(delta)
    with pytest.raises(BrokenBook, match="expected a size of 0 or more, found -1"):
        ladder.apply(delta)


def test_a_fill_whose_prices_do_not_add_up_is_refused() -> None:
    row = {
        "trade_id": "a",
        "order_id": "o",
        "ticker": "T",
        "count_fp": "1.00",
        "yes_price_dollars": "0.52",
        "no_price_dollars": "0.47",
        "fee_cost": "0",
        "created_time": "2026-11-20T10:00:00Z",
    }
    with pytest.raises(Malformed, match=r"no_price_dollars: expected 0\.48, the rest of a dollar"):
        parse.fill(node(row))
