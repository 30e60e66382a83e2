"""Cases beside the one order: two executors, both legs in flight, an operator's process, files."""

import asyncio
import os
import signal
import time
from random import Random

from tests.chaos import files
from tests.chaos.cases import Case, Kind
from tests.chaos.stack import Stack, now_ms
from tests.chaos.trader import CENTS, FAIR, POLL_S, START_S, Trader, reached
from tests.support.places import ask

LEASE_S = 15.0
HANDOVER_MS = 4_000
"""How long nobody may be able to act while one executor hands over to another."""
RESOLVE_S = 30.0


class Around:
    """Plays what a Trader does not."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._stack: Stack = trader.stack

    async def play(self, case: Case, pairs: list[str], rng: Random) -> bool:
        """As `Trader.play`."""
        match case.kind:
            case Kind.TWO_EXECUTORS:
                return await self._two_executors(case, pairs[0], rng)
            case Kind.ROLLING:
                return await self._rolling(case, pairs[0], rng)
            case Kind.BOTH_IN_FLIGHT:
                return await self._both_in_flight(case, pairs[0], rng)
            case Kind.NOTIFIER:
                return await self._notifier_dies(case, pairs[0], rng)
            case Kind.SETTINGS | Kind.SWITCH_OFF:
                return await self._trader.operator.die_saving(case)
            case Kind.CLOSE_BY_API:
                return await self._close_by_api(case, pairs[0], rng)
            case Kind.MIGRATION:
                return await files.die_upgrading(self._stack, case)
            case Kind.BACKUP:
                return await files.die_copying(self._stack, case)
        return await self._trader.play(case, pairs, rng)

    async def _two_executors(self, case: Case, pair: str, rng: Random) -> bool:
        """With both legs in flight who sends is killed or stands still; the other one goes on."""
        stack, spare = self._stack, self._stack.spare
        await spare.start()
        try:
            met = await self._open_both(pair)
            began, pid = now_ms(), stack.executor.pid
            assert pid is not None, "the executor runs"
            os.kill(pid, signal.SIGSTOP if case.stop else signal.SIGKILL)
            await self._sends(spare.ready["pid"])
            stack.outages.append((began, now_ms()))
            took = await self._resolving(pair, began)
            (stack.times.stood_still if case.stop else stack.times.taken_over).append(took)
            if case.stop:
                os.kill(pid, signal.SIGCONT)
            else:
                await stack.back(stack.executor)
            await self._trader.end(case, pair, rng)
        finally:
            began = now_ms()
            await spare.stop()
        await self._sends(stack.executor.ready["pid"])
        stack.outages.append((began, now_ms()))
        stack.takeovers += 1
        return met

    async def _rolling(self, case: Case, pair: str, rng: Random) -> bool:
        """Both executors are drained and started again in turn, from both legs in flight on."""
        stack, spare = self._stack, self._stack.spare
        await spare.start()
        try:
            met = await self._open_both(pair)
            await self.roll()
            await self._trader.end(case, pair, rng)
        finally:
            await spare.stop()
        await self._sends(stack.executor.ready["pid"])
        return met

    async def roll(self) -> None:
        """Drain the executor and the spare in turn; the other one sends, and the one that was
        drained is back, before the next. At the end the executor sends."""
        stack = self._stack
        both = stack.executor, stack.spare
        for drained, other in (both, both[::-1]):
            assert drained.pid is not None, "it runs"
            began = now_ms()
            os.kill(drained.pid, signal.SIGTERM)
            back = asyncio.create_task(stack.back(drained))
            await self._sends(other.ready["pid"])
            # What takes longer than this is no excuse.
            stack.outages.append((began, min(now_ms(), began + HANDOVER_MS)))
            await back
            stack.takeovers += 1

    async def _both_in_flight(self, case: Case, pair: str, rng: Random) -> bool:
        """The only executor is killed with both legs in flight, and is started again."""
        met = await self._open_both(pair)
        began = now_ms()
        await self._stack.kill()
        self._stack.times.restarted.append(await self._resolving(pair, began))
        await self._trader.end(case, pair, rng)
        return met

    async def _notifier_dies(self, case: Case, pair: str, rng: Random) -> bool:
        """Whoever writes to the chat is killed with both legs in flight; nothing stays untold."""
        met = await self._open_both(pair)
        notifier = self._stack.notifier
        assert notifier is not None, "a campaign writes to a person"
        assert notifier.pid is not None, "it runs"
        os.kill(notifier.pid, signal.SIGKILL)
        await self._stack.back(notifier)
        self._stack.notifier_restarts += 1
        await self._trader.end(case, pair, rng)
        return met

    async def _close_by_api(self, case: Case, pair: str, rng: Random) -> bool:
        trader = self._trader
        await trader.control.edge(pair, CENTS, FAIR)
        await trader.until(pair, bool, START_S)
        await trader.at_rest(pair)
        await trader.control.quiet(pair)
        hit = False
        for row in await trader.rows(pair):
            if row["phase"] == "HOLDING":
                hit = await trader.operator.die_closing(case, row["id"])
        await trader.until(pair, lambda rows: all(one["closed_ms"] for one in rows), RESOLVE_S)
        return hit

    async def _open_both(self, pair: str) -> bool:
        rules = self._trader.hold_both(pair)
        await self._trader.control.edge(pair, CENTS, FAIR)
        return all([await reached(rule, START_S) for rule in rules])

    async def _sends(self, pid: object) -> None:
        """Until this process holds both accounts."""
        deadline = time.monotonic() + LEASE_S
        query = (
            "SELECT count(*) FROM sender_leases WHERE expires_ms > :now_ms AND holder LIKE :holder"
        )
        while True:
            (held,) = await self._one(query, now_ms=now_ms(), holder=f"%-{pid}")
            if held == 2:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected process {pid} to hold both accounts")
            await asyncio.sleep(POLL_S)

    async def _resolving(self, pair: str, began_ms: int) -> int:
        """How long it took until both entries had been asked for, or were answered (ms)."""
        deadline = time.monotonic() + RESOLVE_S
        while True:
            row = await self._one(_ASKED, pair=pair, began_ms=began_ms)
            asked = [at_ms for at_ms in row if at_ms is not None]
            if len(asked) == len(row):
                return int(max(asked)) - began_ms
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pair}: both legs were not asked for in {RESOLVE_S} s")
            await asyncio.sleep(POLL_S)

    async def _one(self, query: str, **given: object) -> tuple[int | None, ...]:
        (row,) = await asyncio.to_thread(ask, self._stack.database, query, **given)
        return row


_LEG = """
    (SELECT min(at_ms) FROM (
        SELECT observations.at_ms FROM observations JOIN intents ON intents.id = intent_id
        JOIN arbitrages ON arbitrages.id = arb_id WHERE pair_id = :pair AND venue = '{venue}'
            AND purpose = 'entry' AND observations.at_ms >= :began_ms
        UNION ALL
        SELECT answered_ms FROM intents JOIN arbitrages ON arbitrages.id = arb_id
        WHERE pair_id = :pair AND venue = '{venue}' AND purpose = 'entry'
            AND answered_ms >= :began_ms) AS asked)
"""
_ASKED = f"SELECT {_LEG.format(venue='polymarket')}, {_LEG.format(venue='kalshi')}"
