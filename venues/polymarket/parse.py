"""Polymarket's payloads as values. Pure; whatever is not as documented raises Malformed."""

from decimal import Decimal

from domain.money import MICRO, ONE, ZERO, Price, Size, Usd, from_micro, on_grid
from domain.order import FillState
from venues.polymarket.account import ApiKey
from venues.polymarket.shapes import (
    Allowed,
    Change,
    Changes,
    ClobMarket,
    GammaMarket,
    Held,
    MarketEvent,
    OrderSeen,
    Posted,
    Snapshot,
    TickChange,
    Trade,
    UserEvent,
)
from venues.strict_json import MOMENT_MS_MAX, Malformed, Node
from venues.strict_json import parse as read

LAST_PAGE = "LTE="
TRADE_STATES = {
    "MATCHED": FillState.PROVISIONAL,
    "MATCHED_NOT_BROADCASTED": FillState.PROVISIONAL,
    "MINED": FillState.PROVISIONAL,
    "RETRYING": FillState.PROVISIONAL,
    "CONFIRMED": FillState.CONFIRMED,
    "FAILED": FillState.VOIDED,
}
"""Only CONFIRMED and FAILED are final; the rest may still go either way."""


def posted(body: bytes) -> Posted:
    """POST /order, HTTP 200. Amounts are human decimals, empty where nothing was matched."""
    answer = read(body, root="order answer")
    return Posted(
        success=answer.at("success").flag(),
        error=answer.at("errorMsg").any_text(),
        order_id=answer.at("orderID").any_text(),
        status=_word(answer, "status").lower(),
        making=_amount(answer, "makingAmount"),
        taking=_amount(answer, "takingAmount"),
        trade_ids=_texts(answer, "tradeIDs"),
    )


def error_text(body: bytes) -> str:
    """The message of {"error": ...}; the body itself where it is nothing of the kind."""
    try:
        return read(body, root="refusal").at("error").any_text()
    except Malformed:
        return body.decode("utf-8", "replace")


def order_seen(body: bytes) -> OrderSeen | None:
    """GET /data/order/{id}: None for null or an empty object, as terminal orders often are."""
    answer = read(body, root="order")
    return None if answer.value is None or answer.value == {} else _order(answer)


def trades_page(body: bytes, order_id: str) -> tuple[tuple[Trade, ...], str | None]:
    """The order's trades on one page of GET /data/trades, and the cursor of the next one, None on
    the last. Only rows of this order are read: a stranger's row must not hide ours."""
    page = read(body, root="trades")
    own = (row for row in page.at("data").items() if _word(row, "taker_order_id") == order_id)
    cursor = page.at("next_cursor").any_text()
    return tuple(_trade(row) for row in own), None if cursor in ("", LAST_PAGE) else cursor


def balance(body: bytes) -> Decimal:
    """GET /balance-allowance: dollars or contracts, from base units."""
    return from_micro(_digits(read(body, root="balance-allowance").at("balance")))


def allowed(body: bytes) -> Allowed:
    """GET /balance-allowance with its allowances; none where it names none."""
    answer = read(body, root="balance-allowance")
    told = answer.get("allowances")
    names = () if told is None else told.keys()
    spenders = {} if told is None else {one.lower(): _digits(told.at(one)) for one in names}
    return Allowed(_digits(answer.at("balance")), spenders)


def server_time_ms(body: bytes) -> int:
    """GET /time: whole seconds."""
    return read(body, root="time").integer() * 1000


def api_key(body: bytes) -> ApiKey:
    """POST /auth/api-key and GET /auth/derive-api-key."""
    answer = read(body, root="api key")
    return ApiKey(
        answer.at("apiKey").text(), answer.at("secret").text(), answer.at("passphrase").text()
    )


def snapshot(body: bytes) -> Snapshot:
    """GET /book."""
    return _snapshot(read(body, root="book"))


def clob_market(body: bytes, condition: str) -> ClobMarket:
    """GET /clob-markets/{condition}; `nr` and `itode` are absent where they do not apply."""
    answer = read(body, root="clob market")
    yes, no = answer.at("t").pair()
    fee = answer.get("fd")
    return ClobMarket(
        market=condition,
        tokens=(yes.at("t").text(), no.at("t").text()),
        tick=answer.at("mts").decimal(),
        size_min=answer.at("mos").size(),
        rate=fee.at("r").decimal() if fee else None,
        exponent=fee.at("e").decimal() if fee else ONE,
        neg_risk=_flag(answer, "nr"),
        delayed=_flag(answer, "itode"),
    )


def gamma_markets(body: bytes) -> tuple[GammaMarket, ...]:
    """GET /markets/keyset."""
    return tuple(gamma_market(row) for row in read(body, root="page").at("markets").items())


def gamma_market(row: Node) -> GammaMarket:
    """One Gamma market; token ids and prices are JSON text inside JSON.

    Protocol v2 markets name `positionIds` instead, and a market without an order book no tokens.
    """
    tokens = _inner(row, "clobTokenIds") if row.get("clobTokenIds") else row.at("positionIds")
    yes, no = tokens.pair()
    yes_price, no_price = _inner(row, "outcomePrices").pair()
    delay = row.get("secondsDelay")
    return GammaMarket(
        market=row.at("conditionId").text(),
        version=_word(row, "version"),
        tokens=(yes.text(), no.text()),
        prices=(yes_price.decimal(), no_price.decimal()),
        active=row.at("active").flag(),
        closed=row.at("closed").flag(),
        accepting=row.at("acceptingOrders").flag(),
        order_book=row.at("enableOrderBook").flag(),
        fees_enabled=_flag(row, "feesEnabled"),
        seconds_delay=delay.decimal() if delay else ZERO,
        resolution_status=_word(row, "umaResolutionStatus").lower(),
    )


