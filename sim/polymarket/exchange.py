"""The venue itself: markets, wallets, keys, orders, trades, mode; how time moves them."""

from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from sim.book import LevelChange
from sim.ledger import Account
from sim.listings import Pair
from sim.orders import FillRecord, OrderRecord
from sim.polymarket.accounts import Wallet, wallet_address
from sim.polymarket.auth import ApiKey, derive_key
from sim.polymarket.errors import ApiError
from sim.polymarket.knobs import Knobs
from sim.polymarket.limits import Bucket
from sim.polymarket.market import Market, market_of
from sim.polymarket.matching import Piece
from sim.polymarket.orders import SignatureType
from sim.polymarket.settlement import Fate, Settlement
from sim.polymarket.sockets import Hub
from sim.polymarket.trades import Order, Trade
from sim.units import ONE
from sim.wire import pause
from sim.world import World

MILLI_NS = 1_000_000
START_CASH = 10_000 * ONE
VENUE = "polymarket"


class Exchange:
    """All state of the simulated venue; the other modules of this room act on it."""

    def __init__(
        self, world: World, start_cash: int, kind: SignatureType, private_key: bytes | None = None
    ) -> None:
        self.world = world
        self.knobs = Knobs()
        self.markets: dict[str, Market] = {}
        self.by_token: dict[str, Market] = {}
        self.wallets: dict[str, Wallet] = {}
        self.keys: dict[str, ApiKey] = {}
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        self.known: set[str] = set()
        self.trades: dict[str, Trade] = {}
        self.records: list[OrderRecord] = []
        self.hub = Hub(self)
        self.settlement = Settlement(world.seed + 2, world.clock, self._trade_moved)
        self._mode, self._mode_ns = "open", world.clock()
        self.duplicates = 0
        self._buckets: dict[str, Bucket] = {}
        for number, pair in enumerate(world.pairs.values(), start=1):
            self._list(pair, number)
        self.private_key = private_key or keccak(f"sim polymarket {world.seed}".encode())
        self.owner = PrivateKey(self.private_key).public_key.to_address()
        self.main = self.wallet(self.owner, kind, start_cash)
        self.main_key = self.issue_key(self.owner, 0)

    def _list(self, pair: Pair, number: int) -> None:
        market = market_of(pair, number)
        self.markets[market.condition_id] = market
        self.by_token[market.yes_token] = self.by_token[market.no_token] = market

        def changed(change: LevelChange) -> None:
            self.hub.level_changed(market, change)

        self.world.book("polymarket", pair.id).listen(changed)

    def now_s(self) -> int:
        return self.world.clock() // 1_000_000_000

    def wallet(self, owner: str, kind: SignatureType, start_cash: int = 0) -> Wallet:
        """The wallet of an owner under a signature type, opened empty when new."""
        address = wallet_address(owner, kind)
        if address not in self.wallets:
            account = Account(start_cash, self.world.clock)
            self.wallets[address] = Wallet(address, owner, kind, account)
        return self.wallets[address]

    def issue_key(self, address: str, nonce: int) -> ApiKey:
        """Create the key of (address, nonce); ApiError 400 when it exists."""
        key = derive_key(self.world.seed, address, nonce)
        if key.key in self.keys:
            raise ApiError(400, "Could not create api key")
        self.keys[key.key] = key
        return key

    def find_key(self, address: str, nonce: int) -> ApiKey:
        """Derive the key of (address, nonce) again; ApiError 400 when it was never created."""
        key = derive_key(self.world.seed, address, nonce)
        if key.key not in self.keys:
            raise ApiError(400, "Could not derive api key!")
        return key

    def market_for(self, token: str) -> Market:
        """The market of a token id; ApiError 404 when there is no book for it."""
        market = self.by_token.get(token)
        if market is None:
            raise ApiError(404, "No orderbook exists for the requested token id")
        return market

    def match(
        self, order: Order, pieces: list[Piece], fees: list[int], fates: list[Fate], maker: bool
    ) -> None:
        """Turn pieces of a match into trades of `order` and start their settlement."""
        now = self.world.clock()
        for piece, fee, fate in zip(pieces, fees, fates, strict=True):
            ident = f"{order.id}:{len(order.trades)}"
            digest = keccak(ident.encode()).hex()
            trade_id = "-".join(
                (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
            )
            record = FillRecord(trade_id, piece.price, piece.size, fee, "MATCHED", now)
            trade = Trade(
                id=trade_id,
                order=order,
                price=piece.price,
                size=piece.size,
                dollars=piece.dollars,
                fee=fee,
                maker=maker,
                counter_order="0x" + keccak(b"counter " + ident.encode()).hex(),
                counter_address="0x" + digest[-40:],
                matched_ns=now,
                record=record,
                visible_ns=order.visible_ns,
            )
            order.trades.append(trade)
            order.record.fills.append(record)
            order.shares += piece.size
            order.dollars += piece.dollars
            order.market.last_price = piece.yes_price
            self.trades[trade_id] = trade
            self.settlement.open(trade, fate)
            self.hub.traded(trade)

    def end(self, order: Order, status: str) -> None:
        """A terminal status: releases what the order held back and dates its disappearance."""
        order.status = order.record.state = status
        self.live.pop(order.id, None)
        order.wallet.reserved.pop(order.id, None)
        order.gone_ns = self.world.clock() + self.knobs.order_vanish_ms * MILLI_NS

    def readable(self, order: Order) -> bool:
        """Whether GET /data/order still (or already) shows the order."""
        now = self.world.clock()
        return order.visible_ns <= now and (not order.gone_ns or now < order.gone_ns)

    def mode(self) -> str:
        """The mode now: `restarting` turns into `post_only`, that into `open`, by the clock."""
        steps = {
            "restarting": (self.knobs.restart_ms, "post_only"),
            "post_only": (self.knobs.post_only_ms, "open"),
        }
        while self._mode in steps:
            lasts_ms, following = steps[self._mode]
            ends_ns = self._mode_ns + lasts_ms * MILLI_NS
            if not lasts_ms or self.world.clock() < ends_ns:
                break
            self._mode, self._mode_ns = following, ends_ns
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Enter a mode at once."""
        self._mode, self._mode_ns = mode, self.world.clock()

    def gate(self, post_only: bool) -> None:
        """Refuse what the mode forbids: orders and cancels; reads always pass."""
        mode = self.mode()
        if mode == "maintenance":
            raise ApiError(503, "Trading is currently disabled")
        if mode == "restarting":
            raise ApiError(425, "service not ready")
        if mode == "post_only" and not post_only:
            until_ns = self._mode_ns + self.knobs.post_only_ms * MILLI_NS
            wait_s = max(1, (until_ns - self.world.clock()) // 1_000_000_000)
            raise ApiError(
                503,
                "post-only mode: only post-only orders and cancels are allowed",
                {"Retry-After": str(wait_s)},
                code="post_only_mode",
                retry_after_seconds=wait_s,
            )

    def spend_rate(self, signer: str, orders: int) -> dict[str, str]:
        """The limiter's headers for `orders` more of a signer; ApiError 429 when exhausted."""
        rate, burst = self.knobs.rate_per_second, self.knobs.rate_burst
        if not rate:
            return {}
        now = self.world.clock()
        bucket = self._buckets.setdefault(signer, Bucket(burst * 1_000_000, now))
        return bucket.spend(orders, rate, burst, now)

    def _trade_moved(self, trade: Trade) -> None:
        self.hub.trade_moved(trade)
        if trade.status == "MINED" and trade.order.market.winner is not None:
            self._redeem(trade.order.wallet, trade.order.market)

    def _redeem(self, wallet: Wallet, market: Market) -> None:
        if self.knobs.redeem_ms < 0:
            return
        for outcome in ("yes", "no"):
            token = market.token(outcome)
            size = wallet.account.position(token)
            if size:
                value = {outcome: size, "half": size // 2}.get(str(market.winner), 0)
                ref = f"redeem {market.condition_id}"
                wallet.account.book("payout", ref, asset=token, cash=value, position=-size)

    async def _redeem_later(self, market: Market) -> None:
        await pause(self.knobs.redeem_ms)
        for wallet in self.wallets.values():
            self._redeem(wallet, market)

    def withdraw(self, order: Order, status: str) -> None:
        """Take a live order off the book."""
        book = self.world.book("polymarket", order.market.pair)
        book.rest(order.way.side, order.way.limit, -order.remaining, order.id)
        self.end(order, status)
        self.hub.order_event(order, "CANCELLATION")

    def resolve(self, market: Market, outcome: str) -> None:
        """Close the market, cancel its orders, pay $1 per winning token or 0.50 for both."""
        market.winner, market.accepting = outcome, False
        for order in list(self.live.values()):
            if order.market is market:
                self.withdraw(order, "CANCELED_MARKET_RESOLVED")
        self.world.book("polymarket", market.pair).replace({}, {})
        self.hub.resolved(market)
        if self.knobs.redeem_ms > 0:
            self.settlement.spawn(self._redeem_later(market))
        else:
            for wallet in self.wallets.values():
                self._redeem(wallet, market)
