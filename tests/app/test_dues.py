"""What the page calls awaiting settlement: answered questions that are not paid, and sales that
the chain has not made final."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client

from api import slices
from app.dues import Dues
from domain.money import usd
from domain.policy import Bounds
from domain.venue import Mode, Venue
from store import views
from store.presence import Presence
from tests.support.processes import Child
from tests.support.trading import SETTLING, Trading, trading
from workflows import names
from workflows.snapshot import CloseRequest

pytestmark = pytest.mark.temporal
PAIR = "p01"


@pytest.fixture
async def trader(
    sim: Child, temporal_client: Client, task_queue: str, id_prefix: str, tmp_path: Path
) -> AsyncIterator[Trading]:
    """An executor without its scanner, on exchanges that settle fast."""
    async with trading(sim.ready, temporal_client, task_queue, id_prefix, tmp_path) as running:
        await running.control.knobs("polymarket", **SETTLING)
        yield running


async def shown(trader: Trading, owed: dict[str, str] | None) -> list[str | None]:
    """What a page says awaits settlement, per venue, with this report of the executor."""
    executor = Presence("executor-1", 0, 0, {"owed": owed})
    found = await trader.desk.journal.read(
        lambda s: {v: views.balance(s, v, Mode.SIM) for v in Venue}
    )
    told = slices.balances({v: b for v, b in found.items() if b is not None}, [executor])
    assert told is not None, "both balances were read"
    return [told["detail"][short]["awaiting_settlement"] for short in ("poly", "kalshi")]


async def test_an_answered_question_is_owed_until_the_venue_has_paid(trader: Trading) -> None:
    await trader.control.knobs("polymarket", redeem_ms=-1)
    handle = await trader.hold(PAIR)
    dues = Dues(trader.desk, Mode.SIM)
    await dues.read()
    assert dues.owed == dict.fromkeys(Venue, usd(0)), "the question is open"
    held = (await trader.desk.journal.arbitrage(handle.id)).leg(Venue.POLYMARKET).held
    await trader.control.resolve(PAIR, "yes", "yes")
    await dues.read()
    assert dues.owed == {Venue.POLYMARKET: held, Venue.KALSHI: usd(0)}
    owed = {venue.value: str(amount) for venue, amount in dues.owed.items()}
    poly, kalshi = await shown(trader, owed)
    assert (poly, kalshi) == (f"{held:.2f}", "0.00")


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_neutral_pairs_are_owed_whatever_the_answer(trader: Trading, answer: str) -> None:
    await trader.control.knobs("polymarket", redeem_ms=-1)
    await trader.control.fault("polymarket", PAIR, "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=1, buy_opposite=True)
    handle = await trader.hold(PAIR, gone="kalshi", bounds=bounds)
    leg = (await trader.desk.journal.arbitrage(handle.id)).polymarket
    assert leg.held == 0 < leg.neutral
    await trader.control.resolve(PAIR, answer, answer)
    dues = Dues(trader.desk, Mode.SIM)
    await dues.read()
    spare = leg.spare if answer == "no" else 0
    assert dues.owed == {Venue.POLYMARKET: leg.neutral + spare, Venue.KALSHI: usd(0)}


async def test_a_sale_awaits_its_chain(trader: Trading) -> None:
    handle = await trader.hold(PAIR)
    nothing = dict.fromkeys(("polymarket", "kalshi"), "0")
    assert await shown(trader, nothing) == ["0.00", "0.00"]
    async with trader.slow_chain(60_000):
        closing = asyncio.create_task(
            handle.execute_update(names.CLOSE_POSITION, CloseRequest("ada"))
        )
        await trader.until(handle, lambda snapshot: snapshot.polymarket.state.held == 0)
        poly, kalshi = await shown(trader, nothing)
        received = (await trader.desk.journal.arbitrage(handle.id)).leg(Venue.POLYMARKET).received
        assert Decimal(poly or "-1") == received > 0
        assert kalshi == "0.00"
        closing.cancel()


async def test_while_nobody_has_asked_it_is_not_known(trader: Trading) -> None:
    await trader.read_balances()
    assert await shown(trader, None) == [None, None]
