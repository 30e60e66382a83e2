"""Every recorded exchange and frame is read, and says what the venue said."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from domain.book import Level
from domain.order import NotFilled, Unknown
from domain.venue import Instrument, Outcome
from tests.venues.kalshi.builders import node, recorded
from venues.kalshi import errors, market, parse, stream
from venues.kalshi.ladders import Ladder
from venues.kalshi.shapes import Delta, Event, Series, Snapshot
from venues.strict_json import Node

DEMO = "payloads/kalshi_demo_2026-06-11.jsonl"


def wire(response: object) -> bytes:
    """A recorded body as it came."""
    return json.dumps(response).encode()


def rows(body: Node, name: str, read: Any) -> list[Any]:
    return list(parse.page(body, name, read)[0])


def each_market(body: Node) -> list[Any]:
    return [parse.market(Node("body", {"market": row.value})) for row in body.at("markets").items()]


READERS: dict[str, Any] = {
    "auth__skew_plus5s": parse.balance,
    "auth__balance_ok": parse.balance,
    "exchange__status": parse.exchange_state,
    "fills__after_taker": lambda body: rows(body, "fills", parse.fill),
    "markets__single": parse.market,
    "markets__single_filter_lastpage": each_market,
    "markets__page1": each_market,
    "orderbook__base": parse.orderbook,
    "orders__create_v2_taker_ioc": parse.created,
    "orders__create_v2_maker": parse.created,
    "orders__get_after_create": parse.one_order,
    "portfolio__orders_list": lambda body: rows(body, "orders", parse.order),
    "portfolio__positions": lambda body: rows(body, "market_positions", parse.position),
}
UNREAD = {
    "account__limits",
    "account__endpoint_costs",
    "series__fee_changes",
    "orders__cancel_v2",
}
"""What the adapter never asks for: it places no resting orders and plans with fees read fresh."""


def exchanges() -> dict[str, dict[str, Any]]:
    return {one["case"]: one for one in recorded(DEMO)}


def test_every_recorded_success_is_read() -> None:
    for case, one in exchanges().items():
        if one["status"] < 300 and case not in UNREAD:
            assert READERS[case](node(one["response"])), case


def test_every_recorded_refusal_is_read() -> None:
    refused = {case: one for case, one in exchanges().items() if one["status"] >= 400}
    assert len(refused) >= 7
    for case, one in refused.items():
        assert errors.read(wire(one["response"])) is not None, case


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        ("orders__duplicate_client_order_id", "unknown"),
        ("orders__insufficient_balance", "insufficient_balance"),
        ("orders__numeric_field_types", "invalid_order"),
        ("orders__invalid_price_structure", "invalid_order"),
    ],
)
def test_a_recorded_order_refusal_means(case: str, answer: str) -> None:
    one = exchanges()[case]
    found = errors.order_answer(one["status"], wire(one["response"]))
    if answer == "unknown":
        assert isinstance(found, Unknown)
    else:
        assert isinstance(found, NotFilled)
        assert found.rejection.value == answer


def test_the_recorded_fill_carries_exact_cash() -> None:
    fill = parse.fill(next(node(exchanges()["fills__after_taker"]["response"]).at("fills").items()))
    assert (str(fill.size), str(fill.yes_price), str(fill.fee)) == ("1.00", "0.5200", "0.017500")
    assert fill.at_ms == 1_781_159_370_164


def test_the_recorded_balance_is_the_exact_one() -> None:
    funds = parse.balance(node(exchanges()["auth__balance_ok"]["response"]))
    assert (funds.total, funds.shards) == (Decimal("98.0186"), {0: Decimal("98.0186")})


def test_the_recorded_market_becomes_an_instrument_for_either_outcome() -> None:
    listed = parse.market(node(exchanges()["markets__single"]["response"]))
    event = Event("KXSERIES", None, None, None)
    series = Series("quadratic", Decimal(1), None)
    for outcome in Outcome:
        found = market.instrument(listed, event, series, outcome, Decimal("0.0001"))
        assert isinstance(found, Instrument)
        assert found.allows_price(Decimal("0.52"))
        assert not found.allows_price(Decimal("0.515"))


def test_the_recorded_frames_build_a_book_in_yes_prices() -> None:
    ladder: Ladder | None = None
    for raw in recorded("payloads/kalshi_demo_ws_2026-06-11.jsonl"):
        message = stream.frame(node(raw), use_yes_price=True).message
        if isinstance(message, Snapshot):
            ladder = Ladder(message.quotes)
        elif isinstance(message, Delta):
            assert ladder is not None
            ladder.apply(message)
    assert ladder is not None
    quotes = ladder.quotes()
    assert prices(quotes.bids) == ["0.4700 x 3.00"]
    assert prices(quotes.asks) == ["0.5200 x 2.00"]


def prices(levels: tuple[Level, ...]) -> list[str]:
    return [f"{level.price} x {level.size}" for level in levels]


def test_a_recorded_session_in_no_prices_never_crosses_and_skips_no_number() -> None:
    ladders: dict[str, Ladder] = {}
    seq, kinds = 0, Counter[str]()
    for raw in recorded("matching/kalshi_ws_orderbook_2026-08-07.jsonl"):
        frame = stream.frame(node(raw["frame"]), use_yes_price=False)
        kinds[type(frame.message).__name__] += 1
        if frame.seq is not None:
            assert frame.seq == seq + 1, "acknowledgements use up numbers too"
            seq = frame.seq
        match frame.message:
            case Snapshot(ticker, quotes):
                ladders[ticker] = Ladder(quotes)
            case Delta(ticker):
                ladders[ticker].apply(frame.message)
                now = ladders[ticker].quotes()
                assert now.bids[0].price < now.asks[0].price, ticker
    assert kinds == {"Subscribed": 1, "Snapshot": 12, "Delta": 245, "NoneType": 11}
