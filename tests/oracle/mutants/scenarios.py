"""Short scripts that provoke one kind of mistake; on the true executor all of them are clean."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.demo.control import Quote
from domain.money import proceeds_floor
from tests.support.trading import PATIENT, QUICK, Trading, change_settings
from workflows.handle import ArbitrageHandle

Scenario = Callable[[Trading], Awaitable[None]]
REST_S = 8
GIVEN_UP: list[str] = []
"""What was waited for in vain since the scenario began."""
SLOW = replace(QUICK, unwind_pause_ms=200, unwind_pause_ms_max=400)


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Waiting that may be in vain: a mutant is judged all the same, the true executor by that."""
    try:
        yield
    except TimeoutError:
        GIVEN_UP.append(what)


async def rest(trading: Trading, handle: object) -> None:
    """Wait for rest."""
    with patience("rest"):
        await trading.until_at_rest(handle, REST_S)  # type: ignore[arg-type]


async def locked(trading: Trading) -> None:
    """Both legs fill, the pair is held; then an operator changes a setting."""
    await rest(trading, await trading.open("p01"))
    await change_settings(trading.desk, {"max_daily_trades": 9_000})


async def settled(trading: Trading) -> None:
    """Both legs are held until the question is answered."""
    handle = await trading.open("p01")
    await rest(trading, handle)
    await trading.control.resolve("p01", "yes", "yes")
    with patience("the end"):
        await asyncio.wait_for(handle.result(), REST_S)


async def polymarket_naked(trading: Trading) -> None:
    """Kalshi's offer is gone: Polymarket's leg is sold."""
    await rest(trading, await trading.open("p01", gone="kalshi"))


async def kalshi_naked(trading: Trading) -> None:
    """Polymarket's offer is gone: Kalshi's leg is sold."""
    await rest(trading, await trading.open("p01", gone="polymarket"))


async def slow_settlement(trading: Trading) -> None:
    """As `kalshi` gone, while Polymarket's chain takes its time between MINED and CONFIRMED."""
    async with trading.slow_chain(1_000):
        await rest(trading, await trading.open("p01", gone="kalshi"))


async def answer_lost(trading: Trading) -> None:
    """Kalshi matches and never answers; both legs are held."""
    await trading.control.fault("kalshi", "p01", "buy", "drop_after")
    await rest(trading, await trading.open("p01"))


async def polymarket_answer_lost(trading: Trading) -> None:
    """Polymarket matches and never answers; both legs are held."""
    await trading.control.fault("polymarket", "p01", "buy", "drop_after")
    await rest(trading, await trading.open("p01"))


async def answer_late(trading: Trading) -> None:
    """Kalshi's match is invisible to reads for a while, and its answer is lost."""
    await trading.control.fault("kalshi", "p01", "buy", "delay", params={"ms": 800})
    timing = replace(
        QUICK,
        polymarket_quarantine=replace(QUICK.polymarket_quarantine, wait_ms=1_500),
        kalshi_quarantine=replace(QUICK.kalshi_quarantine, wait_ms=1_500),
    )
    await rest(trading, await trading.open("p01", timing=timing))
    await asyncio.sleep(1)


async def error_after(trading: Trading) -> None:
    """Kalshi matches and answers 500."""
    await trading.control.fault("kalshi", "p01", "buy", "error_after")
    await rest(trading, await trading.open("p01"))


async def order_lost(trading: Trading) -> None:
    """Kalshi's order never arrives, and its offer is gone when that is known."""
    await trading.control.fault("kalshi", "p01", "buy", "drop_before")
    await rest(trading, await trading.open("p01", gone="kalshi"))


async def ghost(trading: Trading) -> None:
    """Polymarket's match fails on the chain after the lock; Kalshi's leg is sold."""
    await trading.control.fault("polymarket", "p01", "buy", "ghost", params={"ms": 400})
    handle = await trading.open("p01")
    with patience("HOLDING"):
        await trading.until_phase(handle, "HOLDING")
    await trading.withdraw("p01", "polymarket")
    await asyncio.sleep(0.8)
    await rest(trading, handle)


async def partial(trading: Trading) -> None:
    """Kalshi fills 8 of 20; what Polymarket holds beyond is sold."""
    await trading.control.fault("kalshi", "p01", "buy", "partial", params={"size": "8"})
    async with trading.slow_chain(600):
        handle = await trading.open("p01")
        while True:
            if (await trading.control.state())["kalshi"]["positions"]:
                break
            await asyncio.sleep(0.02)
        await trading.withdraw("p01", "kalshi")
        await rest(trading, handle)


async def sale_answer_lost(trading: Trading) -> None:
    """Kalshi's leg is naked, and the answer to its sale is lost."""
    await trading.control.fault("kalshi", "p01", "sell", "drop_after")
    await rest(trading, await trading.open("p01", gone="polymarket"))


async def unsellable(trading: Trading) -> None:
    """Kalshi's leg is naked and every sale is refused for longer than an alarm may take."""
    await trading.control.fault("kalshi", "p01", "sell", "kill", times=0)
    handle = await trading.open("p01", gone="polymarket", timing=SLOW)
    await asyncio.sleep(2.5)
    await rest(trading, handle)


async def refused_at_polymarket(trading: Trading) -> None:
    """Polymarket's leg is naked and its sales are refused for lack of balance, without leave to
    neutralise it."""
    await _unsellable_at_polymarket(trading, buy_opposite=False)


