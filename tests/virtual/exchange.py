"""One modelled venue: its own ledger in integers of one millionth, and a fate for every order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from domain.money import Usd, from_micro
from domain.order import Fill, FillState, Order
from domain.venue import Action, Outcome, TimeInForce, Venue
from tests.virtual.loop import VirtualLoop
from venues.port import Resolution

ONE = 1_000_000
CENT = 10_000
POLYMARKET_FEE_STEP = 10
NO_TRADES: tuple["Trade", ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one order, in times of milliseconds.

    `reach`: it arrives after `arrive_ms`, or never. `outcome`: fill, kill, partial (a share of
    `part` hundredths), refuse, limited, closed. `answered`: given, lost (no answer at all) or
    garbled. `settles`: confirmed or voided, after `settle_ms`. `split`: as two trades, of which
    only the first is voided. `shown_ms`: until reads show it. `better`: cents better than asked.
    """

    reach: bool = True
    arrive_ms: int = 20
    outcome: str = "fill"
    part: int = 100
    answered: str = "given"
    settles: str = "confirmed"
    settle_ms: int = 2_000
    split: bool = False
    shown_ms: int = 0
    better: int = 0


GOOD = Fate()


@dataclass(slots=True)
class Trade:
    """One trade of our account."""

    trade_id: str
    size: int
    notional: int
    fee: int
    at_ms: int
    state: FillState
    shown: Fill | None = None


@dataclass(slots=True)
class Placed:
    """One order that reached the matching engine."""

    order: Order
    fate: Fate
    at_ms: int
    verdict: str
    trades: tuple[Trade, ...] = NO_TRADES


@dataclass(slots=True)
class Quote:
    """Best prices in micro-dollars; `depth` contracts (micro) stand behind each."""

    ask: int
    bid: int
    depth: int = 1_000 * ONE
    bid_depth: int = 1_000 * ONE


