"""The executor process: Temporal worker, market feeds and scanner on one event loop."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from sqlmodel import Session

from app.beside import beside
from app.capturing import open_recorder
from app.caretaker import Caretaker
from app.config import Config
from app.doorkeeper import CLOSED_SECONDS, WARM_SECONDS, Doorkeeper
from app.dues import PAUSE_SECONDS as DUES_SECONDS
from app.dues import Dues
from app.duty import serve
from app.errors import ConfigError
from app.fitness import Fitness
from app.funds import read_funds
from app.intake import Intake
from app.precedence import Precedence
from app.sightings import Lookout
from app.tracing import tracing
from app.vitals import SdkMetrics, Vitals
from app.wiring import Station, connect, open_station, wall_ms
from domain.funds import Funds
from domain.money import Usd
from domain.opportunity import Opportunity
from domain.policy import Refusal
from domain.terms import Terms
from domain.venue import Instrument, Mode, Venue
from markets.books import Books
from markets.pairs import PAIRS_A_PART, Pairs
from markets.scanner import Scanner
from markets.terms import TermsReader
from store import balances, presence, reviews, run_state, sightings, terms
from store.advice import day_left, verdicts
from store.arbitrages import resting_pairs
from store.audit import Act
from store.errors import JournalBusy, JournalFailing
from store.writing import Turn
from venues.port import VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

BALANCE_SECONDS = 2.0
ADVICE_SECONDS = 0.25
PRESENCE_SECONDS = 1.0
CLUSTER_SECONDS = 60.0


class Executor:
    """Finds opportunities and carries arbitrages out until it is told to stop."""

    def __init__(
        self,
        config: Config,
        station: Station,
        intake: Intake,
        caretaker: Caretaker,
        vitals: Vitals,
    ) -> None:
        desk = station.desk
        self._caretaker = caretaker
        self._vitals = vitals
        self._config = config
        self._station = station
        self._desk = desk
        self._intake = intake
        self._name = station.sender.name
        self._free: dict[Venue, Funds] = {}
        self._doorkeeper = Doorkeeper(desk)
        self._dues = Dues(desk, config.mode)
        self._fitness = Fitness(desk, config.folders, config.trade.disk_mb_min)
        self._precedence = Precedence(self._name, caretaker.reach, lambda: self._fitness.unfit)
        station.sender.gives_way = self._precedence.of_another
        configured = tuple(pair.to_domain() for pair in config.pairs)
        intake.advice.pairs = {pair.pair_id: pair for pair in configured}
        self._pairs = Pairs(configured, desk.venues, self._relist)
        self._terms = TermsReader(configured, desk.venues, self._keep_terms)
        self._recorder = open_recorder(config)
        self._books = Books(
            desk.venues, heard=None if self._recorder is None else self._recorder.book
        )
        self._scanner = Scanner(
            self._books,
            lambda: self._pairs.listed,
            lambda: desk.journal.settings.current.settings,
            self._usable,
            config.trade.bounds(),
            self._take,
            tally=desk.tally,
        )
        self._lookout = Lookout(
            config.pairs, lambda: self._pairs.listed, self._books, self._scanner, intake, wall_ms
        )
        self._starting: asyncio.TaskGroup | None = None
        self._settings_at = (0, 0)
        self._looked = (0, 0)
        self._found = (0, 0)

    async def prepare(self) -> None:
        """Read what the first decision needs: settings, balances, the rules of the first pairs.
        The others follow while it trades: a venue may count reads. ConfigError where Temporal
        lacks what we ask of it; where something is open that is carried on, and nothing begun."""
        await self._look_at_cluster()
        if self._fitness.lacking and not await self._desk.journal.unfinished():
            raise ConfigError(f"temporal.address: {self._fitness.lacking}")
        await self._desk.journal.settings.load()
        await self._doorkeeper.look()
        await self._if_not_busy(self._read_balances)
        await self._if_not_busy(self._refresh_advice)
        await self._pairs.load(PAIRS_A_PART)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: then no new arbitrage starts, and what runs goes on elsewhere or later."""
        async with asyncio.TaskGroup() as group:
            self._starting = group
            running = [
                group.create_task(self._pairs.run()),
                group.create_task(self._terms.run()),
                group.create_task(self._books.run()),
                group.create_task(self._scanner.run()),
                group.create_task(self._every(BALANCE_SECONDS, self._read_balances)),
                group.create_task(self._every(WARM_SECONDS, self._doorkeeper.look)),
                group.create_task(self._every(CLOSED_SECONDS, self._doorkeeper.look_at_closed)),
                group.create_task(self._every(DUES_SECONDS, self._dues.read)),
                group.create_task(self._every(ADVICE_SECONDS, self._refresh_advice)),
                group.create_task(self._every(PRESENCE_SECONDS, self._report)),
                group.create_task(self._every(PRESENCE_SECONDS, self._fitness.look)),
                group.create_task(self._caretaker.run()),
                group.create_task(self._vitals.run()),
                *([group.create_task(self._recorder.run())] if self._recorder else []),
            ]
            if self._fitness.lacking:  # a server reads its dynamic configuration anew
                again = self._every(CLUSTER_SECONDS, self._look_at_cluster)
                running.append(group.create_task(again))
            await stop.wait()
            self._intake.closed = True
            for task in running:
                task.cancel()
        await self._if_not_busy(self._report)

    async def _take(self, opportunity: Opportunity) -> None:
        """Start the arbitrage while the scanner goes on: the next opportunity does not wait."""
        assert self._starting is not None, "the scanner runs within run()"
        self._starting.create_task(self._intake.take(opportunity))

    def close(self) -> None:
        """The capture is whole."""
        if self._recorder is not None:
            self._recorder.close()

    def _relist(self) -> None:
        if self._recorder is not None:
            self._recorder.pairs(self._pairs.listed.values())
        self._books.watch(self._pairs.listed.values())

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._if_not_busy(act)
            await asyncio.sleep(seconds)

    async def _if_not_busy(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do what has its next turn anyway: a journal that is locked or cannot be written meanwhile
        ends no executor."""
        try:
            await act()
        except JournalBusy as busy:
            log.warning("%s waits for its next turn: %s", getattr(act, "__name__", act), busy)
            if isinstance(busy, JournalFailing):
                self._fitness.journal_failed(str(busy))

    async def _look_at_cluster(self) -> None:
        self._fitness.lacking = await self._caretaker.cluster_lacks()

    async def _read_balances(self) -> None:
        """Both venues' cash into the journal, and what the gate would still let us use."""
        journal, mode = self._desk.journal, self._config.mode
        for venue in self._desk.venues:
            try:
                await read_funds(self._desk, venue, mode)
            except (VenueUnreachable, VenueMisuse) as trouble:
                # The gate refuses on its own once the last balance is too old.
                log.warning("%s: balance not read: %s", venue, trouble)
                continue
            free = await journal.read(partial(balances.free_funds, venue=venue, mode=mode))
            if free is not None:
                self._free[venue] = free

    def _usable(self, instrument: Instrument) -> Usd | None:
        """What the scanner may size a leg by."""
        free = self._free.get(instrument.venue)
        return None if free is None else free.usable(instrument)

    async def _refresh_advice(self) -> None:
        journal, advice = self._desk.journal, self._intake.advice
        saved = await journal.settings.load()
        if saved.version != self._settings_at[0]:
            self._settings_at = saved.version, wall_ms()
        before, was_stopped = advice.resting, advice.stopped is not None
        advice.stopped = await self._stopped()
        now_ms, mode = wall_ms(), self._config.mode
        begun = list(self._intake.retries.begun.values())
        cooling_since_ms = now_ms - self._config.trade.cooldown_ms

        def read(session: Session) -> tuple[Any, ...]:
            return (
                resting_pairs(session, mode, cooling_since_ms),
                reviews.everything(session),
                day_left(session, mode, now_ms),
                verdicts(session, begun),
            )

        advice.taken, advice.reviews, advice.day, judged = await journal.read(read)
        self._intake.retries.judged(judged)
        resumed = was_stopped and advice.stopped is None
        ended = set(self._pairs.listed) if resumed else before - advice.resting
        for pair_id in ended | self._intake.lifted():
            self._scanner.rearm(pair_id)

    async def _keep_terms(self, read: list[Terms]) -> None:
        """For pages. A simulated market has no page at its venue."""
        if self._config.mode is Mode.SIM:
            read = [replace(one, url="") for one in read]
        now_ms = wall_ms()
        await self._desk.journal.write(now_ms, lambda s: terms.keep(s, read, now_ms))

    async def _stopped(self) -> Refusal | None:
        """Why nothing may be started here now. A kill file becomes a halt of the journal, which
        outlives the file."""
        state = await self._desk.journal.run_state()
        killed = self._desk.killed()
        if killed is not None and not state.halted:
            await self._halt_by_file(wall_ms())
        if state.halted or killed is not None:
            return Refusal.HALTED
        if self._fitness.unfit is not None:
            return Refusal.MACHINE_UNFIT
        if not state.enabled:
            return Refusal.DISABLED
        if not self._station.sender.holds:
            return Refusal.STANDBY
        if self._desk.doors.closed(wall_ms()):
            return Refusal.VENUE_CLOSED
        return None if self._caretaker.trusts_the_books else Refusal.UNRECONCILED

    async def _halt_by_file(self, now_ms: int) -> None:
        """Who resumes removes the file first: a halt that comes after that finds none."""

        def work(session: Session) -> None:
            if (reason := self._desk.killed()) is not None:
                run_state.halt(session, reason, Act("operator", "kill file", now_ms))

        await self._desk.journal.write(now_ms, work, Turn.ORDER)

    async def _report(self) -> None:
        """Say in the journal that this executor lives, and what it sees."""
        now_ms = wall_ms()
        self._vitals.look()
        report = self._presence(now_ms) | {"tally": self._desk.tally.told()}
        seen, gone = self._lookout.changed(now_ms), self._lookout.gone()
        counts = self._lookout.counts(now_ms)

        def work(session: Session) -> None:
            presence.report(session, self._name, report, now_ms)
            sightings.keep(session, self._name, seen, gone, now_ms)
            sightings.count(session, self._name, counts, now_ms)

        try:
            await self._desk.journal.write(now_ms, work)
        except JournalBusy:
            self._lookout.untold([*seen, *gone])
            raise

    def _presence(self, now_ms: int) -> dict[str, object]:
        """Counts since the start, feeds, and which settings are in force since when."""
        scanner = self._scanner
        health = {venue.value: asdict(feed) for venue, feed in self._books.health().items()}
        refused = scanner.refused + self._intake.refused
        if scanner.found != self._found[0]:
            self._found = scanner.found, now_ms
        before_ms, before = self._looked
        owed = self._dues.owed
        elapsed_ms, self._looked = max(now_ms - before_ms, 1), (now_ms, scanner.looks)
        return {
            "host": socket.gethostname(),
            "sends": self._station.sender.holds,
            "polled_ms": self._vitals.polled_ms,
            "looks": scanner.looks,
            "checks_per_s": (scanner.looks - before) * 1_000 // elapsed_ms,
            "found": scanner.found,
            "last_opportunity_ms": self._found[1] or None,
            "started": self._intake.started,
            "refused": {reason.value: number for reason, number in refused.items()},
            "feeds": health,
            "ping_ms": {venue.value: ms for venue, ms in self._doorkeeper.ping_ms.items()},
            "shut": {v.value: why for v, why in self._desk.doors.closed(now_ms).items()},
            "owed": None if owed is None else {v.value: str(usd) for v, usd in owed.items()},
            "listed": len(self._pairs.listed),
            "unlisted": {k: pair.why.detail for k, pair in self._pairs.unlisted.items()},
            "settings_version": self._settings_at[0],
            "settings_at_ms": self._settings_at[1],
            **self._precedence.report(),
        }


async def run_executor(config: Config, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Open everything, say `ready`, trade until `stop`, drain, close."""
    async with tracing(config) as traced, open_station(config) as station:
        sdk = SdkMetrics()
        client = await connect(config, sdk.runtime, traced)
        trade = config.trade
        queue = config.temporal.task_queue
        intake = Intake(client, queue, config.mode, trade.bounds(), trade.timing())
        caretaker = Caretaker(client, config, station)
        await caretaker.check_anchor()
        vitals = Vitals(station, sdk, config.database_path)
        executor = Executor(config, station, intake, caretaker, vitals)
        polling, done = asyncio.Event(), asyncio.Event()
        # What was in flight when the last executor died does not wait for books and balances.
        serving = asyncio.create_task(
            serve(client, queue, station, caretaker.reconciler, caretaker.reach, done, polling.set)
        )
        watching = asyncio.create_task(caretaker.watch())
        try:
            await beside(executor.prepare(), serving, watching)
            await beside(polling.wait(), serving, watching)
            ready()
            await beside(executor.run(stop), serving, watching)
        finally:
            done.set()
            try:
                await serving
            finally:
                # Until the lease is let go of nobody else looks.
                watching.cancel()
                executor.close()