def positions_page(body: bytes) -> tuple[tuple[Held, ...], str | None]:
    """One page of GET /v2/positions and the cursor of the next one, None on the last."""
    page = read(body, root="positions")
    rows = tuple(
        Held(
            row.at("condition_id").text(), row.at("token_id").text(), row.at("current_size").size()
        )
        for row in page.at("data").items()
    )
    return rows, _word(page.at("pagination"), "next_cursor") or None


def redeemed(body: bytes) -> Usd | None:
    """GET /activity of one market and type REDEEM: the dollars credited, None before any."""
    rows = [row for row in read(body, root="activity").items() if _word(row, "type") == "REDEEM"]
    return Usd(sum((row.at("usdcSize").usd() for row in rows), ZERO)) if rows else None


def market_events(frame: str) -> tuple[MarketEvent, ...]:
    """A frame of the market stream, one event or several; others than books are left out."""
    found = (_market_event(event) for event in _events(frame))
    return tuple(event for event in found if event is not None)


def user_events(frame: str) -> tuple[UserEvent, ...]:
    """A frame of the user stream."""
    found: list[UserEvent] = []
    for event in _events(frame):
        match _word(event, "event_type"):
            case "trade":
                found.append(_trade(event))
            case "order":
                found.append(_order(event))
    return tuple(found)


def _events(frame: str) -> tuple[Node, ...]:
    root = read(frame, root="frame")
    return tuple(root.items()) if isinstance(root.value, list) else (root,)


def _market_event(event: Node) -> MarketEvent | None:
    match _word(event, "event_type"):
        case "book":
            return _snapshot(event)
        case "price_change":
            changes = tuple(_change(row) for row in event.at("price_changes").items())
            return Changes(changes, _digits(event.at("timestamp")))
        case "tick_size_change":
            return TickChange(event.at("market").text())
        case _:
            return None


def _snapshot(answer: Node) -> Snapshot:
    return Snapshot(
        token=answer.at("asset_id").text(),
        bids=tuple(_level(row) for row in answer.at("bids").items()),
        asks=tuple(_level(row) for row in answer.at("asks").items()),
        at_ms=_digits(answer.at("timestamp")),
    )


def _level(row: Node) -> tuple[Price, Size]:
    return row.at("price").price(), _size(row.at("size"))


def _change(row: Node) -> Change:
    return Change(
        token=row.at("asset_id").text(),
        bid=row.at("side").one_of("BUY", "SELL") == "BUY",
        price=row.at("price").price(),
        size=_size(row.at("size")),
        best_bid=_best(row, "best_bid"),
        best_ask=_best(row, "best_ask"),
    )


def _best(row: Node, name: str) -> Price | None:
    """A named best price; None where it is absent or, for an empty side, 0 or 1."""
    named = row.get(name)
    value = named.decimal() if named else ZERO
    return Price(value) if ZERO < value < ONE else None


def _order(row: Node) -> OrderSeen:
    return OrderSeen(
        order_id=row.at("id").text(),
        status=row.at("status").text().upper().removeprefix("ORDER_STATUS_"),
        size_matched=_size(row.at("size_matched")),
        trade_ids=_texts(row, "associate_trades"),
    )


def _trade(row: Node) -> Trade:
    status = row.at("status")
    state = TRADE_STATES.get(status.text().upper().removeprefix("TRADE_STATUS_"))
    if state is None:
        status.refuse(" or ".join(TRADE_STATES))
    return Trade(
        trade_id=row.at("id").text(),
        taker_order_id=row.at("taker_order_id").text(),
        market=row.at("market").text(),
        token=row.at("asset_id").text(),
        size=_size(row.at("size")),
        price=row.at("price").price(),
        state=state,
        at_ms=seconds_ms(row.at("match_time")),
    )


def _size(node: Node) -> Size:
    found = node.size()
    if not on_grid(found, MICRO):
        node.refuse("at most six decimals")
    return found


def _amount(answer: Node, name: str) -> Decimal:
    """A matched amount; absent, null and "" mean zero."""
    amount = answer.get(name)
    return ZERO if amount is None or amount.value == "" else _size(amount)


def seconds_ms(node: Node) -> int:
    """A moment that is printed as whole seconds since 1970, in milliseconds."""
    at_ms = _digits(node) * 1000
    if at_ms > MOMENT_MS_MAX:
        node.refuse("seconds since 1970")
    return at_ms


def _digits(node: Node) -> int:
    """A whole number printed as text."""
    digits = node.text()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 78):
        node.refuse("decimal digits")
    return int(digits)


def _flag(row: Node, name: str) -> bool:
    """A flag that is absent where it is false."""
    flag = row.get(name)
    return flag.flag() if flag else False


def _word(row: Node, name: str) -> str:
    """A text that may be absent; "" then."""
    word = row.get(name)
    return word.any_text() if word else ""


def _texts(row: Node, name: str) -> tuple[str, ...]:
    """A list of texts that may be absent."""
    listed = row.get(name)
    return tuple(item.text() for item in listed.items()) if listed else ()


def _inner(row: Node, name: str) -> Node:
    """The JSON inside a text member."""
    return read(row.at(name).text(), root=name)
