"""An order that its venue forgets with its end."""

import pytest

from domain.evidence import STREAMS, Observation, Quarantine, conclude_absent
from domain.order import Filled, NotFilled, Rejection, Unknown
from domain.venue import Venue
from tests.venues.polymarket.conftest import Desk
from tests.venues.polymarket.test_client import until
from venues.polymarket.client import PolymarketClient
from venues.polymarket.lookup import LISTED

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("says", ["", "order match delayed due to market conditions", "later"])
async def test_a_delayed_order_is_unknown_whatever_is_said_beside_it(desk: Desk, says: str) -> None:
    """It had been taken for refused, its sibling was sold, and then it was matched."""
    turned = {"delayed_says": says, "markets": {desk.pair["id"]: {"seconds_delay": 1}}}
    await desk.post("/knobs", venue="polymarket", knobs=turned)
    order = desk.order("buy", "10", "0.52")
    answer = await desk.place(order)
    assert isinstance(answer, Unknown), answer

    async def matched() -> bool:
        return isinstance(await desk.find(order), Filled)

    await until(matched)


@pytest.mark.parametrize("taken_over", [False, True], ids=["same", "another"])
async def test_an_order_that_was_shown_at_work_and_is_gone_ends_by_its_absence(
    desk: Desk, taken_over: bool
) -> None:
    """A delayed market accepts it, and forgets it with its end; a look while it worked is no
    reason to wait for ever, and neither is the stream's word of then. Another process has not
    heard that word, and its own stream was not connected when the order was sent."""
    turned = {"order_vanish_ms": 1, "markets": {desk.pair["id"]: {"seconds_delay": 3}}}
    await desk.post("/knobs", venue="polymarket", knobs=turned)
    order = desk.order("buy", "10", "0.52")
    identity = desk.client.identify(order)
    await desk.find(order)  # opens the stream
    assert isinstance(await desk.place(order), Unknown)
    await desk.quote([["0.10", "50"]], [["0.90", "50"]])
    assert isinstance(await desk.find(order), Unknown)
    seen: list[Observation] = []
    ended: NotFilled | None = None
    if taken_over:
        seen.append(Observation(STREAMS[Venue.POLYMARKET], order.created_at_ms + 1, found=True))
        await desk.client.close()
        desk.client = PolymarketClient(desk.account)

    async def gone() -> bool:
        nonlocal ended
        sighting = await desk.client.find(order, identity, order.created_at_ms)
        seen.extend(sighting.observations)
        if sighting.answer is None:
            now_ms = max(one.at_ms for one in seen)
            rule = Quarantine(wait_ms=500, must=LISTED)
            answer = conclude_absent(tuple(seen), order.created_at_ms, now_ms, rule)
            ended = answer if isinstance(answer, NotFilled) else None
        return ended is not None

    await until(gone)
    assert ended is not None
    assert ended.rejection is Rejection.NEVER_ARRIVED
    assert ended.detail.endswith("since it was last shown")
    assert not (await desk.ledger())["trades"]
