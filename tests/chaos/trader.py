"""One trade from its edge to its end: sets the trouble, and waits for every step by the journal."""

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from app.demo.control import Control, Quote
from store.journal import Journal
from tests.chaos.cases import AT_BEGIN, AT_END, OUTBOX, OUTCOMES, Case, Kind
from tests.chaos.operator import Operator
from tests.chaos.proxy import Rule, Trouble
from tests.chaos.stack import Stack, now_ms
from tests.chaos.start import ORDER_MS
from tests.support.places import ask
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, Snapshot

OTHER = {"polymarket": "kalshi", "kalshi": "polymarket"}
AT_THE_END = (Kind.CLOSE, Kind.SETTLE)
EXCESS = (Kind.UNWIND, Kind.VENUE_CLOSED, Kind.NEUTRALISE)
SELLING = frozenset(Kind) - {Kind.ENTRY, Kind.COMPLETE, Kind.NEUTRALISE}
START_S = 20.0
REST_S = 60.0
FIRE_S = 8.0
POLL_S = 0.02
CALM_MS = 300
"""A trade is held once no fill of it has changed for so long, and the saga has acted since a void:
a question that is answered under a naked leg leaves it to a person (docs/reliability.md)."""
FAIR, CENTS = 50, 8
PURPOSE = {
    Kind.ENTRY: "entry", Kind.UNWIND: "unwind", Kind.COMPLETE: "complete", Kind.CLOSE: "close",
    Kind.NEUTRALISE: "unwind/buy",
}  # fmt: skip
STOP_MS = (200, 2_500)
PAUSE_MS = 1_200
"""Longer than an order that passed the last gate may take to leave."""


