"""The journal as a model: the same questions and answers as the store's, rows in memory.

Every write is atomic. A contradiction raises JournalConflict, as in the store, and ends a run.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from activities.messages import ArbitrageInput
from domain.evidence import Observation
from domain.leg import LegState, fold
from domain.opportunity import Opportunity
from domain.order import (
    Answer,
    Fill,
    Filled,
    Identity,
    NotFilled,
    Order,
    Purpose,
    Rejection,
    Unknown,
)
from domain.standing import Standing
from domain.trade import Phase
from domain.venue import Venue
from store.alarms import Alarm
from store.answers import News, Waiting, keys
from store.arbitrages import ArbitrageState, opposite_intents
from store.errors import JournalConflict, NotJournaled
from store.gate import GateRequest, Granted
from store.intents import WITHDRAWN, AlreadySent, Leave, MaySend, StoredIntent
from store.states import IntentState


@dataclass(slots=True)
class Row:
    """One intent."""

    order: Order
    identity: Identity
    state: IntentState = IntentState.PLANNED
    sent_at_ms: int | None = None
    refusal: NotFilled | None = None
    order_id: str = ""
    evidence: str = ""
    shown: tuple[tuple[object, ...], StoredIntent] | None = None
    """What it was last read as, and what that was made of."""


class Ledger:
    """The journal of one arbitrage."""

    def __init__(self, plan: ArbitrageInput) -> None:
        self.rows: dict[str, Row] = {}
        self.fills: dict[tuple[Venue, str], Fill] = {}
        self.seen: dict[str, dict[tuple[str, int], Observation]] = {}
        self.standings: list[Standing] = []
        self.alarms: dict[str, Alarm] = {}
        self.stopped = False
        """Whether entries are halted at the last gate."""
        self._answered: Mapping[str, int] = {}
        self.version = 0
        self._fills_version = 0
        self._legs: dict[Venue, tuple[object, LegState]] = {}
        self._opposite: tuple[int, frozenset[str]] = (0, frozenset())
        self._plan = plan
        self._opportunity: Opportunity | None = None
        self._state: tuple[int, ArbitrageState] | None = None

    # The gate.

    def reserve(self, request: GateRequest) -> Granted:
        """Both entries are written down; a second run changes nothing."""
        if self._opportunity is None:
            self._opportunity = request.opportunity
            for order, identity in request.orders:
                self.rows[order.intent_id] = Row(order, identity)
            self.version += 1
        return Granted(request.arb_id, 1, 1, "2027-01-15")

    # Orders.

    def intent(self, intent_id: str) -> StoredIntent:
        """One order."""
        return self._stored(self._row(intent_id))

    def plan_step(
        self,
        order: Order,
        identity: Identity,
        refusal: Callable[[ArbitrageState, Order], str | None],
        now_ms: int,
    ) -> StoredIntent | str:
        """Under a known name the first order stays."""
        refused = refusal(self.arbitrage(order.arb_id), order)
        if refused is not None:
            return refused
        self.version += 1
        return self._stored(self.rows.setdefault(order.intent_id, Row(order, identity)))

    def mark_sent(self, intent_id: str, now_ms: int, *_: object) -> Leave:
        """The last gate."""
        row = self._row(intent_id)
        if row.refusal is not None:
            return row.refusal
        if row.state is not IntentState.PLANNED:
            assert row.sent_at_ms is not None, f"{intent_id} was sent at no time"
            return AlreadySent(row.state, row.sent_at_ms)
        refusal = self._fence(row, now_ms)
        if refusal is not None:
            return self._close(row, refusal)
        row.state, row.sent_at_ms = IntentState.SENT, now_ms
        self.version += 1
        return MaySend(now_ms)

    def withdraw(self, intent_id: str, now_ms: int, why: NotFilled = WITHDRAWN) -> StoredIntent:
        """A planned order never leaves."""
        row = self._row(intent_id)
        if row.state is IntentState.PLANNED:
            self._close(row, why)
        return self._stored(row)

    def record_answer(self, intent_id: str, answer: Answer, now_ms: int) -> StoredIntent:
        """What the venue said."""
        row = self._row(intent_id)
        match answer:
            case Filled(order_id, fills):
                late = row.refusal is not None
                if late and row.refusal.rejection is not Rejection.NEVER_ARRIVED:  # type: ignore[union-attr]
                    raise JournalConflict(f"{intent_id} was {row.refusal}, now {answer}")
                row.state, row.order_id, row.refusal = IntentState.FILLED, order_id, None
                self.record_fills(fills, now_ms)
            case NotFilled():
                if row.state is IntentState.FILLED:
                    raise JournalConflict(f"{intent_id} was filled, now {answer}")
                if row.state is not IntentState.NOT_FILLED:
                    self._close(row, answer)
            case Unknown(evidence):
                if not row.state.definite:
                    row.state, row.evidence = IntentState.UNKNOWN, evidence
        if row.state.definite:
            self.alarms.pop(f"unknown:{intent_id}", None)
        self.version += 1
        return self._stored(row)

    def record_fills(self, seen: Iterable[Fill], now_ms: int) -> tuple[str, ...]:
        """New fills and new states."""
        changed = False
        for fill in seen:
            key = fill.venue, fill.trade_id
            known = self.fills.get(key)
            if known is fill:
                continue
            if known is not None and known != replace(fill, state=known.state):
                raise JournalConflict(f"{known} is now {fill}")
            if known is not None and (known.state is fill.state or not fill.state.final):
                continue
            if known is not None and known.state.final:
                raise JournalConflict(f"trade {fill.trade_id} was {known.state}, now {fill.state}")
            self.fills[key] = fill
            changed = True
        self.version += changed
        self._fills_version += changed
        return (self._plan.arb_id,) if changed else ()

    record_each_fill = record_fills

    def add_observations(
        self, intent_id: str, seen: Iterable[Observation], now_ms: int
    ) -> tuple[Observation, ...]:
        """One read counts once."""
        known = self.seen.setdefault(intent_id, {})
        for one in seen:
            known.setdefault((one.source, one.at_ms), one)
        return tuple(known.values())

    # The arbitrage.

    def arbitrage(self, arb_id: str) -> ArbitrageState:
        """All there is."""
        if self._opportunity is None:
            raise NotJournaled(f"expected an arbitrage of the journal, found no {arb_id}")
        if self._state is None or self._state[0] != self.version:
            self._state = self.version, self._load(arb_id, self._opportunity)
        return self._state[1]

    def _load(self, arb_id: str, plan: Opportunity) -> ArbitrageState:
        stored = tuple(map(self._stored, self.rows.values()))
        fills = tuple(self.fills.values())
        if self._opposite[0] != len(self.rows):
            orders = (row.order for row in self.rows.values())
            self._opposite = len(self.rows), opposite_intents(plan, orders)
        opposite = self._opposite[1]
        unsure = tuple(one.order for one in stored if not one.state.definite)
        legs = {}
        for venue in Venue:
            unknown = tuple(order.intent_id for order in unsure if order.venue is venue)
            made_of = (unknown, self._fills_version, opposite)
            if self._legs.get(venue, (None,))[0] != made_of:
                own = (fill for fill in fills if fill.venue is venue)
                ordered = {name: row.order.size for name, row in self.rows.items()}
                leg = fold(venue, plan.size, own, unknown, opposite, ordered)
                self._legs[venue] = made_of, leg
            legs[venue] = self._legs[venue][1]
        return ArbitrageState(
            arb_id=arb_id,
            mode=self._plan.mode,
            phase=self.standings[-1].phase if self.standings else Phase.PLACING,
            status=None,
            reason=None,
            detail=None,
            opportunity=plan,
            settings_version=1,
            revision=0,
            opened_at_ms=0,
            updated_at_ms=0,
            closed_at_ms=None,
            intents=stored,
            fills=fills,
            polymarket=legs[Venue.POLYMARKET],
            kalshi=legs[Venue.KALSHI],
            payouts={},
            realised=None,
        )

    def stand(self, standing: Standing) -> None:
        """Where the arbitrage stands, and the alarm that goes with it."""
        if self.standings and standing.revision <= self.standings[-1].revision:
            return
        self.standings.append(standing)
        key = f"unhedged:{standing.arb_id}"
        stuck = standing.phase is Phase.CLOSING and standing.naked and standing.refused
        if standing.phase in (Phase.UNWINDING, Phase.NEEDS_OPERATOR) or stuck:
            self.alarms.setdefault(key, Alarm(key, "UNHEDGED", None, "", standing.arb_id))  # type: ignore[arg-type]
        elif standing.phase.ended or standing.phase is Phase.HOLDING:
            self.alarms.pop(key, None)
        if standing.phase.ended:
            for over in keys(standing.arb_id):
                self.alarms.pop(over, None)
        self.version += 1

    def answers_waiting(self, arb_id: str) -> Waiting:
        """Since when answers are known, and the alarms about them; told just now."""
        ours = [key for key in keys(arb_id) if key in self.alarms]
        return Waiting(self._answered, dict.fromkeys(ours, 2**53))

    def tell_answers(self, arb_id: str, news: News, now_ms: int) -> None:
        """The same, until the trade has ended."""
        if self.standings and self.standings[-1].phase.ended:
            return
        self._answered = dict(news.since)
        for alarm in news.due:
            self.raise_alarm(alarm, now_ms)
        for key in news.over:
            self.close_alarm(key, news.reason, now_ms)

    def raise_alarm(self, alarm: Alarm, now_ms: int) -> int:
        """Open it or count its repeat."""
        self.alarms.setdefault(alarm.key, alarm)
        return len(self.alarms)

    def close_alarm(self, key: str, evidence: str, now_ms: int) -> bool:
        """Close it on evidence."""
        return self.alarms.pop(key, None) is not None

    def _fence(self, row: Row, now_ms: int) -> NotFilled | None:
        if now_ms > row.order.not_after_ms:
            return NotFilled(Rejection.TOO_LATE, "too late")
        if self.stopped and row.order.purpose not in (Purpose.UNWIND, Purpose.CLOSE):
            return NotFilled(Rejection.FENCED, "halted")
        return None

    def _close(self, row: Row, refusal: NotFilled) -> NotFilled:
        row.state, row.refusal = IntentState.NOT_FILLED, refusal
        self.version += 1
        return refusal

    def _row(self, intent_id: str) -> Row:
        if intent_id not in self.rows:
            raise NotJournaled(f"expected an intent of the journal, found no {intent_id}")
        return self.rows[intent_id]

    def _stored(self, row: Row) -> StoredIntent:
        """Made anew only where what it says has changed: most reads find nothing new."""
        fills = self._fills_version if row.state is IntentState.FILLED else 0
        made_of = (row.state, row.sent_at_ms, row.refusal, row.order_id, row.evidence, fills)
        if row.shown is None or row.shown[0] != made_of:
            row.shown = made_of, self._made(row)
        return row.shown[1]

    def _made(self, row: Row) -> StoredIntent:
        answer: Answer | None = None
        if row.state is IntentState.FILLED:
            own = (f for f in self.fills.values() if f.intent_id == row.order.intent_id)
            answer = Filled(row.order_id, tuple(own))
        elif row.state is IntentState.NOT_FILLED:
            answer = row.refusal
        elif row.state is IntentState.UNKNOWN:
            answer = Unknown(row.evidence)
        return StoredIntent(row.order, row.identity, row.state, row.sent_at_ms, None, answer, 1, 1)
