"""One run: the product's saga and activities, killed and restarted, against modelled venues."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from activities.complete import CompleteActivities
from activities.desk import Desk
from activities.doors import Doors
from activities.messages import Activity, ArbitrageInput
from activities.place import EntryActivities
from activities.resolve import ResolveActivities
from activities.settle import HoldActivities
from activities.unwind import UnwindActivities
from domain.fees import PolymarketFee
from domain.money import NO_USD
from domain.order import Answer, NotFilled, Order, Unknown
from domain.standing import Standing
from domain.trade import Phase
from domain.venue import Action, Venue
from store.lease import Claim
from store.tally import Tally
from tests.virtual.checks import Checks
from tests.virtual.exchange import CENT, GOOD, ONE, Exchange, Fate, micro
from tests.virtual.ledger import Ledger
from tests.virtual.loop import START_US, VirtualLoop
from tests.virtual.plan import a_plan
from tests.virtual.port import ModelledVenue, Network
from tests.virtual.saga import OwnSaga
from tests.virtual.script import HEAL_MS, Script, Word
from tests.virtual.server import Broken, NewSaga, Server
from workflows import names
from workflows.snapshot import CloseRequest, HoldRequest, MarkResolved, RetryRequest, Snapshot

RESOLVE_MS = 300_000
JANITOR_MS = 180_000
END_MS = 6 * 3_600_000
STEPS_MAX = 60_000
SHUT = replace(GOOD, outcome="closed")
PAYS = {"yes": (ONE, 0), "no": (0, ONE), "half": (ONE // 2, ONE // 2)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `violation` is what did not hold, if anything."""

    seed: int
    violation: str | None
    trace: tuple[str, ...]
    digest: str
    final: Snapshot | None
    crashes: int
    steps: int
    orders: int
    drift: int


