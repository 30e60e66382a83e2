"""Trades and live orders as this venue remembers and prints them."""

from dataclasses import dataclass, field

from sim.orders import FillRecord, OrderRecord
from sim.polymarket.accounts import Wallet
from sim.polymarket.market import Market, plain
from sim.polymarket.matching import Reach
from sim.polymarket.orders import OrderType, Side, Submission

SECOND_NS = 1_000_000_000
FINAL = ("CONFIRMED", "FAILED")


@dataclass(slots=True)
class Trade:
    """One level's match of one of our orders; money in micro-units, `fee` in micro-dollars."""

    id: str
    order: "Order"
    price: int
    size: int
    dollars: int
    fee: int
    maker: bool
    counter_order: str
    counter_address: str
    matched_ns: int
    record: FillRecord
    status: str = "MATCHED"
    updated_ns: int = 0
    transaction_hash: str = ""
    visible_ns: int = 0

    def move(self, status: str, now_ns: int) -> None:
        """Enter a settlement status."""
        self.status = self.record.state = status
        self.updated_ns = now_ns

    def as_json(self) -> dict[str, object]:
        """The trade as /data/trades and the user channel print it."""
        order = self.order
        ours = (order.key, order.wallet.address, order.id)
        theirs = ("", self.counter_address, self.counter_order)
        maker_key, maker_address, maker_order = ours if self.maker else theirs
        return {
            "id": self.id,
            "taker_order_id": self.counter_order if self.maker else order.id,
            "market": order.market.condition_id,
            "asset_id": order.token,
            "side": order.side.value,
            "size": plain(self.size),
            "fee_rate_bps": "0",
            "price": plain(self.price),
            "status": self.status,
            "match_time": str(self.matched_ns // SECOND_NS),
            "last_update": str(self.updated_ns // SECOND_NS),
            "outcome": order.outcome.capitalize(),
            "bucket_index": 0,
            "owner": order.key,
            "maker_address": order.wallet.address,
            "transaction_hash": self.transaction_hash,
            "maker_orders": [
                {
                    "order_id": maker_order,
                    "owner": maker_key,
                    "maker_address": maker_address,
                    "matched_amount": plain(self.size),
                    "price": plain(self.price),
                    "fee_rate_bps": "0",
                    "asset_id": order.token,
                    "outcome": order.outcome.capitalize(),
                }
            ],
            "trader_side": "MAKER" if self.maker else "TAKER",
        }

    def as_state(self) -> dict[str, object]:
        """The trade for the judge: exact micro-units, nothing hidden."""
        return {
            "trade_id": self.id,
            "order_id": self.order.id,
            "pair": self.order.market.pair,
            "asset": self.order.token,
            "action": self.order.side.lower(),
            "price": plain(self.price),
            "size": plain(self.size),
            "dollars": plain(self.dollars),
            "fee": plain(self.fee),
            "state": self.status,
            "ts_ns": self.matched_ns,
        }


@dataclass(slots=True)
class Order:
    """An accepted order. `status` is LIVE, DELAYED, MATCHED, CANCELED or UNMATCHED.

    `dollars` and `shares` are what traded so far; `gone_ns` is when it stops being readable.
    """

    id: str
    submission: Submission
    market: Market
    token: str
    outcome: str
    limit: int
    way: Reach
    wallet: Wallet
    key: str
    record: OrderRecord
    created_ns: int
    status: str = "LIVE"
    dollars: int = 0
    shares: int = 0
    trades: list[Trade] = field(default_factory=list)
    gone_ns: int = 0
    visible_ns: int = 0

    @property
    def side(self) -> Side:
        return self.submission.order.side

    @property
    def type(self) -> OrderType:
        return self.submission.order_type

    @property
    def size(self) -> int:
        """Shares ordered (for an immediate BUY: at the cap)."""
        signed = self.submission.order
        return signed.taker_amount if self.side is Side.BUY else signed.maker_amount

    @property
    def remaining(self) -> int:
        return max(0, self.size - self.shares)

    def as_json(self) -> dict[str, object]:
        """The order as /data/order prints it."""
        return {
            "id": self.id,
            "status": self.status,
            "owner": self.key,
            "maker_address": self.wallet.address,
            "market": self.market.condition_id,
            "asset_id": self.token,
            "side": self.side.value,
            "original_size": plain(self.size),
            "size_matched": plain(self.shares),
            "price": plain(self.limit),
            "outcome": self.outcome.capitalize(),
            "expiration": str(self.submission.order.expiration),
            "order_type": self.type.value,
            "associate_trades": [trade.id for trade in self.trades],
            "created_at": self.created_ns // SECOND_NS,
        }

    def reply(self) -> dict[str, object]:
        """The answer to POST /order: human decimals, trade ids, no transaction hashes."""
        buying = self.side is Side.BUY
        making, taking = (self.dollars, self.shares) if buying else (self.shares, self.dollars)
        answer: dict[str, object] = {
            "success": True,
            "errorMsg": "",
            "orderID": self.id,
            "status": "matched" if self.trades else self.status.lower(),
            "makingAmount": plain(making) if self.trades else "",
            "takingAmount": plain(taking) if self.trades else "",
        }
        if self.trades:
            answer["tradeIDs"] = [trade.id for trade in self.trades]
        return answer
