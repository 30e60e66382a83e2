"""A venue whose reads are slow, or never answered, under a naked leg: slow is not dead."""

import asyncio
import time
from dataclasses import replace

import pytest

from domain.money import usd
from domain.order import Purpose
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.support.books import assert_books_balance
from tests.support.trading import FEW_TRIES, PATIENT, Trading
from workflows import names
from workflows.snapshot import CloseRequest, Snapshot

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


@pytest.mark.parametrize("unheard", ["refresh", "balance"])
@pytest.mark.parametrize("fault", ["error", "misuse", "silence"])
async def test_a_naked_leg_is_sold_though_polymarket_does_not_tell_its_balance(
    steady: Trading, pair: str, unheard: str, fault: str
) -> None:
    """The venue itself refuses what it does not hold, and its book and its orders are well."""
    do, params = {
        "error": ("error_before", {"status": 503}),
        "misuse": ("error_before", {"status": 400}),
        "silence": ("hang_before", {"ms": BLACK_HOLE_MS}),
    }[fault]
    await steady.control.fault("polymarket", pair, unheard, do, times=0, params=params)
    bounds = replace(PATIENT, unwind_attempts=20)
    handle = await steady.open(pair, gone="kalshi", bounds=bounds)
    ended = await steady.until_at_rest(handle)
    assert (ended.phase, ended.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK), ended.story
    assert not [line.said for line in ended.story if "cannot be read" in line.said]
    await assert_books_balance(steady)


@pytest.mark.parametrize("heard", [False, True])
async def test_a_person_s_close_waits_for_a_balance_and_not_for_the_hint(
    steady: Trading, pair: str, heard: bool
) -> None:
    """He may have sold by hand since: then only the venue knows what is left."""
    handle = await steady.hold(pair)
    failing = "refresh" if heard else "balance"
    await steady.control.fault(
        "polymarket", pair, failing, "error_before", times=0, params={"status": 503}
    )
    close = asyncio.create_task(
        handle.execute_update(
            names.CLOSE_POSITION, CloseRequest("ann", loss_max=usd(20)), result_type=Snapshot
        )
    )
    if not heard:
        await steady.until(
            handle, lambda now: any("cannot be read" in line.said for line in now.story)
        )
        await steady.control.clear_faults()
    async with asyncio.timeout(20):
        ended = await close
    assert ended.phase is Phase.FLAT, ended.story
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
