"""The arbitrage of a run: ten contracts, YES at 0.42 and NO at 0.50."""

from decimal import Decimal
from functools import cache

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
from tests.virtual.loop import START_US
from tests.virtual.script import QUARANTINE_MS, Script

SETTINGS = ExecutorSettings(enabled=True, max_bet=usd("9.80"))
TIMING = Timing(
    polymarket_quarantine=Quarantine(wait_ms=QUARANTINE_MS),
    kalshi_quarantine=Quarantine(wait_ms=QUARANTINE_MS, needs_as_of=True),
    provisional_pause_ms=2_500,
    settle_pause_ms=120_000,
)
PAIR = Pair("p1", "Celtics beat Lakers", "0xc0nd1t10n", "KXNBAGAME-BOS")


def a_plan(script: Script) -> ArbitrageInput:
    """Sized by the product from the books of the script, seen as the clock starts."""
    bids = (script.quotes[venue].bid for venue in Venue)
    asks = (script.quotes[venue].ask for venue in Venue)
    found = _opportunity(tuple(zip(asks, bids, strict=True)))
    bounds = Bounds(buy_opposite=script.buy_opposite)
    return ArbitrageInput(
        f"arb-{script.seed}", found, Mode.SIM, bounds, TIMING, rest_after=script.rest_after
    )


@cache
def _opportunity(prices: tuple[tuple[int, int], ...]) -> Opportunity:
    fees: tuple[Fee, Fee] = PolymarketFee(Decimal("0.05")), KalshiFee(Decimal(1))
    sides = [
        _side(venue, outcome, fee, Quote(*price))
        for venue, outcome, fee, price in zip(Venue, Outcome, fees, prices, strict=True)
    ]
    found = size_pair(PAIR, sides[0], sides[1], SETTINGS, START_US * 1000)
    assert isinstance(found, Opportunity), found
    return found


def _side(venue: Venue, outcome: Outcome, fee: Fee, quote: Quote) -> Side:
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
    return Side(instrument, _book(venue, instrument.token, quote), usd(1000))


def _book(venue: Venue, token: str, quote: Quote) -> Book:
    def level(micro: int, depth: int) -> Level:
        return Level(price(Decimal(micro) / ONE), size(Decimal(depth) / ONE))

    return Book(
        venue=venue,
        token=token,
        asks=(level(quote.ask, quote.depth),),
        bids=(level(quote.bid, quote.bid_depth),),
        version=1,
        at_ms=START_US // 1000,
        received_ns=START_US * 1000,
    )