class Trader:
    """Plays cases on a running stack; `journal` only saves settings, as an operator would."""

    def __init__(self, stack: Stack, journal: Journal) -> None:
        self.stack = stack
        self.control: Control = stack.control
        self.journal = journal
        self.operator = Operator(stack, journal)

    async def play(self, case: Case, pairs: list[str], rng: Random) -> bool:
        """Play a case on the first pair (others help); whether its point was reached.

        Raises TimeoutError where something does not come to rest.
        """
        if case.kind is Kind.LIMIT:
            await self._contend(pairs)
            return True
        pair = pairs[0]
        hit = await self._open(case, pair, rng)
        return await self.end(case, pair, rng) or hit

    async def end(self, case: Case, pair: str, rng: Random) -> bool:
        """See the trade to its end; whether a point of its end was reached."""
        hit = False
        await self.at_rest(pair)
        await self.control.quiet(pair)
        for row in await self.rows(pair):
            if row["phase"] == "HOLDING":
                hit = await self.finish(case, pair, row["id"], rng) or hit
        await self.until(pair, lambda rows: all(row["closed_ms"] for row in rows), REST_S)
        return hit

    async def _open(self, case: Case, pair: str, rng: Random) -> bool:
        """Open the edge and see the trade through its trouble; whether the point was reached."""
        if case.kind is Kind.COMPLETE:
            await self._fault(pair, case.venue, "buy", OUTCOMES["refuse"] or {})
        if case.kind in EXCESS:
            await self._fault(pair, OTHER[case.venue], "buy", OUTCOMES["refuse"] or {})
        await self._set_fault(case, pair)
        striking = case.kind is Kind.ENTRY or not case.point
        works: list[Any] = []
        if case.kind is Kind.NEUTRALISE:
            await self._fault(pair, case.venue, "sell", {"do": "sell_refused", "times": 0})
        if case.kind in EXCESS:
            works.append(self._make_unbuyable(case, pair))
        if case.kind not in AT_THE_END and (case.point or case.network):
            works.append(self._strike(case, pair, rng))
            striking = True
        if case.kind in (Kind.TEMPORAL, Kind.DRAIN, Kind.TEMPORAL_LOST):
            works.append(self._break_in_flight(case, pair))
        if case.kind is Kind.DISABLE:
            works.append(self._disable_between(case))
        tasks = [asyncio.create_task(work) for work in works]
        await asyncio.sleep(0)  # every rule is in place before the edge is
        await self.control.edge(pair, CENTS, FAIR)
        reached = [bool(result) for result in await asyncio.gather(*tasks)]
        await self.until(pair, bool, START_S)
        return striking and all(reached)

    async def _set_fault(self, case: Case, pair: str) -> None:
        fault = OUTCOMES[case.outcome]
        if fault is None:
            return
        action = "sell" if case.kind in SELLING else "buy"
        skip = 1 if case.kind is Kind.NEUTRALISE else 0  # of its purchases there
        await self._fault(pair, case.venue, action, {**fault, "skip": skip})

    async def _fault(self, pair: str, venue: str, action: str, fault: Mapping[str, Any]) -> None:
        await self.control.fault(
            venue, pair, action, fault["do"], times=fault.get("times", 1),
            skip=fault.get("skip", 0), params=fault.get("params"),
        )  # fmt: skip

    async def _strike(self, case: Case, pair: str, rng: Random) -> bool:
        """The trouble itself: on the way, or in the executor at a named place."""
        if case.network is not None:
            rule = self.rule(case, pair, case.network, ms=_network_ms(case.network))
            return await reached(rule, START_S)
        if case.point == "P8":
            rule = self.rule(case, pair, Trouble.HOLD_ANSWER, ms=ORDER_MS * 4)
            if not await reached(rule, START_S):
                return False
            await self._fall(case, rng, signalled=False)
            rule.release.set()
            return True
        self.stack.arm(_spec(case))
        if not await self.stack.fired(START_S if case.kind is Kind.ENTRY else START_S + FIRE_S):
            return False
        await self._fall(case, rng, signalled=True)
        return True

    async def _fall(self, case: Case, rng: Random, *, signalled: bool) -> None:
        if case.stop:
            await self.stack.stopped(rng.randint(*STOP_MS), signalled=signalled)
        elif signalled:
            await self.stack.reborn(now_ms())
        else:
            await self.stack.kill()

    def rule(self, case: Case, pair: str, trouble: Trouble, ms: int) -> Rule:
        """Trouble for the order of this case: a step towards an even pair is the second order on
        its market; a close is looked for once the entries have passed; one for the other outcome is
        the only one of its token."""
        skip = 1 if case.kind in (Kind.UNWIND, Kind.COMPLETE) else 0
        outcome = "no" if case.kind is Kind.NEUTRALISE else "yes"
        return self.stack.proxies[case.venue].add(
            Rule(self._needle(pair, case.venue, outcome), trouble, skip=skip, ms=ms)
        )

    def _needle(self, pair: str, venue: str, outcome: str = "yes") -> bytes:
        listed = self.stack.pairs[pair][venue]
        return str(listed[f"token_{outcome}" if venue == "polymarket" else "ticker"]).encode()

    async def _make_unbuyable(self, case: Case, pair: str) -> bool:
        """Hold the refusal of the missing leg until its book asks too much to complete."""
        missing = OTHER[case.venue]
        rule = self.stack.proxies[missing].add(
            Rule(self._needle(pair, missing), Trouble.HOLD_ANSWER, ms=ORDER_MS)
        )
        met = await reached(rule, START_S)
        if met:
            polymarket, kalshi = Quote("0.48", "0.50"), Quote("0.58", "0.60")
            if missing == "polymarket":
                polymarket = Quote("0.48", "0.97")
            else:
                kalshi = Quote("0.03", "0.60")
            await self.control.books(pair, polymarket, kalshi)
            if case.kind is Kind.VENUE_CLOSED:
                await self.stack.close_venue(case.venue)
        rule.release.set()
        return met

    async def _break_in_flight(self, case: Case, pair: str) -> bool:
        """Restart the server, or the executor politely, with both orders in flight."""
        rules = self.hold_both(pair)
        met = all([await reached(rule, START_S) for rule in rules])
        if case.kind is Kind.TEMPORAL:
            await self.stack.restart_temporal()
        elif case.kind is Kind.TEMPORAL_LOST:
            await self.stack.lose_temporal()
            lost_ms = now_ms()
            await self.until(pair, lambda rows: any(row["adopted"] for row in rows), START_S)
            self.stack.times.adopted.append(now_ms() - lost_ms)
        else:
            await self.stack.restart_executor()
        for rule in rules:
            rule.release.set()
        return met

    def hold_both(self, pair: str) -> list[Rule]:
        """Hold the answers to both entries."""
        return [
            proxy.add(Rule(self._needle(pair, venue), Trouble.HOLD_ANSWER, ms=ORDER_MS))
            for venue, proxy in self.stack.proxies.items()
        ]

    async def _disable_between(self, case: Case) -> bool:
        """Stand still after the gate; entries are disabled before the process goes on."""
        self.stack.arm(f"P6/{case.venue}/entry:1:stop")
        if not await self.stack.fired(START_S):
            return False
        # The stopped process may hold the journal's lock: then the kill file stops entries.
        disabling = asyncio.create_task(self.operator.disable())
        await self.stack.stopped(PAUSE_MS, signalled=True)
        await disabling
        await asyncio.sleep(0.5)
        await self.operator.enable()
        return True

    async def _contend(self, pairs: list[str]) -> None:
        """More edges at once than the day allows trades."""
        query = "SELECT coalesce(sum(trades), 0) FROM risk_days"
        ((trades,),) = await asyncio.to_thread(ask, self.stack.database, query)
        await self.operator.save(max_daily_trades=int(trades) + 1)
        for pair in pairs:
            await self.control.edge(pair, CENTS, FAIR)
        await self._until_any(pairs)
        await asyncio.sleep(0.5)
        for pair in pairs:
            await self.control.quiet(pair)
        await self.operator.save(max_daily_trades=10_000)
        for pair in pairs:
            await self.at_rest(pair)

    async def finish(self, case: Case, pair: str, arb_id: str, rng: Random) -> bool:
        """End what is held: an operator closes it, or the question is answered."""
        keeps = case.kind in (Kind.SETTLE, Kind.NEUTRALISE)  # neutral pairs are kept
        if keeps or (case.kind is not Kind.CLOSE and rng.random() < 0.5):
            answers = ("yes", "yes"), ("no", "no"), ("half", "yes"), ("no", "yes")
            polymarket, kalshi = rng.choice(answers[:2] if rng.random() < 0.7 else answers[2:])
            if case.kind is not Kind.SETTLE:
                await self.control.resolve(pair, polymarket, kalshi)
                return False
            striking = asyncio.create_task(self._strike(case, pair, rng))
            await asyncio.sleep(0)
            await self.control.resolve(pair, polymarket, kalshi)
            return await striking
        strike = None
        if case.kind is Kind.CLOSE and (case.point or case.network):
            strike = asyncio.create_task(self._strike(case, pair, rng))
            await asyncio.sleep(0)
        closing = asyncio.create_task(self._close(arb_id))
        hit = await strike if strike is not None else False
        await closing
        return hit

    async def _close(self, arb_id: str) -> None:
        """Ask whichever workflow carries it: after a loss that may be one still to come."""
        deadline = time.monotonic() + REST_S
        while True:
            carrier = await asyncio.to_thread(self._carrier, arb_id)
            closing = handle_of(self.stack.client, carrier).execute_update(
                names.CLOSE_POSITION, CloseRequest(by="chaos"), id="close", result_type=Snapshot
            )
            try:
                await asyncio.wait_for(closing, REST_S)
            except RPCError as error:
                lost = error.status is RPCStatusCode.NOT_FOUND
                if not lost or time.monotonic() > deadline:
                    raise TimeoutError(f"{arb_id}: could not be closed: {error}") from error
                await asyncio.sleep(POLL_S * 10)
            except WorkflowUpdateRPCTimeoutOrCancelledError as slow:
                raise TimeoutError(f"{arb_id}: not closed after {REST_S} s") from slow
            else:
                return

    async def at_rest(self, pair: str) -> None:
        await self.until(pair, lambda rows: all(row["at_rest"] for row in rows), REST_S)

    async def _until_any(self, pairs: list[str]) -> None:
        deadline = time.monotonic() + START_S
        while not [row for pair in pairs for row in await self.rows(pair)]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected a trade on one of {pairs}, found none")
            await asyncio.sleep(POLL_S)

    async def until(
        self, pair: str, holds: Callable[[list[dict[str, Any]]], bool], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            rows = await self.rows(pair)
            if holds(rows):
                return
            if time.monotonic() > deadline:
                found = ", ".join(f"{r['id']} {r['phase']} ({r['reason']})" for r in rows)
                raise TimeoutError(f"{pair}: waited {seconds:.0f} s, found {found or 'no trade'}")
            await asyncio.sleep(POLL_S)

    async def rows(self, pair: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._read, pair)

    def _read(self, pair: str) -> list[dict[str, Any]]:
        rows = ask(self.stack.database, _ROWS, pair=pair, calm_ms=now_ms() - CALM_MS)
        names_ = ("id", "phase", "reason", "closed_ms", "adopted", "at_rest")
        return [dict(zip(names_, row, strict=True)) for row in rows]

    def _carrier(self, arb_id: str) -> str:
        query = "SELECT adopted FROM arbitrages WHERE id = :arb_id"
        ((adopted,),) = ask(self.stack.database, query, arb_id=arb_id)
        return names.workflow_id(arb_id, adopted)


_ROWS = """
    SELECT id, phase, reason, closed_ms, adopted, closed_ms IS NOT NULL OR phase = 'HOLDING'
        AND NOT EXISTS (SELECT 1 FROM intents WHERE arb_id = arbitrages.id
            AND state NOT IN ('filled', 'not_filled'))
        AND NOT EXISTS (SELECT 1 FROM fills JOIN intents ON intents.id = fills.intent_id
            WHERE arb_id = arbitrages.id
            AND (fills.state = 'provisional' OR fills.state_ms > :calm_ms
                OR (fills.state = 'voided' AND fills.state_ms >= arbitrages.updated_ms)))
    FROM arbitrages WHERE pair_id = :pair
"""


def _spec(case: Case) -> str:
    how = ":stop" if case.stop else ""
    if case.point in (*AT_BEGIN, *AT_END):
        return f"{case.point}:1{how}"
    if case.point == OUTBOX:
        return f"{case.point}/{case.part}:1{how}"
    if case.kind is Kind.SETTLE:
        return f"{case.point}/{case.venue}:1{how}"
    return f"{case.point}/{case.venue}/{PURPOSE[case.kind]}:1{how}"


def _network_ms(trouble: Trouble) -> int:
    """Slow is within the executor's patience, late is beyond it and within the quarantine."""
    return {Trouble.SLOW: ORDER_MS // 2, Trouble.LATE: ORDER_MS + 300}.get(trouble, ORDER_MS * 3)


async def reached(rule: Rule, seconds: float) -> bool:
    try:
        await asyncio.wait_for(rule.reached.wait(), seconds)
    except TimeoutError:
        return False
    return True
