"""From books that change at the exchanges to the later leg's first byte there, in a running system.

Everything is its own process, as `lockstep run` starts it; the edge comes over both WebSockets, the
scanner finds it, and nothing but the exchanges' own clocks and the journal is read.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from app.config import Config
from app.config_sources import load_config
from app.demo.control import Control
from app.demo.ledgers import order_key
from app.run import RunOptions, running
from app.wiring import open_journal
from domain.venue import Mode
from store.arbitrages import ArbitrageState, admitted
from store.audit import Act
from store.journal import Journal
from store.settings_values import Changes
from tests.bench.figures import percentiles

PAIRS_MAX = 200
WARM_UP = 8
EDGE_CENTS = 8
FOUND_SECONDS = 10
POLL_SECONDS = 0.05
SETTINGS: Changes = {
    "enabled": True,
    "max_bet": "10",
    "max_daily_trades": 1_000,
    "max_daily_loss": "10000",
}


async def measure(trades: int) -> dict[str, object]:
    """One edge after the other, each in a market of its own."""
    pairs = min(trades + WARM_UP, PAIRS_MAX)
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        config = load_config(env={}, folder=Path(folder)).config
        changes = {"mode": Mode.SIM, "data_dir": Path(folder)}
        config = config.model_copy(update=changes)
        options = RunOptions(makers=False, pairs=pairs, environment={"LOCKSTEP_API__PORT": "0"})
        async with running(config, options) as stack:
            assert stack.control_url is not None, "simulated exchanges have a control server"
            async with Control(stack.control_url) as control:
                return await _edges(config, control)


async def _edges(config: Config, control: Control) -> dict[str, object]:
    names = [str(pair["id"]) for pair in await control.pairs()]
    for name in names:
        await control.quiet(name)
    journal = await asyncio.to_thread(open_journal, config)
    try:
        saved = await journal.settings.load()
        act = Act("bench", "bench", time.time_ns() // 1_000_000)
        await journal.settings.update(SETTINGS, saved.version, act)
        changed: dict[str, int] = {}
        for name in names:
            changed[name] = time.time_ns()
            await control.edge(name, EDGE_CENTS)
            await held(journal, len(changed))
        ids = await journal.read(lambda s: admitted(s, Mode.SIM))
        states = [await journal.arbitrage(arb_id) for arb_id in reversed(ids)]
    finally:
        journal.close()
    return _figures(states[WARM_UP:], changed, await arrivals(control))


async def held(journal: Journal, number: int) -> None:
    """Until so many arbitrages have filled both legs."""
    async with asyncio.timeout(FOUND_SECONDS):
        while True:
            ids = await journal.read(lambda s: admitted(s, Mode.SIM))
            if len(ids) == number and (await journal.arbitrage(ids[0])).status == "SUCCESS":
                return
            await asyncio.sleep(POLL_SECONDS)


async def arrivals(control: Control) -> dict[str, int]:
    arrived: dict[str, int] = {}
    for ledger in (await control.state()).values():
        orders = ledger["orders"]
        assert isinstance(orders, list), "an exchange lists its orders"
        arrived |= {order_key(order): int(str(order["first_byte_ns"])) for order in orders}
    return arrived


def _figures(
    states: list[ArbitrageState], changed: dict[str, int], arrived: dict[str, int]
) -> dict[str, object]:
    read, sent, total = [], [], []
    for state in states:
        began, seen = changed[pair_of(state)], state.opportunity.seen_ns
        later = max(arrived[intent.identity.key] for intent in state.intents)
        read.append(seen - began)
        sent.append(later - seen)
        total.append(later - began)
    return {
        "trades": len(states),
        "change_to_later_book_read_ms": percentiles(read),
        "book_read_to_first_byte_ms": percentiles(sent),
        "change_to_first_byte_ms": percentiles(total),
    }


def pair_of(state: ArbitrageState) -> str:
    return state.opportunity.pair_id
