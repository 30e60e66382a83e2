"""From an opportunity in hand to the later leg's first byte at its exchange: durable and naive.

Durable is the executor's own way: workflow, gate, activities, journal, a Temporal server on a
file. Naive is `asyncio.gather` of the same two adapters on the same exchanges, remembering nothing.
Bare is the least that any durable path takes here: see `tests.bench.bare`.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from temporalio.client import Client
from temporalio.service import GrpcCompression

from activities.messages import ArbitrageInput, ReserveRequest, Ticket
from activities.place import entry_ticket
from app.config import Timeouts
from app.demo.ledgers import order_key
from app.intake import start
from app.payloads import DATA_CONVERTER
from app.temporal import ServerOptions, open_server
from app.wiring import CACHED_WORKFLOWS
from domain.opportunity import Opportunity
from domain.order import Filled, NotFilled
from domain.policy import Bounds, Timing
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from tests.bench import bare
from tests.bench.figures import percentiles
from tests.bench.probe import Probe
from tests.support.processes import run_sim
from tests.support.trading import Trading, trading
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest

PAIRS_MAX = 200
BLOCK = 40
WARM_UP = 8
SLOTS = 8
CROWD = 10
BALANCE_SECONDS = 2
ALONE_SECONDS = 0.3
"""One at a time: what a trade still does once both legs are held is over before the next one."""
ORDER_MS = Timeouts().order_ms
REST_SECONDS = 10
BOUNDS = Bounds(cooldown_ms=0, deadline_ms=10_000)
TIMING = Timing()


@dataclass(slots=True)
class Trade:
    """One trade that was begun: its two orders, and when the opportunity was in hand (ns)."""

    arb_id: str
    began_ns: int
    tickets: tuple[Ticket, ...]


@dataclass(slots=True)
class Floor:
    """Both ways to trade on one pair of exchanges."""

    trading: Trading
    probe: Probe
    opportunities: dict[str, Opportunity]
    durable: list[Trade] = field(default_factory=list)
    naive: list[Trade] = field(default_factory=list)

    async def trade_durably(self, pair: str) -> None:
        """One arbitrage by workflow, until both legs are held."""
        began_ns = time.time_ns()
        plan = self._plan(pair, "durable", began_ns)
        held = self.probe.expect(plan.arb_id)
        handle = await start(self.trading.client, self.trading.task_queue, plan)
        assert getattr(handle, "__temporal_eagerly_started"), f"{plan.arb_id} started late"
        try:
            phase = await asyncio.wait_for(held, REST_SECONDS)
        except TimeoutError:
            phase = Phase.RESERVING
        if phase is not Phase.HOLDING:
            now = await handle.query(ArbitrageWorkflow.snapshot)
            raise RuntimeError(f"{plan.arb_id}: expected HOLDING, found {now}")
        self.durable.append(Trade(plan.arb_id, began_ns, self._tickets(plan)))

    async def trade_naively(self, pair: str) -> None:
        """The same two orders, sent together and forgotten."""
        began_ns = time.time_ns()
        plan = self._plan(pair, "naive", began_ns)
        tickets = self._tickets(plan)
        answers = await asyncio.gather(
            *(
                self.trading.desk.venues[ticket.order.venue].place(
                    ticket.order, ticket.identity, _no_check
                )
                for ticket in tickets
            )
        )
        assert all(isinstance(answer, Filled) for answer in answers), answers
        self.naive.append(Trade(plan.arb_id, began_ns, tickets))

    async def close_all(self) -> None:
        """Sell every durable position as an operator would, and hold the ends to account."""
        await in_slots(SLOTS, [trade.arb_id for trade in self.durable], self._close)

    async def audit(self) -> dict[str, int]:
        """When each order's first byte arrived (ns); fails unless the exchanges saw exactly the
        orders that were meant, each once."""
        ledgers = await self.trading.control.state()
        arrived: dict[str, int] = {}
        for venue, ledger in ledgers.items():
            assert ledger["duplicates"] == 0, f"{venue}: {ledger['duplicates']} orders sent twice"
            orders = ledger["orders"]
            assert isinstance(orders, list), f"{venue} lists no orders"
            keys = [order_key(order) for order in orders]
            expected = 2 * len(self.durable) + len(self.naive)
            assert len(set(keys)) == len(keys) == expected, (
                f"{venue}: expected {expected} orders, found {len(keys)}"
            )
            arrived |= {order_key(order): int(str(order["first_byte_ns"])) for order in orders}
        return arrived

    async def _close(self, arb_id: str) -> None:
        handle = handle_of(self.trading.client, arb_id)
        before = await handle.query(ArbitrageWorkflow.snapshot)
        held = {before.polymarket.state.held, before.kalshi.state.held}
        assert before.status is TradeStatus.SUCCESS, before
        assert held == {before.size}, f"{arb_id}: expected {before.size} of each, found {held}"
        await handle.execute_update(names.CLOSE_POSITION, CloseRequest("bench"))
        after = await handle.result()
        assert after.phase is Phase.FLAT, f"{arb_id}: expected FLAT, found {after.phase}"

    def _plan(self, pair: str, way: str, now_ns: int) -> ArbitrageInput:
        key = f"{way}-{pair}-{now_ns}"
        opportunity = replace(self.opportunities[pair], key=key, seen_ns=now_ns)
        return ArbitrageInput(names.arb_id(key), opportunity, Mode.SIM, BOUNDS, TIMING)

    def _tickets(self, plan: ArbitrageInput) -> tuple[Ticket, ...]:
        request = ReserveRequest(plan.arb_id, plan.opportunity, plan.mode, plan.bounds)
        return tuple(entry_ticket(self.trading.desk, request, venue) for venue in Venue)


async def measure(trades: int) -> dict[str, object]:
    """All loads: `trades` durable and as many naive ones each, at most PAIRS_MAX."""
    options = {"one_at_a_time": 1, "eight_at_a_time": SLOTS}
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        server = ServerOptions(ui=False, database=Path(folder) / "temporal.sqlite3")
        async with open_server(server) as temporal:
            bare_ns = await bare.measure(temporal.address, trades, ALONE_SECONDS)
            found["bare_ms"] = percentiles(bare_ns)
            for name, slots in options.items():
                async with open_floor(temporal.address, Path(folder) / name, trades) as floor:
                    found[name] = await _side_by_side(floor, slots)
            async with open_floor(temporal.address, Path(folder) / "saturation", trades) as floor:
                found["saturation"] = await _saturate(floor)
    return found


@asynccontextmanager
async def open_floor(address: str, folder: Path, trades: int) -> AsyncIterator[Floor]:
    """Fresh exchanges and a fresh executor, warm: everything was done a few times before."""
    probe = Probe()
    client = await Client.connect(
        address,
        data_converter=DATA_CONVERTER,
        grpc_compression=GrpcCompression.NONE,
        interceptors=[probe],
    )
    pairs = min(trades + WARM_UP, PAIRS_MAX)
    with run_sim("--seed", "7", "--pairs", str(pairs)) as sim:
        async with trading(
            sim.ready,
            client,
            f"bench-{folder.name}",
            "",
            folder,
            cached=CACHED_WORKFLOWS,
            order_ms=ORDER_MS,
        ) as executor:
            floor = Floor(executor, probe, {})
            for pair in executor.pairs:
                await executor.control.edge(pair, 8, depth="1000000")
                floor.opportunities[pair] = await executor.opportunity(pair)
            await executor.read_balances()
            balances = asyncio.create_task(_read_balances(executor))
            try:
                for pair in list(executor.pairs)[:WARM_UP]:
                    await floor.trade_durably(pair)
                    await floor.trade_naively(pair)
                yield floor
                await floor.close_all()
                await floor.audit()
            finally:
                balances.cancel()


async def _side_by_side(floor: Floor, slots: int) -> dict[str, object]:
    """Both ways in turns: trade by trade, or in blocks where several run at once."""
    pairs = list(floor.opportunities)[WARM_UP:]
    block = BLOCK if slots > 1 else 1
    for first in range(0, len(pairs), block):
        batch = pairs[first : first + block]
        if slots == 1:
            await asyncio.sleep(ALONE_SECONDS)
        await in_slots(slots, batch, floor.trade_durably)
        await in_slots(slots, batch, floor.trade_naively)
    arrived = await arrivals(floor)
    durable, naive = floor.durable[WARM_UP:], floor.naive[WARM_UP:]
    lasted = {
        "durable": percentiles([sent_ns(trade, arrived) for trade in durable]),
        "naive": percentiles([sent_ns(trade, arrived) for trade in naive]),
    }
    return {
        "trades": len(durable),
        "first_byte_ms": lasted,
        "ratio": {
            share: round(lasted["durable"][share] / lasted["naive"][share], 2)
            for share in lasted["durable"]
        },
        "stages_ms": _stages(floor.probe, durable, arrived),
    }


async def _saturate(floor: Floor) -> dict[str, object]:
    """As many at once as ever come: complete entries per second, from start to both legs held."""
    pairs = list(floor.opportunities)[WARM_UP:]
    rates, busy = {}, {}
    for name, act in (("durable", floor.trade_durably), ("naive", floor.trade_naively)):
        began, used = time.perf_counter(), time.process_time()
        await in_slots(CROWD, pairs, act)
        rates[name] = round(len(pairs) / (time.perf_counter() - began), 1)
        busy[name] = round((time.process_time() - used) / len(pairs) * 1_000, 1)
    return {
        "slots": CROWD,
        "trades": len(pairs),
        "trades_per_second": rates,
        "executor_cpu_ms_per_trade": busy,
    }


async def arrivals(floor: Floor) -> dict[str, int]:
    ledgers = await floor.trading.control.state()
    arrived: dict[str, int] = {}
    for ledger in ledgers.values():
        orders = ledger["orders"]
        assert isinstance(orders, list), "an exchange lists no orders"
        arrived |= {order_key(order): int(str(order["first_byte_ns"])) for order in orders}
    return arrived


def sent_ns(trade: Trade, arrived: dict[str, int]) -> int:
    """Nanoseconds from the opportunity to the later first byte."""
    return max(arrived[ticket.identity.key] for ticket in trade.tickets) - trade.began_ns


def _stages(
    probe: Probe, trades: Iterable[Trade], arrived: dict[str, int]
) -> dict[str, dict[str, float]]:
    """Where the time of a durable trade goes; each stage begins where the one before ends."""
    stages: dict[str, list[int]] = {}
    for trade in trades:
        gate, admitted = probe.gate_began[trade.arb_id], probe.gate_ended[trade.arb_id]
        body = probe.body[trade.arb_id]
        for name, nanoseconds in (
            ("start_to_gate", gate - trade.began_ns),
            ("gate", admitted - gate),
            ("gate_to_later_body", body - admitted),
            ("later_body_to_first_byte", trade.began_ns + sent_ns(trade, arrived) - body),
            ("start_to_later_body", body - trade.began_ns),
        ):
            stages.setdefault(name, []).append(nanoseconds)
    return {name: percentiles(times) for name, times in stages.items()}


async def in_slots(slots: int, pairs: list[str], act: Callable[[str], Awaitable[None]]) -> None:
    """`act` on all, never on more than `slots` at once."""
    waiting = iter(pairs)

    async def work() -> None:
        for pair in waiting:
            await act(pair)

    async with asyncio.TaskGroup() as group:
        for _ in range(slots):
            group.create_task(work())


async def _read_balances(executor: Trading) -> None:
    """What the executor does all the time."""
    while True:
        await executor.read_balances()
        await asyncio.sleep(BALANCE_SECONDS)


async def _no_check() -> NotFilled | None:
    return None
