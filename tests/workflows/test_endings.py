"""Every way an arbitrage can end, on real exchanges, a real server and a real journal."""

from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.support.trading import Trading


async def test_both_legs_fill_and_the_pair_is_locked(desk: Trading, pair: str) -> None:
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert snapshot.polymarket.state.held == snapshot.kalshi.state.held == snapshot.size
    assert snapshot.locked_profit is not None and snapshot.locked_profit > 0


async def test_a_killed_kalshi_leg_is_rolled_back(desk: Trading, pair: str) -> None:
    await desk.control.fault("kalshi", pair, "buy", "kill")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    assert snapshot.polymarket.state.held == 0 < snapshot.polymarket.state.bought
    assert snapshot.realised_profit is not None and snapshot.realised_profit < 0


async def test_a_killed_polymarket_leg_is_rolled_back(desk: Trading, pair: str) -> None:
    await desk.control.fault("polymarket", pair, "buy", "kill")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    assert snapshot.kalshi.state.held == 0 < snapshot.kalshi.state.bought


async def test_two_killed_legs_leave_nothing(desk: Trading, pair: str) -> None:
    for venue in Venue:
        await desk.control.fault(venue, pair, "buy", "kill")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.FAILED)
    assert snapshot.realised_profit == 0
