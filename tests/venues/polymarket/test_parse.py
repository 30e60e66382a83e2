"""Recorded payloads are read or refused for a named reason; hostile ones are refused."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from domain.money import size
from domain.order import FillState
from venues.polymarket import market, parse
from venues.polymarket.ladders import Ladders
from venues.polymarket.shapes import Changes, ClobMarket, Snapshot, Trade
from venues.strict_json import Malformed, Node
from venues.strict_json import parse as read

PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"


def recorded(name: str) -> bytes:
    path = PAYLOADS / name
    if not path.exists():
        pytest.skip(f"recorded payload {name} is not on this machine")
    return path.read_bytes()


class TestRecorded:
    def test_a_book_is_read_best_level_first(self) -> None:
        snapshot = parse.snapshot(recorded("polymarket_book.json"))
        ladders = Ladders(snapshot.token)
        assert ladders.replace(snapshot)
        book = ladders.book(0)
        assert [str(level.price) for level in book.bids] == ["0.1", "0.09", "0.08", "0.06", "0.01"]
        assert [str(level.price) for level in book.asks][:3] == ["0.14", "0.2", "0.38"]
        assert book.at_ms == 1728799418260

    def test_a_book_event_is_a_snapshot(self) -> None:
        (event,) = parse.market_events(recorded("polymarket_ws_book.json").decode())
        assert isinstance(event, Snapshot)
        assert len(event.asks) > 50
        assert min(price for price, _ in event.asks) > max(price for price, _ in event.bids)

    def test_a_price_change_names_new_totals(self) -> None:
        (event,) = parse.market_events(recorded("polymarket_ws_price_change.json").decode())
        assert isinstance(event, Changes)
        assert [(change.bid, str(change.price), str(change.size)) for change in event.changes] == [
            (True, "0.6", "3300"),
            (True, "0.5", "3400"),
            (True, "0.7", "3400"),
        ]

    def test_a_trade_of_the_user_stream_is_read(self) -> None:
        (event,) = parse.user_events(recorded("polymarket_ws_user_trade.json").decode())
        assert isinstance(event, Trade)
        assert event.state is FillState.PROVISIONAL
        assert (str(event.size), str(event.price)) == ("1096.87", "0.518")
        assert event.at_ms == 1725868859000

    @pytest.mark.parametrize(
        ("name", "delay", "closed", "prices"),
        [
            ("polymarket_gamma_market.json", "0", False, ["0.505", "0.495"]),
            ("polymarket_gamma_market_sports.json", "3", True, ["1", "0"]),
        ],
    )
    def test_gamma_markets_are_read_and_not_traded_without_a_version(
        self, name: str, delay: str, closed: bool, prices: list[str]
    ) -> None:
        gamma = parse.gamma_market(read(recorded(name)))
        assert str(gamma.seconds_delay) == delay
        assert gamma.closed is closed
        assert [str(price) for price in gamma.prices] == prices
        clob = ClobMarket(
            gamma.market,
            gamma.tokens,
            Decimal("0.01"),
            size("5"),
            Decimal("0.05"),
            Decimal(1),
            neg_risk=False,
            delayed=False,
        )
        refused = market.untradable(clob, gamma)
        assert refused is not None
        assert refused.reason == "protocol_version"


ANSWER = {
    "success": True,
    "errorMsg": "",
    "orderID": "0xab",
    "status": "matched",
    "makingAmount": "4.9152",
    "takingAmount": "5.12",
    "tradeIDs": ["t-1"],
}


class TestOrderAnswer:
    def test_amounts_are_exact_decimals(self) -> None:
        posted = parse.posted(json.dumps(ANSWER).encode())
        assert (posted.making, posted.taking) == (Decimal("4.9152"), Decimal("5.12"))
        assert posted.trade_ids == ("t-1",)

    @pytest.mark.parametrize("empty", ["", "0", None])
    def test_nothing_matched_is_zero(self, empty: str | None) -> None:
        posted = parse.posted(json.dumps(ANSWER | {"makingAmount": empty}).encode())
        assert posted.making == 0

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"success": "true"}, "success"),
            ({"orderID": 7}, "orderID"),
            ({"makingAmount": "NaN"}, "makingAmount"),
            ({"makingAmount": "-1"}, "makingAmount"),
            ({"makingAmount": "0.0000001"}, "makingAmount"),
            ({"tradeIDs": "t-1"}, "tradeIDs"),
            ({"tradeIDs": [None]}, "tradeIDs"),
            ({"status": []}, "status"),
        ],
    )
    def test_a_wrong_field_is_named(self, change: dict[str, object], field: str) -> None:
        with pytest.raises(Malformed, match=field):
            parse.posted(json.dumps(ANSWER | change).encode())

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"null", b"<html>", b"\xff\xfe", b'{"makingAmount": NaN}', b"[" * 9_999],
    )
    def test_what_is_no_answer_is_malformed(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            parse.posted(body)


TRADE = {
    "id": "t-1",
    "taker_order_id": "0xab",
    "market": "0xcd",
    "asset_id": "1",
    "size": "5",
    "price": "0.47",
    "status": "MATCHED",
    "match_time": "1700000000",
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("MATCHED", FillState.PROVISIONAL),
        ("TRADE_STATUS_MATCHED", FillState.PROVISIONAL),
        ("MATCHED_NOT_BROADCASTED", FillState.PROVISIONAL),
        ("MINED", FillState.PROVISIONAL),
        ("RETRYING", FillState.PROVISIONAL),
        ("CONFIRMED", FillState.CONFIRMED),
        ("TRADE_STATUS_FAILED", FillState.VOIDED),
    ],
)
def test_only_confirmed_and_failed_are_final(status: str, state: FillState) -> None:
    page = {"data": [TRADE | {"status": status}], "next_cursor": "LTE="}
    rows, cursor = parse.trades_page(json.dumps(page).encode(), "0xab")
    assert (rows[0].state, cursor) == (state, None)


def test_a_trade_status_nobody_knows_is_refused() -> None:
    page = {"data": [TRADE | {"status": "TELEPORTED"}], "next_cursor": "LTE="}
    with pytest.raises(Malformed, match=r"status: expected MATCHED .* found 'TELEPORTED'"):
        parse.trades_page(json.dumps(page).encode(), "0xab")


def test_an_unreadable_trade_of_another_order_hides_nothing() -> None:
    strange = TRADE | {"taker_order_id": "0xother", "status": "TELEPORTED"}
    page = {"data": [strange, TRADE], "next_cursor": "Mg=="}
    rows, cursor = parse.trades_page(json.dumps(page).encode(), "0xab")
    assert ([row.trade_id for row in rows], cursor) == (["t-1"], "Mg==")


@pytest.mark.parametrize("body", [b"null", b"{}"])
def test_an_order_that_is_gone_is_none(body: bytes) -> None:
    assert parse.order_seen(body) is None


def test_a_balance_is_in_base_units() -> None:
    assert parse.balance(b'{"balance": "10576923", "allowances": {}}') == Decimal("10.576923")
    with pytest.raises(Malformed, match="balance"):
        parse.balance(b'{"balance": "10.5"}')


def test_frames_hold_one_event_or_several_and_strangers_are_left_out() -> None:
    stranger = {"event_type": "last_trade_price", "price": "0.5"}
    tick = {"event_type": "tick_size_change", "market": "0xcd"}
    assert len(parse.market_events(json.dumps([stranger, tick]))) == 1
    assert parse.user_events(json.dumps(stranger)) == ()


def test_a_market_without_two_tokens_is_refused() -> None:
    with pytest.raises(Malformed, match="clobTokenIds"):
        parse.gamma_market(Node("body", {"clobTokenIds": '["1"]', "outcomePrices": '["1","0"]'}))
