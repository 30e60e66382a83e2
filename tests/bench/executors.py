"""Trades a second and signal to send with 1, 2 and 4 executors, in one run.

One account has one sender (decision 0010): more executors on it stand by, share workflow tasks and
take over; they are measured for what they cost. What more accounts give is measured beside them:
each with an executor, a journal and exchanges of its own, on one Temporal server. Everything runs
on this machine, exchanges too.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.bench.accounts import CROWD, Account, Ground, dev_server, open_account
from tests.bench.book_to_send import PAIRS_MAX, WARM_UP
from tests.bench.figures import percentiles
from tests.bench.signal_to_send import in_slots
from tests.support.vitals import TOLD, children, processor_ms

SIZES = (1, 2, 4)
ALONE_SECONDS = 0.3
TRADES_MAX = PAIRS_MAX - WARM_UP
ALONE_SHARE = 4
"""A quarter of the trades are made one at a time."""
OpenGround = Callable[[Path], AbstractAsyncContextManager[Ground]]


async def measure(trades: int) -> dict[str, object]:
    """`trades` (at most 192) for each number of executors, and for each number of accounts."""
    return await measure_on(dev_server, trades)


async def measure_on(ground: OpenGround, trades: int) -> dict[str, object]:
    """The same on servers of another kind; each size gets fresh ones."""
    trades = min(trades, TRADES_MAX)
    shapes = {f"one_account_{number}_executors": (1, number) for number in SIZES}
    shapes |= {f"{number}_accounts_1_executor_each": (number, 1) for number in SIZES[1:]}
    found: dict[str, object] = {"baseline": next(iter(shapes))}
    for name, (accounts, executors) in shapes.items():
        with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
            async with _opened(ground, Path(folder), accounts, executors, trades) as (base, those):
                found[name] = await _play(base, those, trades)
    return found


@asynccontextmanager
async def _opened(
    ground: OpenGround, folder: Path, accounts: int, executors: int, trades: int
) -> AsyncIterator[tuple[Ground, list[Account]]]:
    pairs = -(-trades // accounts) + 1
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(ground(folder))
        yield (
            base,
            [
                await stack.enter_async_context(
                    open_account(base, folder / f"{number}", f"bench-{number}", executors, pairs)
                )
                for number in range(accounts)
            ],
        )


async def _play(ground: Ground, accounts: list[Account], trades: int) -> dict[str, object]:
    """First each trade alone, the accounts in turns; then as many at once as ever come."""
    alone = trades // ALONE_SHARE
    waiting = [iter(account.pairs) for account in accounts]
    single: list[set[str]] = [set() for _ in accounts]
    for number in range(alone):
        turn = number % len(accounts)
        pair = next(waiting[turn])
        single[turn].add(pair)
        await asyncio.sleep(ALONE_SECONDS)
        await accounts[turn].trade(pair)
    each = (trades - alone) // len(accounts)
    crowded = [list(itertools.islice(pairs, each)) for pairs in waiting]
    before, began = _processor_ms(ground, accounts), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for account, pairs in zip(accounts, crowded, strict=True):
            group.create_task(in_slots(CROWD, pairs, account.trade))
    took = time.perf_counter() - began
    spent = {k: ms - before[k] for k, ms in _processor_ms(ground, accounts).items()}
    sent = [await account.sent_ns() for account in accounts]
    number = sum(len(pairs) for pairs in crowded)
    return {
        "alone_ms": _figures(sent, single),
        "saturated_ms": _figures(sent, [set(pairs) for pairs in crowded]),
        "trades_per_second": round(number / took, 1),
        "slots": CROWD * len(accounts),
        "processor_ms_per_trade": {k: round(ms / number, 1) for k, ms in spent.items()},
    }


def _figures(sent: list[dict[str, int]], pairs: list[set[str]]) -> dict[str, object]:
    """Of these pairs: how many were held, how many ended otherwise, from book read to send."""
    times = [
        ns
        for account, chosen in zip(sent, pairs, strict=True)
        for pair, ns in account.items()
        if pair in chosen
    ]
    missing = sum(len(chosen) for chosen in pairs) - len(times)
    assert times, "expected trades that are held, found none"
    return {"held": len(times), "not_held": missing, **percentiles(times)}


def _processor_ms(ground: Ground, accounts: list[Account]) -> dict[str, int]:
    """Processor time so far by kind of process; empty where the system does not tell."""
    if not TOLD:
        return {}
    standing_by = [child for account in accounts for child in account.executors[1:]]
    kinds: dict[str, list[int | None]] = {
        "senders": [account.executors[0].pid for account in accounts],
        "standing_by": [child.pid for child in standing_by],
        "temporal": [ground.pid],
        "exchanges": [account.exchanges.pid for account in accounts],
    }
    if ground.postgresql is not None:
        kinds["postgresql"] = [ground.postgresql, *children(ground.postgresql)]
    return {
        kind: sum(processor_ms(pid) for pid in pids if pid is not None)
        for kind, pids in kinds.items()
    }