class World:
    """Everything of one run."""

    def __init__(
        self, script: Script, plan: ArbitrageInput | None = None, new_saga: NewSaga = OwnSaga
    ) -> None:
        self.loop = VirtualLoop()  # type: ignore[abstract]  # the rest raises when it is called
        self.script = script
        self.trace: list[str] = []
        self.plan = plan or a_plan(script)
        self.ledger = Ledger(self.plan)
        self.exchanges = {venue: self._exchange(venue) for venue in Venue}
        self.checks = Checks(self.plan, script, self.ledger, self.exchanges)
        self.points = 0
        self.crashes = 0
        self.process = Process(self)
        self.server = Server(self.loop, self.plan, self.process.activities(), self.say, new_saga)
        self.server.before_task = lambda: self.survives("before a workflow task")

    def run(self, end_ms: int = END_MS) -> Outcome:
        """To the end of the arbitrage; what does not hold ends it early."""
        violation: str | None = None
        try:
            self._begin()
            self.loop.run(START_US + end_ms * 1000, self._after_step)
            if self.server.result is None:
                raise Broken("the arbitrage never ended")
            self.checks.at_the_end(self.server.result)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, this seed shows it
            violation = f"{type(wrong).__name__}: {wrong}"
            self.say(f"VIOLATION {violation}")
        return self._outcome(violation)

    def at_rest(self, after_ms: int) -> Snapshot:
        """Run that long, without a word about how it ends, and say what a query would answer."""
        self._begin()
        self.loop.run(START_US + after_ms * 1000, self._after_step)
        found = self.server.result or self.server.snapshot()
        self.process.dead = True
        self.server.close()
        return found

    def say(self, what: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{(self.loop.now_us - START_US) / 1000:.3f} {what}")

    def survives(self, where: str) -> bool:
        """Count a point at which a process may die; False if it does."""
        self.points += 1
        if self.points not in self.script.crashes:
            return True
        self.crashes += 1
        self.say(f"CRASH {where}")
        self.process.dead = True
        self.server.crash()
        self.loop.after_ms(self.script.down_ms, self._restart)
        return False

    def now_ms(self) -> int:
        """Since the start."""
        return (self.loop.now_us - START_US) // 1000

    def _begin(self) -> None:
        script, loop = self.script, self.loop
        self.server.start()
        for word in script.words:
            loop.after_ms(word.at_ms, self._hear, word)
        if script.halt_at_ms is not None:
            loop.after_ms(script.halt_at_ms, self._halt)
        for until_ms, change in (
            (script.no_bids_until_ms, {"bid_depth": 0}),
            (script.cheap_bids_until_ms, {"bid": CENT}),
        ):
            if until_ms:
                for exchange in self.exchanges.values():
                    for name, value in change.items():
                        before = getattr(exchange.quote, name)
                        setattr(exchange.quote, name, value)
                        loop.after_ms(until_ms, setattr, exchange.quote, name, before)
        if script.ask_moves_to is not None:
            loop.after_ms(40, self._move_asks, script.ask_moves_to * CENT)
        loop.after_ms(RESOLVE_MS, self._resolve)
        if script.attended:
            loop.after_ms(JANITOR_MS, self._attend)

    def _attend(self) -> None:
        """A person looks after the alarm, where there is one, and sells at any price. Once the
        question is answered nobody is needed: the venues pay for what is held."""
        if self.server.result is None and self.now_ms() < RESOLVE_MS:
            if self.ledger.standings and self.ledger.standings[-1].phase is Phase.NEEDS_OPERATOR:
                self._hear(Word(self.now_ms(), "close"))
            self.loop.after_ms(JANITOR_MS, self._attend)

    def _halt(self) -> None:
        self.say("HALT")
        self.ledger.stopped = True

    def _exchange(self, venue: Venue) -> Exchange:
        quote = self.script.quotes[venue]
        fee = self.plan.opportunity.polymarket.instrument.fee
        assert isinstance(fee, PolymarketFee), f"expected Polymarket's fee, found {fee}"
        outcome = self.plan.opportunity.leg(venue).instrument.outcome
        exchange = Exchange(self.loop, venue, outcome, quote, micro(fee.rate), self.say)
        if venue is Venue.POLYMARKET:
            exchange.balance_lag_ms = self.script.balance_lag_ms
            exchange.unsellable_ms = START_US // 1000 + self.script.unsellable_ms
        return exchange

    def _move_asks(self, ask: int) -> None:
        for exchange in self.exchanges.values():
            exchange.quote.ask = max(ask, exchange.quote.bid + CENT)

    def _resolve(self) -> None:
        for venue, pays in zip(Venue, PAYS[self.script.answer], strict=True):
            self.exchanges[venue].resolve(pays)

    def _hear(self, word: Word) -> None:
        if self.server.result is not None:
            return
        self.say(f"WORD {word.what}")
        self.checks.hear(word.what)
        match word.what:
            case "close":
                self.server.update(names.CLOSE_POSITION, CloseRequest("ann"))
            case "close for nothing":
                self.server.update(names.CLOSE_POSITION, CloseRequest("ann", NO_USD))
            case "retry":
                self.server.update(names.RETRY_UNWIND, RetryRequest("ann"))
            case "hold":
                self.server.update(names.HOLD, HoldRequest("ann"))
            case "mark":
                evidence = MarkResolved("ann", "sold by hand", NO_USD)
                self.server.update(names.MARK_RESOLVED, evidence)
            case "cancel":
                self.server.cancel()
            case unknown:
                raise Broken(f"expected a word of an operator, found {unknown}")

    def _restart(self) -> None:
        self.say("RESTART")
        self.process = Process(self)
        self.server.restart(self.process.activities())

    def _after_step(self) -> None:
        if self.loop.steps > STEPS_MAX:
            raise Broken(f"livelock: more than {STEPS_MAX} steps")
        self.checks.after_step()
        if self.server.result is not None and self.checks.settled():
            self.loop.stopped = True

    def _outcome(self, violation: str | None) -> Outcome:
        self.process.dead = True
        self.server.close()
        final = self.server.result
        if final is not None:
            legs = (final.polymarket.state, final.kalshi.state)
            held = ", ".join(f"{leg.venue} {leg.held}" for leg in legs)
            if final.phase is Phase.SETTLED and self.checks.answered_naked:
                self.say("the venues paid for what was naked")
            if final.phase is Phase.SETTLED and self.checks.paid_neutral:
                self.say("neutral pairs were paid")
            self.say(f"END {final.phase} {final.status} {held} {final.realised_profit}")
        trace = tuple(self.trace)
        return Outcome(
            seed=self.script.seed,
            violation=violation,
            trace=trace,
            digest=hashlib.sha256("\n".join(trace).encode()).hexdigest(),
            final=final,
            crashes=self.crashes,
            steps=self.loop.steps,
            orders=sum(len(exchange.arrived) for exchange in self.exchanges.values()),
            drift=self.checks.drift(),
        )


class Process:
    """One executor: its desk on the shared journal and venues, until it dies."""

    def __init__(self, world: World) -> None:
        self.dead = False
        self._world = world

    def pass_point(self, where: str) -> None:
        """A point at which this process may die; a dead one does nothing more."""
        if self.dead or not self._world.survives(where):
            raise asyncio.CancelledError

    def activities(self) -> Mapping[str, Callable[[Any], Awaitable[Any]]]:
        """Under the names that workflows call them by."""
        desk = self._desk()
        entry, resolve, unwind = (
            EntryActivities(desk),
            ResolveActivities(desk),
            UnwindActivities(desk),
        )
        hold, complete = HoldActivities(desk), CompleteActivities(desk)
        return {
            Activity.RESERVE: entry.reserve,
            Activity.PLACE_ORDER: entry.place_order,
            Activity.RESOLVE_ORDER: resolve.resolve_order,
            Activity.PRICE_EXITS: complete.price_exits,
            Activity.COMPLETE: complete.complete,
            Activity.UNWIND: unwind.unwind,
            Activity.BUY_OPPOSITE: unwind.buy_opposite,
            Activity.WATCH: hold.watch_settlement,
            Activity.RECORD: self._record,
        }

    def _desk(self) -> Desk:
        world = self._world
        parts = {
            "journal": Hands(self, world),
            "venues": {venue: self._venue(venue) for venue in Venue},
            "wall_ms": lambda: world.loop.now_ms,
            "claim": lambda: Claim("virtual", {}),
            "killed": lambda: None,
            "tally": Tally(),
            "doors": Doors(),
        }
        return Desk(**cast(Any, {field.name: parts[field.name] for field in fields(Desk)}))

    def _venue(self, venue: Venue) -> ModelledVenue:
        world, script = self._world, self._world.script
        start_ms, stop_ms = script.dark.get(venue, (0, 0))

        closes_ms, opens_ms = script.closed.get(venue, (0, 0))

        def fate(order: Order) -> Fate:
            if closes_ms <= world.now_ms() < opens_ms:
                world.say(f"{venue}: is shut")
                return SHUT
            queue = script.fates[venue, order.action]
            return queue.pop(0) if queue and world.now_ms() < HEAL_MS else GOOD

        def first_byte(order: Order) -> None:
            other = " of the other outcome" if world.exchanges[venue].other(order) else ""
            world.say(f"{venue}: first byte of {order.intent_id} {_terms(order)}{other}")
            world.checks.first_byte(order)

        network = Network(
            fate=fate,
            dark=lambda: start_ms <= world.now_ms() < stop_ms,
            read_ms=script.read_ms,
            lag_ms=script.kalshi_lag_ms,
            shows_killed=script.shows_killed,
        )
        own = world.plan.opportunity.leg(venue).instrument
        return ModelledVenue(world.exchanges[venue], own, network, self.pass_point, first_byte)

    async def _record(self, standing: Standing) -> None:
        self.pass_point("before a record")
        held = " ".join(f"{leg.state.held}" for leg in standing.legs)
        self._world.say(f"recorded {standing.phase} {standing.status} {held}")
        self._world.ledger.stand(standing)
        self._world.checks.recorded(standing)
        self.pass_point("after a record")


class Hands:
    """The journal as one process reaches it: atomic, but the process may die on either side."""

    def __init__(self, process: Process, world: World) -> None:
        self._process, self._world = process, world

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        before, after = f"before {name}", f"after {name}"
        work = getattr(self._world.ledger, name)

        async def call(*args: Any) -> Any:
            if self._world.script.journal_ms:
                await asyncio.sleep(self._world.script.journal_ms / 1000)
            self._process.pass_point(before)
            result = work(*args)
            if name == "record_answer" and not isinstance(args[1], Unknown):
                self._world.say(f"journaled {args[0]}: {result.state} {_reason(args[1])}")
            self._process.pass_point(after)
            return result

        setattr(self, name, call)
        return call


def _reason(answer: Answer) -> str:
    return str(answer.rejection) if isinstance(answer, NotFilled) else ""


def _terms(order: Order) -> str:
    verb = "buys" if order.action is Action.BUY else "sells"
    return f"{verb} {order.size} at {order.limit} {order.time_in_force}"