async def neutralised(trading: Trading) -> None:
    """The same with leave: the other outcome is bought beside it, and the pairs are held."""
    await _unsellable_at_polymarket(trading, buy_opposite=True)


async def held_at_a_loss(trading: Trading) -> None:
    """The pairs are held at a loss; what the day may lose has room for the next one's risk, and
    for half of that loss."""
    handle = await _unsellable_at_polymarket(trading, buy_opposite=True)
    held = await trading.until_at_rest(handle, REST_S)
    certain = (await trading.desk.journal.arbitrage(held.arb_id)).guaranteed
    await trading.control.edge("p02", 8)
    second = await trading.opportunity("p02")
    limit = proceeds_floor(PATIENT.loss_budget(second.dearer_outlay) - certain / 2)
    await change_settings(trading.desk, {"max_daily_loss": str(limit)})
    await rest(trading, await trading.start(second))


async def neutralised_and_paid(trading: Trading) -> None:
    """The pairs are held until the question is answered, against the leg's own outcome."""
    handle = await _unsellable_at_polymarket(trading, buy_opposite=True)
    await trading.control.resolve("p01", "no", "no")
    with patience("the end"):
        await asyncio.wait_for(handle.result(), REST_S)


async def _unsellable_at_polymarket(trading: Trading, *, buy_opposite: bool) -> ArbitrageHandle:
    await trading.control.fault("polymarket", "p01", "sell", "sell_refused", times=0)
    bounds = replace(PATIENT, unwind_attempts=2, buy_opposite=buy_opposite)
    handle = await trading.open("p01", gone="kalshi", bounds=bounds)
    await rest(trading, handle)
    return handle


async def better_price(trading: Trading) -> None:
    """Polymarket's offer is better than planned: its dollars buy more contracts."""
    await trading.control.edge("p01", 8)
    opportunity = await trading.opportunity("p01")
    await trading.control.books("p01", Quote("0.40", "0.42"), Quote("0.58", "0.60"))
    await rest(trading, await trading.start(opportunity))


async def operator_close(trading: Trading) -> None:
    """A locked pair is closed by its operator."""
    handle = await trading.open("p01")
    await rest(trading, handle)
    await handle.cancel()
    with patience("the end"):
        await asyncio.wait_for(handle.result(), REST_S)


async def limit(trading: Trading) -> None:
    """One trade a day is allowed, two are asked for."""
    await change_settings(trading.desk, {"max_daily_trades": 1})
    for pair in ("p01", "p02"):
        await rest(trading, await trading.open(pair))


async def only_matched(trading: Trading) -> None:
    """The day has room for one trade; a second one is asked for while the first one's match may
    still fail on the chain."""
    await trading.control.edge("p02", 8)
    second = await trading.opportunity("p02")
    async with trading.slow_chain(2_500):
        handle = await trading.open("p01")
        with patience("HOLDING"):
            await trading.until_phase(handle, "HOLDING")
        room = proceeds_floor(PATIENT.loss_budget(second.dearer_outlay) * 3 / 2)
        await change_settings(trading.desk, {"max_daily_loss": str(room)})
        await rest(trading, await trading.start(second))
        await rest(trading, handle)


async def smaller_bet(trading: Trading) -> None:
    """The bet is made smaller after an opportunity was sized."""
    await trading.control.edge("p01", 8)
    opportunity = await trading.opportunity("p01")
    await change_settings(trading.desk, {"max_bet": "10"})
    await rest(trading, await trading.start(opportunity))


async def disabled_between(trading: Trading) -> None:
    """Entries are disabled after the gate, while both orders wait for their first byte."""
    handle = await trading.open("p01")
    await trading.until_phase(handle, "PLACING")
    await change_settings(trading.desk, {"enabled": False})
    await rest(trading, handle)


async def late_start(trading: Trading) -> None:
    """The orders get to the last gate after their deadline."""
    bounds = replace(PATIENT, deadline_ms=400)
    await rest(trading, await trading.open("p01", bounds=bounds))


async def books_apart(trading: Trading) -> None:
    """One book was read most of a second before the other, and that is more than is allowed."""
    await trading.control.edge("p01", 8)
    opportunity = await trading.opportunity("p01")
    older = replace(opportunity.kalshi, book_lag_ms=900)
    await rest(trading, await trading.start(replace(opportunity, kalshi=older)))


async def one_old_book(trading: Trading) -> None:
    """The newer book was just read; the older one is past its deadline."""
    await trading.control.edge("p01", 8)
    opportunity = await trading.opportunity("p01")
    older = replace(opportunity.polymarket, book_lag_ms=11_000)
    bounds = replace(PATIENT, book_skew_ms_max=60_000)
    await rest(trading, await trading.start(replace(opportunity, polymarket=older), bounds))


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        locked, settled, polymarket_naked, kalshi_naked, slow_settlement, answer_lost,
        polymarket_answer_lost, answer_late, error_after, order_lost, ghost, partial,
        sale_answer_lost, unsellable, better_price, operator_close, limit, only_matched,
        smaller_bet, disabled_between, late_start, refused_at_polymarket, neutralised,
        held_at_a_loss, neutralised_and_paid, books_apart, one_old_book,
    )
}  # fmt: skip
SLOW_FIRST_BYTE = {"disabled_between": 1_400, "late_start": 900}
"""Scenarios in which every first byte is held up for so long (ms) before the last gate."""