@dataclass(slots=True)
class Exchange:
    """One venue. `cash`, `position` and, for contracts of the other outcome, `opposite` are what
    trades made of nothing; the answer to the question turns those that are `redeemed` into
    `credit`. `sent` counts the first bytes per intent, `arrived` those that were matched. Until
    `unsellable_ms` no sale is taken for lack of balance."""

    loop: VirtualLoop
    venue: Venue
    outcome: Outcome
    quote: Quote
    fee_rate: int
    say: Callable[[str], None]
    cash: int = 0
    position: int = 0
    opposite: int = 0
    placed: dict[str, Placed] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    balance_lag_ms: int = 0
    unsellable_ms: int = 0
    version: int = 0
    trades: int = 0
    credit: int = 0
    redeemed: int = 0
    opposite_redeemed: int = 0
    resolution: Resolution | None = None

    def arrive(self, order: Order, fate: Fate) -> Placed:
        """The matching engine sees the order."""
        self.arrived[order.intent_id] = self.arrived.get(order.intent_id, 0) + 1
        verdict, size = self._verdict(order, fate)
        placed = Placed(order, fate, self.loop.now_ms, verdict)
        if verdict == "filled":
            placed.trades = self._match(order, fate, size)
        self.placed[order.intent_id] = placed
        self.version += 1
        self.say(f"{self.venue}: {order.intent_id} {verdict} {size if placed.trades else ''}")
        return placed

    @property
    def sellable(self) -> int:
        """What the balance shows: confirmed buys once the cache has seen them, less all sales."""
        total = 0
        for placed in self.placed.values():
            for trade in () if self.other(placed.order) else placed.trades:
                if placed.order.action is Action.SELL:
                    total -= trade.size if trade.state is not FillState.VOIDED else 0
                elif trade.state is FillState.CONFIRMED:
                    seen = self.loop.now_ms >= trade.at_ms + self.balance_lag_ms
                    total += trade.size if seen else 0
        return max(total, 0)

    def other(self, order: Order) -> bool:
        """Whether the order is for the other outcome of the market."""
        return order.instrument.outcome is not self.outcome

    @property
    def exposed(self) -> int:
        """Contracts of our outcome beside which none of the other one stands."""
        return max(self.position - self.opposite, 0)

    @property
    def upside(self) -> int:
        """Contracts of our outcome that orders returned beyond their own sizes."""
        beyond = 0
        for placed in self.placed.values():
            if placed.order.action is Action.BUY and not self.other(placed.order):
                stay = (one for one in placed.trades if one.state is not FillState.VOIDED)
                beyond += max(sum(one.size for one in stay) - micro(placed.order.size), 0)
        return beyond

    def resolve(self, pays: int) -> None:
        """The question is answered: every contract pays `pays` micro-dollars, one of the other
        outcome the rest of a dollar."""
        credit = self.position * pays // ONE + self.opposite * (ONE - pays) // ONE
        self.credit, self.redeemed, self.position = credit, self.position, 0
        self.opposite_redeemed, self.opposite = self.opposite, 0
        self.resolution = Resolution(from_micro(pays), Usd(from_micro(credit)))
        self.version += 1
        self.say(f"{self.venue}: pays {pays}")

    def _verdict(self, order: Order, fate: Fate) -> tuple[str, int]:
        if fate.outcome in ("refuse", "limited", "closed"):
            return fate.outcome, 0
        if self.resolution is not None:
            return "closed", 0
        wanted = micro(order.size)
        limit = micro(order.limit)
        if self.other(order):
            price, depth = ONE - self.quote.bid, self.quote.bid_depth
            crossed = price <= limit
        elif order.action is Action.BUY:
            price, depth = self.quote.ask, self.quote.depth
            crossed = price <= limit
        else:
            price, depth = self.quote.bid, self.quote.bid_depth
            crossed = price >= limit
            held = self.sellable if self.venue is Venue.POLYMARKET else self.position
            short = wanted > held or self.loop.now_ms < self.unsellable_ms
            if short and self.venue is Venue.POLYMARKET:
                return "balance", 0
            if order.reduce_only:
                wanted = min(wanted, self.position)
        if fate.outcome == "kill" or not crossed or wanted <= 0:
            return "killed", 0
        if fate.outcome == "partial":
            return "filled", max(wanted * fate.part // 100 // CENT * CENT, CENT)
        if self.venue is Venue.POLYMARKET and order.action is Action.BUY:
            if wanted * limit > depth * (price - fate.better * CENT):
                return "killed", 0  # its dollars are spent to the last, or none of them
            return "filled", wanted
        if depth < wanted and order.time_in_force is TimeInForce.FOK:
            return "killed", 0
        return "filled", min(wanted, depth)

    def _match(self, order: Order, fate: Fate, size: int) -> tuple[Trade, ...]:
        sizes = (
            [size // 2 // CENT * CENT, size - size // 2 // CENT * CENT] if fate.split else [size]
        )
        trades = tuple(self._trade(order, fate, one) for one in sizes if one)
        if self.venue is Venue.POLYMARKET:
            self.loop.after_ms(fate.settle_ms, self._settle, order, trades, fate)
        return trades

    def _trade(self, order: Order, fate: Fate, size: int) -> Trade:
        """Priced and booked with this model's own arithmetic."""
        self.trades += 1
        buying = order.action is Action.BUY
        ask = ONE - self.quote.bid if self.other(order) else self.quote.ask
        price = ask - fate.better * CENT if buying else self.quote.bid
        if self.venue is Venue.POLYMARKET:
            state = FillState.PROVISIONAL
            notional = size * (micro(order.limit) if buying else price) // ONE
            size = notional * ONE // price if buying else size
            raw = size * self.fee_rate * price * (ONE - price)
            fee = raw // ONE**3 // POLYMARKET_FEE_STEP * POLYMARKET_FEE_STEP
        else:
            state = FillState.CONFIRMED
            notional = size * price // ONE
            raw = 7 * CENT * size * price * (ONE - price)
            fee = -(-raw // ONE**3)
            total = notional + fee if buying else notional - fee
            fee += -total % CENT if buying else total % CENT
        self._book(order, size, notional, fee)
        name = f"{self.venue}-{self.trades}"
        return Trade(name, size, notional, fee, self.loop.now_ms, state)

    def _settle(self, order: Order, trades: tuple[Trade, ...], fate: Fate) -> None:
        for index, trade in enumerate(trades):
            voided = fate.settles == "voided" and index == 0
            trade.state = FillState.VOIDED if voided else FillState.CONFIRMED
            if voided:
                self._book(order, -trade.size, -trade.notional, -trade.fee)
            self.say(f"{self.venue}: trade {trade.trade_id} {trade.state}")
        self.version += 1

    def _book(self, order: Order, size: int, notional: int, fee: int) -> None:
        if self.other(order):
            self.cash -= notional + fee
            self.opposite += size
        elif order.action is Action.BUY:
            self.cash -= notional + fee
            self.position += size
        else:
            self.cash += notional - fee
            self.position -= size


@lru_cache(maxsize=4096)
def micro(value: Decimal) -> int:
    """An exact decimal in millionths, by its digits."""
    whole, _, rest = f"{value:f}".partition(".")
    assert len(rest.rstrip("0")) <= 6, f"expected at most six decimals, found {value}"
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole)) * ONE + int(rest[:6].ljust(6, "0")))
