"""What the simulator remembers of an order: the judge's view, the same for both venues."""

from dataclasses import dataclass, field

from sim.units import decimal_text


@dataclass(slots=True)
class FillRecord:
    """One trade of an order; `price` is that of the outcome traded, `state` may change later."""

    trade_id: str
    price: int
    size: int
    fee: int
    state: str
    ts_ns: int

    def as_json(self) -> dict[str, object]:
        """The fill with its money as strings."""
        return {
            "trade_id": self.trade_id,
            "price": decimal_text(self.price),
            "size": decimal_text(self.size),
            "fee": decimal_text(self.fee),
            "state": self.state,
            "ts_ns": self.ts_ns,
        }


@dataclass(slots=True)
class OrderRecord:
    """One order request as it reached the venue, refused ones included.

    `asset` is the outcome token or ticker, `outcome` yes or no, `action` buy or sell of it,
    `limit` its price, `limit_dollars` the dollars of an order that is bounded by dollars (else 0).
    """

    order_id: str
    client_id: str
    pair: str
    market: str
    asset: str
    outcome: str
    side: str
    action: str
    size: int
    limit: int
    tif: str
    first_byte_ns: int
    limit_dollars: int = 0
    reached_matching: bool = False
    state: str = "received"
    reason: str = ""
    fault: str = ""
    fills: list[FillRecord] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The order with its money as strings."""
        return {
            "order_id": self.order_id,
            "client_id": self.client_id,
            "pair": self.pair,
            "market": self.market,
            "asset": self.asset,
            "outcome": self.outcome,
            "side": self.side,
            "action": self.action,
            "size": decimal_text(self.size),
            "limit": decimal_text(self.limit),
            "limit_dollars": decimal_text(self.limit_dollars),
            "tif": self.tif,
            "first_byte_ns": self.first_byte_ns,
            "reached_matching": self.reached_matching,
            "state": self.state,
            "reason": self.reason,
            "fault": self.fault,
            "fills": [fill.as_json() for fill in self.fills],
        }
