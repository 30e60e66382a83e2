"""Law: whatever is ordered, failed, cancelled or resolved, no cent and no share is unexplained."""

import asyncio
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.polymarket.trades import FINAL
from sim.units import micros
from tests.sim.polymarket.harness import Sim, running, until

ORDERS = st.tuples(
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from(["yes", "no"]),
    st.sampled_from(["FOK", "FAK", "GTC"]),
    st.integers(min_value=30, max_value=70),
    st.integers(min_value=5, max_value=300),
)
FAULTS = st.sampled_from(["", "", "", "ghost", "partial", "error_after", "duplicate", "kill"])
STEPS = st.lists(st.tuples(ORDERS, FAULTS), min_size=1, max_size=12)


@given(steps=STEPS, outcome=st.sampled_from(["yes", "no", "half"]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cash_and_tokens_follow_from_the_trades_alone(
    steps: list[tuple[tuple[str, str, str, int, int], str]], outcome: str
) -> None:
    asyncio.run(drive(steps, outcome))


async def drive(steps: list[tuple[tuple[str, str, str, int, int], str]], outcome: str) -> None:
    async with running(settle_mined_ms=1, settle_confirmed_ms=1, order_vanish_ms=0) as sim:
        for (side, of, order_type, cents, size), fault in steps:
            if fault:
                params = {"size": "3"} if fault == "partial" else {"ms": 1}
                sim.fault(fault, params={} if fault in ("duplicate", "kill") else params)
            dollars = f"{cents * size / 100:.2f}"
            amounts = (dollars, str(size)) if side == "BUY" else (str(size), dollars)
            token = sim.yes if of == "yes" else sim.no
            answer = await sim.trade(side, *amounts, type=order_type, token=token)
            assert answer.status_code in (200, 400, 500), answer.text
            sim.world.faults.clear()
            sim.quote({"0.45": "200", "0.44": "300"}, {"0.46": "100", "0.47": "500"})
        await all_final(sim)
        check(sim.venue.state(), sim)
        sim.venue.resolve(sim.pair, outcome)
        state: Any = sim.venue.state()
        assert state["conserved"]
        assert state["positions"] == []
        assert sim.exchange.main.available("") == sim.cash()


async def all_final(sim: Sim) -> None:
    async def done() -> bool:
        return all(trade.status in FINAL for trade in sim.exchange.trades.values())

    await until(done)


def check(state: Any, sim: Sim) -> None:
    """Recompute the wallet from its trades, in our own way."""
    cash = micros(state["start_cash"])
    tokens: dict[str, int] = defaultdict(int)
    for trade in state["trades"]:
        if trade["state"] == "FAILED":
            continue
        sign = 1 if trade["action"] == "buy" else -1
        cash -= sign * micros(trade["dollars"]) + micros(trade["fee"])
        tokens[trade["asset"]] += sign * micros(trade["size"])
        price, size, dollars = (micros(trade[name]) for name in ("price", "size", "dollars"))
        # the last piece of a dollar-bounded BUY rounds its shares down
        assert 0 <= sign * (dollars * 1_000_000 - price * size) <= 2 * 1_000_000
    assert micros(state["cash"]) == cash
    assert {row["asset"]: micros(row["size"]) for row in state["positions"]} == {
        token: size for token, size in tokens.items() if size
    }
    assert all(size >= 0 for size in tokens.values()), "sold what was never held"
    assert (state["conserved"], micros(state["pending_cash"])) == (True, 0)
    assert set(sim.exchange.main.reserved) == set(sim.exchange.live)
