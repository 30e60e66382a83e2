"""An order is answered in time, whatever its venue does not say."""

import time
from dataclasses import replace

from domain.order import Unknown
from tests.venues.polymarket.conftest import Desk, leave
from venues.polymarket.account import Timeouts
from venues.polymarket.client import PolymarketClient


async def test_a_match_of_several_trades_waits_for_no_list_that_is_silent(desk: Desk) -> None:
    """Whoever waits for the answer may have been asked to stop."""
    await desk.quote([], [["0.50", "3"], ["0.51", "3.33"], ["0.53", "100"]])
    await desk.fault("hang_before", "read", times=0, ms=60_000)
    client = PolymarketClient(replace(desk.account, timeouts=Timeouts()))
    order, began = desk.order("buy", "10", "0.54"), time.monotonic()
    try:
        answer = await client.place(order, client.identify(order), leave)
    finally:
        await client.close()
    assert time.monotonic() - began < 4, "one read alone is waited for five seconds"
    assert answer == Unknown("matched, but its trades were not listed within 1 s")
