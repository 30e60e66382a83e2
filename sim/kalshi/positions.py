"""Market and event positions, folded from fills and settlements up to a moment."""

from sim.kalshi.dialect import speak
from sim.kalshi.exchange import Exchange
from sim.kalshi.model import Fill
from sim.kalshi.views import count
from sim.listings import Pair
from sim.units import ONE, decimal_text, iso_time


class Tally:
    """The running position of one market: signed size, cost of what is open, profit, fees."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.size = self.cost = self.traded = self.shares = 0
        self.realized = self.fees = self.updated_ns = 0

    def add(self, fill: Fill) -> None:
        """Fold in one fill: the closing part at average cost, the rest opens."""
        bid = fill.order.request.side == "bid"
        pays = fill.price if bid else ONE - fill.price
        if fill.closing:
            released = self.cost * fill.closing // abs(self.size)
            self.realized += fill.closing * (ONE - pays) // ONE - released
            self.cost -= released
        opened = (fill.size - fill.closing) * pays // ONE
        self.cost += opened
        self.traded += fill.size * pays // ONE
        self.shares += fill.size
        self.fees += fill.fee
        self.size += fill.size if bid else -fill.size
        self.updated_ns = fill.ts_ns

    def settle(self, revenue: int, ts_ns: int) -> None:
        """Fold in the payout."""
        self.realized += revenue - self.cost
        self.size = self.cost = 0
        self.updated_ns = ts_ns

    def as_json(self, exchange: Exchange) -> dict[str, object]:
        """The market position object."""
        full: dict[str, object] = {
            "ticker": self.pair.kalshi.ticker,
            "exchange_index": self.pair.kalshi.exchange_index,
            "position_fp": count(self.size),
            "market_exposure_dollars": decimal_text(self.cost),
            "total_traded_dollars": decimal_text(self.traded),
            "realized_pnl_dollars": decimal_text(self.realized),
            "fees_paid_dollars": decimal_text(self.fees),
            "resting_orders_count": len(exchange.resting[self.pair.id]),
            "last_updated_ts": iso_time(self.updated_ns),
        }
        return speak(exchange.knobs.wire, "market_position", full)


def tallies(exchange: Exchange, view_ns: int, ticker: str | None = None) -> list[Tally]:
    """The positions as of `view_ns`, of one market or of all that were ever traded."""
    tickers = list(exchange.fills_of) if ticker is None else [ticker]
    found = []
    for name in tickers:
        tally = Tally(exchange.pairs[name])
        for fill in exchange.fills_of.get(name, []):
            if fill.ts_ns <= view_ns:
                tally.add(fill)
        for settlement in exchange.settlements:
            if settlement.pair is tally.pair and settlement.ts_ns <= view_ns:
                tally.settle(settlement.revenue, settlement.ts_ns)
        if tally.updated_ns:
            found.append(tally)
    return found


def event_json(event_ticker: str, tallies_of_event: list[Tally]) -> dict[str, object]:
    """The event position object: sums over the event's markets."""
    return {
        "event_ticker": event_ticker,
        "event_exposure_dollars": decimal_text(sum(tally.cost for tally in tallies_of_event)),
        "fees_paid_dollars": decimal_text(sum(tally.fees for tally in tallies_of_event)),
        "realized_pnl_dollars": decimal_text(sum(tally.realized for tally in tallies_of_event)),
        "total_cost_dollars": decimal_text(sum(tally.traded for tally in tallies_of_event)),
        "total_cost_shares_fp": count(sum(tally.shares for tally in tallies_of_event)),
    }
