"""The simulated Polymarket as the control server sees it (sim.world.Venue)."""

from collections.abc import Mapping

from sim.listings import Pair
from sim.polymarket.accounts import Wallet
from sim.polymarket.auth import CHAIN_ID
from sim.polymarket.exchange import Exchange
from sim.polymarket.market import Market
from sim.units import decimal_text


class PolymarketVenue:
    """Wraps one exchange; cash and positions on top are those of its main wallet."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def urls(self, http: str, ws: str) -> dict[str, str]:
        """Every host of the venue is this one server; WebSocket channels lie under /ws."""
        return {
            "polymarket": http,
            "gamma": http,
            "data": http,
            "relayer": http,
            "polymarket_ws": f"{ws}/ws",
        }

    def adjust_cash(self, dollars: int, ref: str) -> None:
        """Deposit to, or withdraw from, the main wallet."""
        self.exchange.main.account.book("transfer", ref, cash=dollars)

    def set_mode(self, mode: str) -> None:
        """Enter a mode; `restarting` is followed by `post_only` and `open` as the knobs say."""
        self.exchange.set_mode(mode)

    def resolve(self, pair: Pair, outcome: str) -> None:
        """Close the market, cancel its orders, pay $1 per winning token or 0.50 for both."""
        self.exchange.resolve(self._market(pair), outcome)

    def _market(self, pair: Pair) -> Market:
        return self.exchange.markets[pair.polymarket.condition_id]

    def set_knobs(self, knobs: Mapping[str, object]) -> dict[str, object]:
        """Turn knobs, and single markets under "markets": {pair: {"tick": "0.001", ...}}."""
        given = dict(knobs)
        markets = given.pop("markets", {})
        if not isinstance(markets, dict) or not set(markets) <= set(self.exchange.world.pairs):
            raise ValueError(f"knobs: markets must be an object by pair id, found {markets!r}")
        self.exchange.knobs = self.exchange.knobs.changed(given)
        for pair, changes in markets.items():
            market = self._market(self.exchange.world.pairs[pair])
            old = market.tick
            market.turn(changes)
            if market.tick != old:
                self.exchange.hub.tick_changed(market, old)
        return self.exchange.knobs.as_json()

    def credentials(self) -> dict[str, object]:
        """What a client needs to trade as the main wallet."""
        return {
            "private_key": "0x" + self.exchange.private_key.hex(),
            "address": self.exchange.owner,
            "funder": self.exchange.main.address,
            "signature_type": int(self.exchange.main.kind),
            "api_key": self.exchange.main_key.key,
            "secret": self.exchange.main_key.secret,
            "passphrase": self.exchange.main_key.passphrase,
            "chain_id": CHAIN_ID,
        }

    def state(self) -> dict[str, object]:
        """The complete ledger; the main wallet on top, every wallet under `wallets`."""
        return {
            "mode": self.exchange.mode(),
            "knobs": self.exchange.knobs.as_json(),
            **self._wallet_state(self.exchange.main),
            "duplicates": self.exchange.duplicates,
            "orders": [record.as_json() for record in self.exchange.records],
            "trades": [trade.as_state() for trade in self.exchange.trades.values()],
            "wallets": {
                address: self._wallet_state(wallet)
                for address, wallet in self.exchange.wallets.items()
            },
        }

    def _wallet_state(self, wallet: Wallet) -> dict[str, object]:
        account = wallet.account
        held = {token: wallet.account.position(token) for token in account.positions}
        return {
            "address": wallet.address,
            "start_cash": decimal_text(account.start_cash),
            "cash": decimal_text(account.cash),
            "pending_cash": decimal_text(wallet.pending_cash),
            "conserved": account.conserved(),
            "positions": [
                {
                    "pair": self.exchange.by_token[token].pair,
                    "market": self.exchange.by_token[token].condition_id,
                    "asset": token,
                    "outcome": self.exchange.by_token[token].outcome(token),
                    "size": decimal_text(held.get(token, 0)),
                    "pending": decimal_text(wallet.pending.get(token, 0)),
                }
                for token in dict.fromkeys([*held, *wallet.pending])
            ],
            "entries": [entry.as_json() for entry in account.entries],
        }
