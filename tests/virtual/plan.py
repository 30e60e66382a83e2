"""The arbitrage of a run: ten contracts, YES at 0.42 and NO at 0.50."""

from decimal import Decimal

from activities.messages import ArbitrageInput
from domain.book import Book, Level
from domain.evidence import Quarantine
from domain.fees import Fee, KalshiFee, PolymarketFee
from domain.money import price, size, usd
from domain.opportunity import Opportunity
from domain.pair import Pair
from domain.policy import Bounds, ExecutorSettings, Timing
from domain.sizing import Side, size_pair
from domain.venue import Instrument, Mode, Outcome, TickBand, Venue
from tests.virtual.exchange import ONE, Quote
from tests.virtual.loop import VirtualLoop
from tests.virtual.script import QUARANTINE_MS, Script

SETTINGS = ExecutorSettings(enabled=True, max_bet=usd("9.80"))
TIMING = Timing(
    polymarket_quarantine=Quarantine(wait_ms=QUARANTINE_MS),
    kalshi_quarantine=Quarantine(wait_ms=QUARANTINE_MS, needs_as_of=True),
)
PAIR = Pair("p1", "Celtics beat Lakers", "0xc0nd1t10n", "KXNBAGAME-BOS")


def a_plan(loop: VirtualLoop, script: Script) -> ArbitrageInput:
    """Sized by the product from the books of the script."""
    sides = [
        _side(loop, Venue.POLYMARKET, Outcome.YES, PolymarketFee(Decimal("0.05")), script),
        _side(loop, Venue.KALSHI, Outcome.NO, KalshiFee(Decimal(1)), script),
    ]
    found = size_pair(PAIR, sides[0], sides[1], SETTINGS, loop.now_us * 1000)
    assert isinstance(found, Opportunity), found
    return ArbitrageInput(f"arb-{script.seed}", found, Mode.SIM, Bounds(), TIMING)


def _side(loop: VirtualLoop, venue: Venue, outcome: Outcome, fee: Fee, script: Script) -> Side:
    instrument = Instrument(
        venue=venue,
        market=PAIR.condition_id if venue is Venue.POLYMARKET else PAIR.ticker,
        token=f"{venue}-{outcome}",
        outcome=outcome,
        ticks=(TickBand(Decimal(0), Decimal(1), Decimal("0.01")),),
        size_step=size("0.01"),
        size_min=size(0),
        notional_min=usd(0),
        fee=fee,
    )
    return Side(instrument, _book(loop, venue, instrument.token, script.quotes[venue]), usd(1000))


def _book(loop: VirtualLoop, venue: Venue, token: str, quote: Quote) -> Book:
    def level(micro: int, depth: int) -> Level:
        return Level(price(Decimal(micro) / ONE), size(Decimal(depth) / ONE))

    return Book(
        venue=venue,
        token=token,
        asks=(level(quote.ask, quote.depth),),
        bids=(level(quote.bid, quote.bid_depth),),
        version=1,
        at_ms=loop.now_ms,
        received_ns=loop.now_us * 1000,
    )
