"""A venue whose reads are slow, or never answered, under a naked leg: slow is not dead."""

import asyncio
import time
from dataclasses import replace

import pytest

from domain.order import Purpose
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.support.books import assert_books_balance
from tests.support.trading import FEW_TRIES, Trading
from workflows import names
from workflows.snapshot import Snapshot

SLOW_MS = 2_000
"""Longer than the server waits for a heartbeat."""
BLACK_HOLE_MS = 60_000


@pytest.mark.parametrize("venue", list(Venue))
async def test_a_book_that_is_read_slowly_is_sold_into_at_the_first_attempt(
    steady: Trading, pair: str, venue: Venue
) -> None:
    await steady.control.fault(venue.sibling, pair, "buy", "hang", params={"ms": 400})
    handle = await steady.open(pair, gone=venue.sibling, bounds=FEW_TRIES)
    await steady.control.fault(venue, pair, "read", "delay", times=0, params={"ms": SLOW_MS})
    ended = await handle.result()
    assert (ended.phase, ended.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK), ended.story
    state = await steady.desk.journal.arbitrage(ended.arb_id)
    sales = [one for one in state.intents if one.order.purpose is Purpose.UNWIND]
    assert len(sales) == 1
    assert not [line.said for line in ended.story if "no report" in line.said]
    await assert_books_balance(steady)


async def test_a_book_that_is_never_answered_spends_no_attempt(steady: Trading, pair: str) -> None:
    """More tries than there are attempts: nobody is called, and the sale follows the answer."""
    bounds = replace(FEW_TRIES, unwind_attempts=1)
    await steady.control.fault("polymarket", pair, "buy", "hang", params={"ms": 400})
    handle = await steady.open(pair, gone="polymarket", bounds=bounds)
    await steady.control.fault(
        "kalshi", pair, "read", "hang_before", times=0, params={"ms": BLACK_HOLE_MS}
    )
    deadline = time.monotonic() + 40
    said: list[str] = []
    while len(said) < 2 * bounds.unwind_attempts:
        assert time.monotonic() < deadline, said
        now = await handle.query(names.SNAPSHOT, result_type=Snapshot)
        assert now.phase is not Phase.NEEDS_OPERATOR, now.story
        said = [line.said for line in now.story if "cannot be read" in line.said]
        await asyncio.sleep(0.2)
    await steady.control.clear_faults()
    ended = await handle.result()
    assert ended.phase is Phase.FLAT, ended.story
    assert not [line.said for line in ended.story if "no report" in line.said]
    await assert_books_balance(steady)
