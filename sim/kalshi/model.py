"""Orders and fills of the simulated Kalshi, and the reading of a create request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from sim.book import Side
from sim.kalshi.errors import WireError, flat, invalid, nested
from sim.kalshi.fees import RoundingAccumulator
from sim.listings import KalshiListing, Pair
from sim.orders import OrderRecord
from sim.units import ONE, micros

FOK: Final = "fill_or_kill"
IOC: Final = "immediate_or_cancel"
GTC: Final = "good_till_canceled"
LOT: Final = 10_000
"""The smallest size step: 0.01 contracts."""

Status = Literal["resting", "canceled", "executed"]
_STRINGS = ("ticker", "side", "count", "price", "time_in_force", "self_trade_prevention_type")
_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    **dict.fromkeys((*_STRINGS, "client_order_id", "order_group_id"), (str, "string")),
    **dict.fromkeys(("reduce_only", "post_only", "cancel_order_on_pause"), (bool, "bool")),
    **dict.fromkeys(("exchange_index", "expiration_time", "subaccount"), (int, "int64")),
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "side": ("bid", "ask"),
    "time_in_force": (FOK, IOC, GTC),
    "self_trade_prevention_type": ("taker_at_cross", "maker"),
}
_JSON_KINDS: Final = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
_COUNT = re.compile(r"\d{1,12}(\.\d{1,2})?")


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A valid create request; `price` is the YES price whatever the side."""

    ticker: str
    side: Side
    count: int
    price: int
    tif: str
    stp: str
    client_order_id: str
    exchange_index: int | None
    reduce_only: bool
    post_only: bool
    cancel_on_pause: bool
    expires_ns: int


@dataclass(slots=True)
class Order:
    """An order the engine has accepted; `history` is what reads saw of it from each moment on."""

    request: OrderRequest
    pair: Pair
    record: OrderRecord
    created_ns: int
    updated_ns: int
    remaining: int
    fees: RoundingAccumulator
    status: Status = "resting"
    filled: int = 0
    taker_cost: int = 0
    maker_cost: int = 0
    taker_fees: int = 0
    maker_fees: int = 0
    listed: bool = True
    history: list[tuple[int, dict[str, object]]] = field(default_factory=list)

    @property
    def opposite(self) -> Side:
        """The side of the book this order trades against."""
        return "ask" if self.request.side == "bid" else "bid"

    @property
    def unit_cost(self) -> int:
        """What opening one contract at the limit costs: the YES or the NO price."""
        return self.request.price if self.request.side == "bid" else ONE - self.request.price


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order; `revenue` is the signed cash before the fee."""

    trade_id: str
    order: Order
    price: int
    size: int
    fee: int
    revenue: int
    closing: int
    is_taker: bool
    position_after: int
    ts_ns: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The payout of one market: `position` is + YES, - NO before it."""

    pair: Pair
    result: str
    position: int
    revenue: int
    ts_ns: int


def parse_request(body: Mapping[str, object]) -> OrderRequest:
    """Check types, then presence, then values, in the order the venue's answers suggest."""
    for name, (kind, go_type) in _TYPES.items():
        value = body.get(name)
        if value is not None and type(value) is not kind:
            found = _JSON_KINDS.get(type(value), "object")
            raise flat(
                f"json: cannot unmarshal {found} into Go struct field "
                f"CreateOrderV2Request.{name} of type {go_type}"
            )
    for name in _STRINGS:
        if not body.get(name):
            raise invalid(f"{name} is required")
    for name, allowed in _CHOICES.items():
        if body[name] not in allowed:
            raise invalid(f"{name} must be one of {', '.join(allowed)}")
    for name in ("order_group_id", "subaccount"):
        if body.get(name):
            raise invalid(f"{name} is not simulated")
    tif = str(body["time_in_force"])
    reduce_only, post_only = bool(body.get("reduce_only")), bool(body.get("post_only"))
    expiration = cast("int | None", body.get("expiration_time"))
    if expiration is not None and tif != GTC:
        raise invalid("expiration_time needs time_in_force good_till_canceled")
    if reduce_only and tif != IOC:
        raise nested(400, "invalid_order", details="reduce_only needs immediate_or_cancel")
    if post_only and tif != GTC:
        raise nested(400, "invalid_order", details="post_only needs good_till_canceled")
    index = cast("int | None", body.get("exchange_index"))
    return OrderRequest(
        ticker=str(body["ticker"]),
        side="bid" if body["side"] == "bid" else "ask",
        count=_count(str(body["count"])),
        price=_price(str(body["price"])),
        tif=tif,
        stp=str(body["self_trade_prevention_type"]),
        client_order_id=_client_id(str(body.get("client_order_id") or "")),
        exchange_index=None if index in (None, -1) else index,
        reduce_only=reduce_only,
        post_only=post_only,
        cancel_on_pause=bool(body.get("cancel_order_on_pause")),
        expires_ns=(expiration or 0) * 1_000_000_000,
    )


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text) or micros(text) < LOT:
        raise nested(400, "invalid_order_size")
    return micros(text)


def _price(text: str) -> int:
    try:
        return micros(text)
    except ValueError as problem:
        raise nested(400, "invalid_price") from problem


def _client_id(text: str) -> str:
    if "." in text or len(text) > 64:
        raise invalid("client_order_id must have at most 64 characters and no '.'")
    return text


def check_grid(listing: KalshiListing, price: int) -> WireError | None:
    """The refusal of a YES price that is not on the market's grid, or None."""
    if 0 < price < ONE:
        for start, end, step in listing.price_ranges:
            first, last = micros(start), micros(end)
            if first <= price <= last and (price - first) % micros(step) == 0:
                return None
    return nested(400, "invalid_price")
