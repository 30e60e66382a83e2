"""A step that was given up while it still ran must not sell what its successor sells."""

import asyncio

from temporalio.testing import ActivityEnvironment

from activities.messages import UnwindRequest
from activities.unwind import UnwindActivities
from domain.money import usd
from domain.order import Purpose
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Venue
from tests.support.books import assert_books_balance
from tests.support.trading import Trading


async def test_two_unwinds_of_the_same_excess_sell_it_once(steady: Trading, pair: str) -> None:
    """As after a stalled event loop: the server has given up the first one, which wakes up."""
    untried = Bounds(cooldown_ms=0, unwind_attempts=0)
    handle = await steady.reach(pair, Phase.NEEDS_OPERATOR, gone="polymarket", bounds=untried)
    held = await steady.until_phase(handle, Phase.NEEDS_OPERATOR)
    await handle.terminate("the test unwinds by hand")
    opportunity = (await steady.desk.journal.arbitrage(handle.id)).opportunity
    unwind = UnwindActivities(steady.desk).unwind

    def request(sequence: int) -> UnwindRequest:
        return UnwindRequest(
            arb_id=handle.id,
            opportunity=opportunity,
            venue=Venue.KALSHI,
            excess=held.kalshi.state.held,
            purpose=Purpose.UNWIND,
            sequence=sequence,
            attempt=1,
            budget=usd(20),
            deadline_ms=5_000,
        )

    steps = [ActivityEnvironment().run(unwind, request(sequence)) for sequence in (101, 102, 103)]
    await asyncio.gather(*steps)
    late = await ActivityEnvironment().run(unwind, request(104))
    assert late.leg.state.held == 0
    await assert_books_balance(steady)
