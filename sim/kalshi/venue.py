"""The simulated Kalshi as the control server sees it (sim.world.Venue)."""

from collections.abc import Mapping

from sim.kalshi.exchange import SHARDS, Exchange
from sim.kalshi.feed import Feed
from sim.kalshi.matching import cancel, settle
from sim.listings import Pair
from sim.units import decimal_text


class KalshiVenue:
    """Wraps one exchange and its feed."""

    def __init__(self, exchange: Exchange, feed: Feed) -> None:
        self.exchange = exchange
        self.feed = feed

    def urls(self, http: str, ws: str) -> dict[str, str]:
        """REST base and WebSocket address."""
        return {"kalshi": f"{http}/trade-api/v2", "kalshi_ws": f"{ws}/trade-api/ws/v2"}

    def credentials(self) -> dict[str, object]:
        """The RSA key as default, the Ed25519 one and one that may only read."""
        others = {name: self.exchange.keys[name].credentials() for name in ("ed25519", "read_only")}
        return {**self.exchange.keys["rsa"].credentials(), **others}

    def set_mode(self, mode: str) -> None:
        """Open or close trading; a pause cancels orders that asked for it."""
        self.exchange.mode = mode
        if mode != "open":
            for orders in list(self.exchange.resting.values()):
                for order in [order for order in orders if order.request.cancel_on_pause]:
                    cancel(self.exchange, order)

    def set_knobs(self, knobs: Mapping[str, object]) -> dict[str, object]:
        """Turn knobs by name; `ws_drop` is an act: it cuts every WebSocket."""
        turned = {name: value for name, value in knobs.items() if name != "ws_drop"}
        shown = self.exchange.set_knobs(turned)
        if "ws_drop" in knobs:
            self.feed.drop_all()
        return shown

    def adjust_cash(self, dollars: int, ref: str) -> None:
        """Deposit to, or withdraw from, shard 0; `ref` "shard:n" names another."""
        shard = int(ref.removeprefix("shard:")) if ref.startswith("shard:") else 0
        if shard not in self.exchange.accounts:
            raise ValueError(f"ref: expected a shard of {SHARDS}, found {ref!r}")
        kind = "deposit" if dollars >= 0 else "withdrawal"
        self.exchange.accounts[shard].book(kind, ref, cash=dollars)

    def resolve(self, pair: Pair, outcome: str) -> None:
        """Cancel what rests, then pay $1.00 per winning contract on the net position."""
        settle(self.exchange, pair, outcome)

    def state(self) -> dict[str, object]:
        """See sim.world.Venue.state; `shards` adds the cash per shard."""
        accounts = self.exchange.accounts.values()
        records = [order.record for order in self.exchange.records] + [
            order.record for order in self.exchange.refused
        ]
        return {
            "mode": self.exchange.mode,
            "start_cash": decimal_text(sum(account.start_cash for account in accounts)),
            "cash": decimal_text(sum(account.cash for account in accounts)),
            "shards": {
                str(shard): decimal_text(account.cash)
                for shard, account in self.exchange.accounts.items()
            },
            "conserved": all(account.conserved() for account in accounts),
            "duplicates": self.exchange.duplicates,
            "positions": [
                _position(self.exchange.pairs[ticker], size)
                for account in accounts
                for ticker, size in account.positions.items()
            ],
            "orders": [
                record.as_json() for record in sorted(records, key=lambda one: one.first_byte_ns)
            ],
            "entries": [
                {"shard": shard, **entry.as_json()}
                for shard, account in self.exchange.accounts.items()
                for entry in account.entries
            ],
        }


def _position(pair: Pair, size: int) -> dict[str, object]:
    return {
        "pair": pair.id,
        "market": pair.kalshi.ticker,
        "asset": pair.kalshi.ticker,
        "outcome": "yes" if size > 0 else "no",
        "size": decimal_text(abs(size)),
    }
