"""A leg is naked and the disk does not write: nothing is sold that is not written down, and the
sale follows by itself once it writes again."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.demo.control import Control, Quote
from domain.trade import Phase
from tests.support.books import alarms, assert_books_balance
from tests.support.disk import LIMITS, writing_nothing
from tests.support.places import FILES
from tests.support.scene import Scene
from tests.support.trading import FEW_TRIES
from tests.workflows.test_crashes import NIMBLE


@FILES
@LIMITS
async def test_a_naked_leg_is_sold_once_the_disk_writes_again(scene: Scene, pair: str) -> None:
    async with scene.hire() as away:
        handle = await away.reach(
            pair,
            Phase.NEEDS_OPERATOR,
            gone="kalshi",
            polymarket_bid="0.01",
            bounds=FEW_TRIES,
            timing=NIMBLE,
        )
    async with Control(scene.sim["urls"]["control"]) as control:

        async def orders() -> list[Any]:
            state: Mapping[str, Any] = await control.state()
            return [one for one in state["polymarket"]["orders"] if one["pair"] == pair]

        bought = await orders()
        with scene.process() as executor:
            with writing_nothing(executor.process.pid):
                await control.books(pair, Quote("0.48", "0.50"), Quote("0.02", "0.60"))
                await asyncio.sleep(4)
                assert await orders() == bought, "something was sold that is not written down"
            ended = await handle.result()
        assert ended.phase is Phase.FLAT
        assert len(await orders()) == len(bought) + 1
    assert not alarms(away.database)
    async with scene.hire() as after:
        await assert_books_balance(after)
