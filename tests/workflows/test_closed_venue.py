"""A venue that closes under a naked leg: no attempt is spent, and the sale follows its opening."""

import asyncio
import time

import pytest

from domain.order import NotFilled, Rejection
from domain.trade import Phase
from domain.venue import Venue
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import FEW_TRIES, Trading
from workflows import names
from workflows.snapshot import CloseRequest, Snapshot

MODES = [
    ("polymarket", "restarting"),
    ("polymarket", "post_only"),
    ("polymarket", "maintenance"),
    ("kalshi", "maintenance"),
]


async def refusals(desk: Trading, arb_id: str) -> list[Rejection]:
    """Why the venue refused each sale that it refused."""
    state = await desk.desk.journal.arbitrage(arb_id)
    answers = [one.answer for one in state.intents if one.order.action == "sell"]
    return [answer.rejection for answer in answers if isinstance(answer, NotFilled)]


async def _in_time(arb_id: str, desk: Trading, tries: int, seconds: float = 30) -> None:
    """Until so many sales were refused."""
    deadline = time.monotonic() + seconds
    while len(await refusals(desk, arb_id)) < tries:
        assert time.monotonic() < deadline, f"expected {tries} refused sales"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("venue", "mode"), MODES)
async def test_refusals_of_a_closed_venue_spend_no_attempt(
    patient: Trading, pair: str, venue: str, mode: str
) -> None:
    gone = Venue(venue).sibling
    # The missing leg's answer is held up until the venue of the other one has closed.
    await patient.control.fault(gone, pair, "buy", "hang", params={"ms": 2_500})
    handle = await patient.open(pair, gone=gone, bounds=FEW_TRIES)
    await patient.until(handle, lambda s: getattr(s, venue).state.held > 0)
    async with patient.closed(venue, mode):
        await patient.until_phase(handle, Phase.UNWINDING)
        await _in_time(handle.id, patient, tries=2 * FEW_TRIES.unwind_attempts)
        waiting = await handle.query(names.SNAPSHOT, result_type=Snapshot)
        assert waiting.phase == Phase.UNWINDING
        assert alarms(patient.database)["UNHEDGED"] == 1
    ended = await handle.result()
    assert ended.phase == Phase.FLAT
    assert not any(line.phase == Phase.NEEDS_OPERATOR for line in ended.story)
    why = await refusals(patient, ended.arb_id)
    assert set(why) == {Rejection.VENUE_CLOSED}
    assert not alarms(patient.database)
    await assert_books_balance(patient)


async def test_a_storm_of_429_spends_no_attempt(steady: Trading, pair: str) -> None:
    await steady.control.fault("kalshi", pair, "sell", "rate_limited", times=6)
    snapshot = await steady.trade(pair, gone="polymarket", bounds=FEW_TRIES)
    assert snapshot.phase == Phase.FLAT
    assert await refusals(steady, snapshot.arb_id) == [Rejection.RATE_LIMITED] * 6
    await assert_books_balance(steady)


async def test_half_a_close_at_a_venue_that_has_closed_is_loud(steady: Trading, pair: str) -> None:
    """Polymarket's leg is sold, Kalshi's cannot be: that is naked, and an alarm says so."""
    handle = await steady.hold(pair)
    async with steady.closed("kalshi", "maintenance"):
        closing = asyncio.ensure_future(
            handle.execute_update(names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot)
        )
        await steady.until(handle, lambda s: s.polymarket.state.held == 0)
        await _in_time(handle.id, steady, tries=2)
        assert alarms(steady.database) == {"UNHEDGED": 1}
    assert (await closing).phase == Phase.FLAT
    assert not alarms(steady.database)
    await assert_books_balance(steady)
