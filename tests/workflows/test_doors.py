"""No entry goes into a venue that refuses orders; it may again once the venue has opened."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from activities import doors
from app.doorkeeper import Doorkeeper
from domain.policy import Refusal
from domain.trade import Phase
from store.audit import Act
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import Trading
from workflows.snapshot import Snapshot

NewPair = Callable[[], str]


async def orders(desk: Trading, pair: str) -> list[tuple[str, str]]:
    """Every order that arrived at an exchange for this pair: venue and action."""
    state: Mapping[str, Any] = await desk.control.state()
    return [
        (venue, row["action"])
        for venue in ("polymarket", "kalshi")
        for row in state[venue]["orders"]
        if row["pair"] == pair
    ]


async def refused(desk: Trading, pair: str) -> Snapshot:
    """An opportunity that comes to nothing, without any order."""
    snapshot = await desk.until_at_rest(await desk.open(pair))
    assert snapshot.phase is Phase.REFUSED, snapshot.story
    assert await orders(desk, pair) == []
    return snapshot


async def reason(desk: Trading, snapshot: Snapshot) -> tuple[str | None, str | None]:
    state = await desk.desk.journal.arbitrage(snapshot.arb_id)
    return state.reason, state.detail


async def opened(keeper: Doorkeeper, desk: Trading, seconds: float = 20) -> None:
    """Ask as the executor does until both venues take orders."""
    deadline = time.monotonic() + seconds
    while desk.desk.doors.closed(desk.desk.wall_ms()):
        assert time.monotonic() < deadline, "the door never opened"
        await asyncio.sleep(0.2)
        await keeper.look_at_closed()


@asynccontextmanager
async def post_only_for(desk: Trading, ms: int) -> AsyncIterator[None]:
    """Within the block the mode ends by itself after that long."""
    await desk.control.knobs("polymarket", post_only_ms=ms)
    try:
        yield
    finally:
        await desk.control.knobs("polymarket", post_only_ms=120_000)


async def test_one_refusal_of_polymarket_in_post_only_mode_keeps_all_later_entries_back(
    steady: Trading, new_pair: NewPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an order learns of that mode: the first one pays for it, and nobody after it."""
    monkeypatch.setattr(doors, "HOLD_MS", 100)
    keeper = Doorkeeper(steady.desk)
    async with post_only_for(steady, 20_000), steady.closed("polymarket", "post_only"):
        await keeper.look()
        first = await steady.until_at_rest(await steady.open(new_pair()))
        assert first.phase is Phase.FLAT
        for _ in range(3):
            await keeper.look_at_closed()
            snapshot = await refused(steady, new_pair())
            told, detail = await reason(steady, snapshot)
            assert told == Refusal.VENUE_CLOSED
            assert "polymarket takes no orders" in str(detail)
            assert "post-only" in str(detail)
        await opened(keeper, steady, seconds=40)
        # The mode was over by then: nobody had to end it for us.
        await steady.hold(new_pair())
    await assert_books_balance(steady)


async def test_a_pause_of_kalshi_is_known_before_any_order(
    steady: Trading, new_pair: NewPair
) -> None:
    keeper = Doorkeeper(steady.desk)
    async with steady.closed("kalshi", "maintenance"):
        await keeper.look()
        for _ in range(2):
            told, detail = await reason(steady, await refused(steady, new_pair()))
            assert told == Refusal.VENUE_CLOSED
            assert "kalshi takes no orders" in str(detail)
    await opened(keeper, steady)
    await steady.hold(new_pair())


async def test_an_unwind_leaves_while_the_door_is_closed(
    steady: Trading, new_pair: NewPair
) -> None:
    """Kalshi's answer is late; meanwhile both doors close. What Polymarket filled is sold."""
    pair = new_pair()
    await steady.control.fault("kalshi", pair, "buy", "hang", params={"ms": 600})
    handle = await steady.open(pair, gone="kalshi")
    await steady.until(handle, lambda s: s.polymarket.state.held > 0)
    for venue in steady.desk.venues:
        steady.desk.doors.unread(venue, "no connection", steady.desk.wall_ms())
    ended = await steady.until_at_rest(handle)
    assert ended.phase is Phase.FLAT
    assert ("polymarket", "sell") in await orders(steady, pair)
    await assert_books_balance(steady)


@pytest.mark.parametrize("knob", ["banned", "closed_only"])
async def test_an_account_that_a_venue_refuses_halts_entries_under_a_red_alarm(
    steady: Trading, new_pair: NewPair, knob: str
) -> None:
    await steady.control.knobs("polymarket", **{knob: True})
    try:
        first = await steady.until_at_rest(await steady.open(new_pair()))
        assert first.phase is Phase.FLAT
        state = await steady.desk.journal.run_state()
        assert state.halted
        assert "polymarket refuses this account" in str(state.reason)
        assert alarms(steady.database)["ACCOUNT_REFUSED"] == 1
        assert (await reason(steady, await refused(steady, new_pair())))[0] == Refusal.HALTED
    finally:
        await steady.control.knobs("polymarket", **{knob: False})
    await steady.desk.journal.resume(Act("ada", "test", steady.desk.wall_ms()))
    assert not alarms(steady.database)
    await steady.hold(new_pair())
