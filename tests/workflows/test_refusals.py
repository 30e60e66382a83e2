"""Every word the gate can refuse with, through the whole saga: nothing is sent, nothing is held."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from domain.funds import Funds
from domain.money import usd
from domain.policy import Bounds, Refusal
from domain.trade import Phase
from domain.venue import Mode, Venue
from store.audit import Act
from tests.domain.tables import rows
from tests.support.books import assert_books_balance
from tests.support.trading import Trading, change_settings
from workflows import story

SETTINGS = """
    reason                setting             value
    disabled              enabled             -
    bet_below_minimum     min_bet             19.99
    bet_above_maximum     max_bet             5
    edge_below_policy     min_roi             45
    roi_above_policy      max_roi             1
    daily_trades_reached  max_daily_trades    0
    daily_loss_reached    max_daily_loss      0.5
"""


async def refused(desk: Trading, pair: str, reason: str, bounds: Bounds | None = None) -> None:
    """The arbitrage ends refused for this reason, and no venue hears of it."""
    before = await desk.control.state()
    handle = await desk.open(pair, bounds=bounds)
    snapshot = await handle.result()
    assert snapshot.phase == Phase.REFUSED
    assert snapshot.reason.startswith(f"{Refusal(reason)}: "), snapshot.reason
    found = (await handle.describe()).typed_search_attributes
    assert (found[story.PHASE], found[story.OUTCOME]) == ("REFUSED", "FAILED")
    after = await desk.control.state()
    for venue in Venue:
        assert after[venue]["orders"] == before[venue]["orders"]
    await assert_books_balance(desk)


@pytest.mark.parametrize(("reason", "setting", "value"), rows(SETTINGS))
async def test_a_setting_that_forbids_it_is_named(
    steady: Trading, pair: str, reason: str, setting: str, value: str
) -> None:
    number = int(value) if setting == "max_daily_trades" else value
    await change_settings(steady.desk, {setting: False if value == "-" else number})
    await refused(steady, pair, reason)


async def test_a_halt_a_taken_pair_and_a_resting_pair_are_named(
    steady: Trading, pair: str, new_pair: Callable[[], str]
) -> None:
    await steady.trade(pair)
    await refused(steady, pair, "pair_already_open")
    rested = new_pair()
    await steady.trade(rested, gone="polymarket")
    await refused(steady, rested, "pair_cooling_down", Bounds(cooldown_ms=60_000))
    await steady.desk.journal.halt("a test", Act("test", "test", steady.desk.wall_ms()))
    with pytest.raises(AssertionError, match="entries halted"):
        await refused(steady, new_pair(), "halted")
    await steady.desk.journal.resume(Act("test", "test", steady.desk.wall_ms()))
    await assert_books_balance(steady)


@pytest.mark.parametrize("venue", list(Venue))
async def test_cash_that_is_short_is_named_by_its_venue(
    steady: Trading, pair: str, venue: Venue
) -> None:
    """A later reading than the one the start takes."""
    later = steady.desk.wall_ms() + 30_000
    await steady.desk.journal.record_balance(venue, Mode.SIM, Funds(usd(1)), later)
    await refused(steady, pair, f"{venue}_cash_too_low")


async def test_cash_that_was_read_too_long_ago_is_not_counted_on(
    steady: Trading, pair: str
) -> None:
    await refused(steady, pair, "balance_unknown", Bounds(cooldown_ms=0, balance_age_ms_max=-1))


async def test_cash_on_another_shard_is_none(steady: Trading, new_pair: Callable[[], str]) -> None:
    """Kalshi holds thousands, none of them where this market's orders are paid from."""
    listed: Any = {str(one["id"]): one for one in await steady.control.pairs()}
    pairs = [new_pair() for _ in range(12)]
    shard_of = {pair: int(listed[pair]["kalshi"]["exchange_index"]) for pair in pairs}
    empty = shard_of[pairs[0]]
    other = next(pair for pair in pairs if shard_of[pair] != empty)
    ledger: Any = (await steady.control.state())["kalshi"]
    cash = Decimal(ledger["shards"][str(empty)])
    assert Decimal(ledger["cash"]) - cash > 1_000
    await steady.control.cash("kalshi", -cash, empty)
    try:
        await refused(steady, pairs[0], "kalshi_cash_too_low")
        state: Any = await steady.control.state()
        sent = [row for venue in Venue for row in state[venue]["orders"]]
        assert not any(row["pair"] == pairs[0] for row in sent)
        assert (await steady.trade(other)).phase is Phase.HOLDING
    finally:
        await steady.control.cash("kalshi", cash, empty)
    await steady.hold(pairs[0])
