"""The journal as the rest of the product uses it: one object, one asynchronous method per act.

Writes of a process run one after another on one thread, each as one transaction that is finished
even if its caller is cancelled. Times are arguments: the journal reads no clock.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from sqlmodel import Session

from domain.evidence import Observation
from domain.funds import Funds
from domain.money import Usd
from domain.opportunity import Refused
from domain.order import Answer, Fill, Identity, NotFilled, Order
from domain.policy import ExecutorSettings
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import (
    alarms,
    answers,
    arbitrages,
    audit,
    balances,
    events,
    fills,
    gate,
    intents,
    lifecycle,
    observations,
    run_state,
    schema,
    settings,
)
from store.alarms import Alarm
from store.arbitrages import ArbitrageState, Unfinished
from store.audit import Act
from store.engine import Database
from store.errors import JournalConflict
from store.events import Event
from store.gate import GateRequest, Granted
from store.intents import Leave, StoredIntent
from store.lease import Claim
from store.lifecycle import Conclusion
from store.place import Place
from store.run_state import RunState
from store.settings import ExecutorSettingsManager
from store.states import Severity
from store.trade_log import TradeLogger
from store.writing import Turn

T = TypeVar("T")
DEFAULT_SETTINGS = ExecutorSettings()


class Journal:
    """One opened database. `settings` and `trade_log` are its two named readers."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = ExecutorSettingsManager(database)
        self.trade_log = TradeLogger(database)

    @classmethod
    def open(
        cls,
        place: Place,
        now_ms: int,
        first: ExecutorSettings = DEFAULT_SETTINGS,
        *,
        upgrading: bool = True,
    ) -> "Journal":
        """Check, upgrade and open the database, making the journal where there is none, with the
        settings `first`. Blocks: call it before the event loop is busy. Raises DatabaseDamaged,
        UnfitDatabase, ForeignDatabase, SchemaTooNew or JournalBusy; without `upgrading` also
        SchemaTooOld, and makes none."""
        database = Database(place)
        try:
            if upgrading:
                database.backend.prepare()
            database.backend.check(database.reader)
            if upgrading:
                schema.upgrade(database)
            else:
                schema.require_newest(database)
            database.write_here(lambda s: settings.initialise(s, now_ms, first))
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Finish what was begun and let go of the file."""
        self.database.close()

    async def write(self, now_ms: int, work: Callable[[Session], T], turn: Turn = Turn.USUAL) -> T:
        """Run `work` as one transaction, when it is its turn. A JournalConflict rolls it back,
        halts all entries, raises an alarm, and is raised."""
        return await self.database.on_writer(lambda: self._write_or_halt(now_ms, work), turn)

    def _write_or_halt(self, now_ms: int, work: Callable[[Session], T]) -> T:
        try:
            return self.database.write_here(work)
        except JournalConflict as conflict:
            message = str(conflict)
            self.database.write_here(lambda s: _halt_for_conflict(s, message, now_ms))
            raise

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on one consistent state."""
        return await self.database.read(work)

    # The gate and the run state.

    async def reserve(self, request: GateRequest) -> Granted | Refused:
        """Admit both legs or neither; see `store.gate`."""
        return await self.write(request.now_ms, lambda s: gate.reserve(s, request), Turn.GATE)

    async def record_balance(self, venue: Venue, mode: Mode, funds: Funds, as_of_ms: int) -> bool:
        """Keep the cash a venue reported to a read that was begun at `as_of_ms`."""
        return await self.write(
            as_of_ms, lambda s: balances.record_balance(s, venue, mode, funds, as_of_ms)
        )

    async def free_cash(self, venue: Venue, mode: Mode) -> Usd | None:
        """The venue's last reported cash less what is promised; None if never reported."""
        return await self.read(lambda s: balances.free_cash(s, venue, mode))

    async def run_state(self) -> RunState:
        """Whether entries may leave, and why not."""
        return await self.read(run_state.read)

    async def halt(self, reason: str, act: Act) -> None:
        """Latch entries off. They have stopped `run_state.STOPPED_AFTER_MS` after this
        returns."""
        await self.write(act.at_ms, lambda s: run_state.halt(s, reason, act), Turn.ORDER)

    async def resume(self, act: Act) -> None:
        """Release the latch."""
        await self.write(act.at_ms, lambda s: run_state.resume(s, act))

    # Orders and what became of them.

    async def intent(self, intent_id: str) -> StoredIntent:
        """One order with what is known of it."""
        return await self.read(lambda s: intents.load(s, intent_id))

    async def plan_step(
        self,
        order: Order,
        identity: Identity,
        refusal: Callable[[ArbitrageState, Order], str | None],
        now_ms: int,
    ) -> StoredIntent | str:
        """Journal an order beyond the entries before it is sent, unless `refusal` says why it must
        not be: it is asked of the arbitrage as it is in the same transaction. Under a known intent
        id the first order stays and is returned: send that one."""
        return await self.write(
            now_ms, lambda s: _plan_step(s, order, identity, refusal), Turn.ORDER
        )

    async def mark_sent(
        self, intent_id: str, now_ms: int, claim: Claim | None = None, stop: str | None = None
    ) -> Leave:
        """The last gate before the first byte: MaySend once, else NotFilled or AlreadySent."""
        return await self.write(
            now_ms,
            lambda s: intents.mark_sent(s, intent_id, now_ms, claim, stop),
            Turn.ORDER,
        )

    async def withdraw(
        self, intent_id: str, now_ms: int, why: NotFilled = intents.WITHDRAWN
    ) -> StoredIntent:
        """Close an order that was never sent, so that it never will be; returns what it is."""
        return await self.write(now_ms, lambda s: intents.withdraw(s, intent_id, now_ms, why))

    async def record_answer(self, intent_id: str, answer: Answer, now_ms: int) -> StoredIntent:
        """Write what the venue said of an order, fills included."""
        return await self.write(
            now_ms, lambda s: intents.record_answer(s, intent_id, answer, now_ms)
        )

    async def record_fills(self, seen: Iterable[Fill], now_ms: int) -> tuple[str, ...]:
        """Write fills and their states; returns the arbitrages that changed by them."""
        return await self.write(now_ms, lambda s: fills.record(s, seen, now_ms))

    async def record_each_fill(self, seen: Iterable[Fill], now_ms: int) -> None:
        """As `record_fills`; but where one of them contradicts the journal, which is for a person,
        the others are written all the same before JournalConflict is raised: by what they say a
        leg may be naked."""
        told = tuple(seen)
        try:
            await self.record_fills(told, now_ms)
        except JournalConflict:
            for one in told:
                with suppress(JournalConflict):
                    await self.write(now_ms, partial(fills.record, fills=(one,), now_ms=now_ms))
            raise

    async def add_observations(
        self, intent_id: str, seen: Iterable[Observation], now_ms: int
    ) -> tuple[Observation, ...]:
        """Append reads that looked for an order; returns all there are."""
        return await self.write(now_ms, lambda s: _observe(s, intent_id, seen))

    async def observations(self, intent_id: str) -> tuple[Observation, ...]:
        """Every read that looked for the order, oldest first."""
        return await self.read(lambda s: observations.of_intent(s, intent_id))

    # The arbitrage.

    async def arbitrage(self, arb_id: str) -> ArbitrageState:
        """All orders and fills of an arbitrage, with both legs folded from them."""
        return await self.read(lambda s: arbitrages.load(s, arb_id))

    async def set_phase(
        self,
        arb_id: str,
        phase: Phase,
        now_ms: int,
        *,
        reason: str = "",
        status: TradeStatus | None = None,
        details: Mapping[str, object] | None = None,
    ) -> int:
        """Enter a working phase; see `lifecycle.set_phase`. Returns the revision."""
        return await self.write(
            now_ms,
            lambda s: lifecycle.set_phase(
                s, arb_id, phase, now_ms, reason=reason, status=status, details=details
            ),
        )

    async def note(self, arb_id: str, kind: str, detail: Mapping[str, object], now_ms: int) -> int:
        """Add an event that changes no phase; returns the revision."""
        return await self.write(now_ms, lambda s: lifecycle.note(s, arb_id, kind, detail, now_ms))

    async def lock(
        self, arb_id: str, status: TradeStatus, details: Mapping[str, object], now_ms: int
    ) -> int:
        """Enter HOLDING: release the loss at risk, open the position, log the trade."""
        return await self.write(
            now_ms, lambda s: lifecycle.lock(s, arb_id, status, details, now_ms)
        )

    async def record_payout(self, arb_id: str, venue: Venue, amount: Usd, now_ms: int) -> None:
        """Book what a venue credited when the question resolved."""
        await self.write(
            now_ms, lambda s: lifecycle.record_payout(s, arb_id, venue, amount, now_ms)
        )

    async def conclude(self, end: Conclusion) -> Usd:
        """End the arbitrage and return its result in dollars."""
        return await self.write(end.now_ms, lambda s: lifecycle.conclude(s, end))

    async def unfinished(self, quiet_since_ms: int | None = None) -> list[Unfinished]:
        """Arbitrages that have not ended; with a time, those without an event since."""
        return await self.read(lambda s: arbitrages.unfinished(s, quiet_since_ms))

    async def indefinite_intents(self, sent_before_ms: int) -> list[str]:
        """Orders sent before then without a definite answer."""
        return await self.read(lambda s: arbitrages.indefinite_intents(s, sent_before_ms))

    async def refusals(self, mode: Mode, since_ms: int) -> dict[str, int]:
        """How many arbitrages the gate refused since then, by reason."""
        return await self.read(lambda s: arbitrages.refusals(s, mode, since_ms))

    async def events(self, arb_id: str, after_revision: int = 0) -> list[Event]:
        """The life of an arbitrage, oldest first."""
        return await self.read(lambda s: events.of_arbitrage(s, arb_id, after_revision))

    async def answers_waiting(self, arb_id: str) -> answers.Waiting:
        """Since when answers are known that the trade waits with, and what was told of them."""
        return await self.read(lambda s: answers.waiting(s, arb_id))

    async def tell_answers(self, arb_id: str, news: answers.News, now_ms: int) -> None:
        """Write down what is new about them, alarms included."""
        await self.write(now_ms, lambda s: answers.tell(s, arb_id, news, now_ms))

    # People.

    async def raise_alarm(self, alarm: Alarm, now_ms: int) -> int:
        """Open an alarm or count its repeat; returns its number."""
        return await self.write(now_ms, lambda s: alarms.raise_alarm(s, alarm, now_ms))

    async def close_alarm(self, key: str, evidence: str, now_ms: int) -> bool:
        """Close the open alarm of that key on evidence; False where there is none."""
        return await self.write(now_ms, lambda s: alarms.close(s, key, evidence, now_ms))

    async def acknowledge_alarm(self, alarm_id: int, act: Act, evidence: str | None = None) -> None:
        """Somebody has seen the alarm; see `alarms.acknowledge`."""
        await self.write(act.at_ms, lambda s: alarms.acknowledge(s, alarm_id, act, evidence))

    async def audit(self, act: Act, action: str, subject: str, detail: Mapping[str, object]) -> str:
        """Append to the audit trail; returns the head of its chain."""
        return await self.write(act.at_ms, lambda s: audit.record(s, act, action, subject, detail))


def _plan_step(
    session: Session,
    order: Order,
    identity: Identity,
    refusal: Callable[[ArbitrageState, Order], str | None],
) -> StoredIntent | str:
    refused = refusal(arbitrages.load(session, order.arb_id), order)
    if refused is not None:
        return refused
    intents.plan(session, order, identity)
    return intents.load(session, order.intent_id)


def _observe(
    session: Session, intent_id: str, seen: Iterable[Observation]
) -> tuple[Observation, ...]:
    observations.add(session, intent_id, seen)
    return observations.of_intent(session, intent_id)


def _halt_for_conflict(session: Session, message: str, now_ms: int) -> None:
    run_state.halt(session, message, Act("lockstep", "journal", now_ms))
    alarm = Alarm(alarms.CONFLICT, "JOURNAL_CONFLICT", Severity.RED, message)
    alarms.raise_alarm(session, alarm, now_ms)
