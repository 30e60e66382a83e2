"""A venue changes its fee while a pair is held: what is sold is booked at the fee of the day."""

import asyncio
from dataclasses import replace
from decimal import Decimal

from domain.fees import PolymarketFee
from domain.order import Purpose
from domain.trade import Phase
from domain.venue import Venue
from tests.support.books import assert_books_balance
from tests.support.scene import Scene
from tests.support.trading import Trading
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, Snapshot


async def closed(desk: Trading, workflow_id: str) -> Snapshot:
    """A person closes the pair; both exchanges' books agree with ours to the cent."""
    handle = handle_of(desk.client, workflow_id)
    word = CloseRequest("ann")
    ended: Snapshot = await handle.execute_update(names.CLOSE_POSITION, word, result_type=Snapshot)
    assert ended.phase is Phase.FLAT, ended.story
    await assert_books_balance(desk)
    return ended


async def fee_of_sale(desk: Trading, ended: Snapshot) -> Decimal:
    """The rate that Polymarket's sale was booked at."""
    state = await desk.desk.journal.arbitrage(ended.arb_id)
    (sale,) = (
        one.order
        for one in state.intents
        if one.order.purpose is Purpose.CLOSE and one.order.venue is Venue.POLYMARKET
    )
    assert isinstance(sale.instrument.fee, PolymarketFee)
    return sale.instrument.fee.rate


async def test_a_close_books_the_fee_of_the_day(scene: Scene, pair: str) -> None:
    """Weeks later: the executor that sells has never read the market before."""
    async with scene.hire() as first:
        handle = await first.hold(pair)
        await first.control.knobs("polymarket", markets={pair: {"fee_rate": "0.12"}})
    async with scene.hire() as later:
        ended = await closed(later, handle.id)
        assert await fee_of_sale(later, ended) == Decimal("0.12")


async def test_rules_that_are_never_told_hold_up_no_sale(scene: Scene, pair: str) -> None:
    async with scene.hire() as first:
        handle = await first.hold(pair)

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    gamma = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    urls = {**scene.sim["urls"], "gamma": gamma}
    async with replace(scene, sim={**scene.sim, "urls": urls}).hire() as later:
        ended = await closed(later, handle.id)
        assert not [line.said for line in ended.story if "nothing sent" in line.said]
    silent.close()
