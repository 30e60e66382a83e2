"""What an arbitrage knows of itself: every change goes through a named method. No commands here.

Kept apart from the saga so that the saga reads on one screen.
"""

from dataclasses import replace

from temporalio import workflow

from activities.messages import ArbitrageInput, StepReport, Ticket
from domain.decision import Decision, Hold, Limits, StandDown, ToGetEven, decide, excess_of
from domain.exits import Exits
from domain.identity import first_number
from domain.leg import LegState
from domain.money import NO_USD, Price, Usd, plain
from domain.payout import Locked, NotLocked, judge
from domain.policy import Refusal
from domain.standing import HOLDS, Happening, LegReport, Standing, Verdict, nothing_held
from domain.trade import Phase, TradeStatus, status_of, step
from domain.venue import Venue
from workflows import pauses
from workflows.carried import given_to, obey, taken_from
from workflows.snapshot import Snapshot

STORY_LINES = 50


class TradeState:
    """Phase, legs, budget and story of one arbitrage."""

    def __init__(self, plan: ArbitrageInput) -> None:
        self._plan = plan
        self._legs = {venue: nothing_held(venue, plan.opportunity.size) for venue in Venue}
        self._story: list[Happening] = []
        self._number = first_number(plan.adopted)
        self._allowed = plan.bounds.unwind_attempts
        self._revision = self._attempts = self._closed_tries = self.escalations = 0
        self._loss_max: Usd | None = self._own_budget
        self._reason = "asking the gate"
        self.phase = Phase.RESERVING
        self._exits: Exits | None = None
        self._tried_completing = self._tried_opposite = False
        self._next_try_ms: int | None = None
        self._was_locked = self._keeps_uneven = self.asked = False
        self._moved_by_hand: Usd | None = None
        self.flattening = self.nudged = False
        self.limits: dict[Venue, Price] = {}
        self.verdicts: tuple[Verdict, ...] = ()
        if plan.carried is not None:
            given_to(self, plan.carried)
        elif plan.word is not None:
            obey(self, plan.word)

    def carried(self) -> ArbitrageInput:
        """What the next run starts with, to go on as if it were this one."""
        return replace(self._plan, carried=taken_from(self))

    def leg(self, venue: Venue) -> LegReport:
        """The latest report of one leg."""
        return self._legs[venue]

    @property
    def states(self) -> tuple[LegState, LegState]:
        """Polymarket's and Kalshi's leg, as the decision wants them."""
        return self._legs[Venue.POLYMARKET].state, self._legs[Venue.KALSHI].state

    def decide(self) -> Decision:
        """The next step, by the one function that decides; a person's last word comes first."""
        if self.marked:
            return StandDown()
        bounds = self._plan.bounds
        # The other outcome would be bought at a price that no limit of a sale bounds.
        may_buy = bounds.buy_opposite and not self._tried_opposite and not self.limits
        limits = Limits(self.attempts_left, bounds.dust, self.budget_left, may_buy)
        decision = decide(*self.states, limits, flatten=self.flattening, exits=self._exits)
        kept = self._keeps_uneven and not self.flattening
        return Hold() if kept and isinstance(decision, ToGetEven) else decision

    @property
    def keeps_uneven(self) -> bool:
        """Whether a person keeps what is held as it is, and nothing is being sold."""
        return self._keeps_uneven and not self.flattening and self.phase is Phase.HOLDING

    @property
    def sells_all(self) -> bool:
        """Whether everything is to go and there is something that can: neutral pairs stay."""
        return self.flattening and not self._all_neutral

    @property
    def holds_neutral(self) -> bool:
        """Whether neutral pairs are all that is held: a person may merge them by hand."""
        return self.phase is Phase.HOLDING and self._all_neutral

    @property
    def _all_neutral(self) -> bool:
        return all(state.held <= self._plan.bounds.dust for state in self.states)

    @property
    def _own_budget(self) -> Usd:
        return self._plan.bounds.loss_budget(self._plan.opportunity.dearer_outlay)

    @property
    def _uneven(self) -> bool:
        pair = self.states
        return max(excess_of(*pair), excess_of(*pair[::-1])) > self._plan.bounds.dust

    @property
    def marked(self) -> bool:
        """Whether a person has ended it by his word."""
        return self._moved_by_hand is not None

    @property
    def settled(self) -> bool:
        """Whether every counted fill is final."""
        return all(state.settled for state in self.states)

    @property
    def attempts_left(self) -> int:
        """Unwind attempts before a person is asked."""
        return max(self._allowed - self._attempts, 0)

    @property
    def budget_left(self) -> Usd | None:
        """Dollars that further sales may lose; None once a person accepted any price."""
        if self._loss_max is None:
            return None
        lost = sum((state.unwind_loss for state in self.states), start=NO_USD)
        return Usd(self._loss_max - lost)

    @property
    def unwind_pause(self) -> int:
        """Milliseconds before the next unwind attempt."""
        return pauses.before_an_unwind(self._plan.timing, self._attempts, self._closed_tries)

    @property
    def operator_pause(self) -> int:
        """Milliseconds before an unwind that a person was asked about is tried again."""
        return pauses.beside_a_person(self._plan.timing, self.escalations, self._closed_tries)

    def next_number(self) -> int:
        """A number no order and no activity of this arbitrage had before."""
        self._number += 1
        return self._number

    def pausing(self, milliseconds: int) -> None:
        """The next attempt follows after so long; 0: it follows now."""
        self._revision += 1
        at_ms = workflow.time_ns() // 1_000_000 + milliseconds
        self._next_try_ms = at_ms if milliseconds else None

    def count_attempt(self) -> int:
        """The number of this unwind attempt since the last progress, from 1."""
        self._attempts += 1
        return self._attempts

    def allow_attempts(self) -> None:
        """After a pause one more attempt; after an operator's word a fresh set."""
        self._attempts, self._tried_opposite = 0, False
        if not self.nudged:
            self._allowed = 1

    def refuse(self, reason: Refusal, detail: str) -> None:
        """The gate said no: nothing was reserved."""
        self.phase = step(self.phase, Phase.REFUSED)
        self.say(f"{reason}: {detail}")

    def placing(self, tickets: tuple[Ticket, ...]) -> None:
        """Both orders are about to leave: until a report comes, both legs are unknown."""
        self.phase = step(self.phase, Phase.PLACING)
        both = "both orders are written down and leave together"
        self.say(both if tickets else "every order that may have left is looked for")
        sent = {ticket.order.venue: ticket.order.intent_id for ticket in tickets}
        for venue in Venue:
            self._mark_unknown(venue, sent.get(venue, f"{self._plan.arb_id}/{venue}"))

    def take(self, report: LegReport) -> None:
        """A leg's new state. Less held than before is progress of an unwind."""
        venue = report.state.venue
        if report.state.held < self._legs[venue].state.held:
            self._attempts, self._tried_opposite = 0, False
        self._legs[venue] = report
        self._exits = None

    def stepped(self, report: StepReport) -> None:
        """What a sale or a completion came to. One that a closed venue refused was no attempt."""
        self.say(f"{report.leg.state.venue}: {report.said}")
        self._closed_tries = self._closed_tries + 1 if report.closed else 0
        if pauses.only_closed(self._closed_tries):
            self._attempts = max(self._attempts - 1, 0)
        for leg in filter(None, (report.leg, report.sibling)):
            self.take(leg)

    def priced(self, exits: Exits) -> None:
        """What both ways out of an uneven pair cost now. Completing is tried once: the venue that
        refused it has no better answer than selling at the other."""
        self._exits = replace(exits, completion=None) if self._tried_completing else exits
        self.say(exits.said)

    def completing(self) -> None:
        """The missing leg is about to be bought."""
        self._tried_completing = True
        self.count_attempt()

    def buying_opposite(self) -> None:
        """The other outcome is about to be bought: once for each set of attempts."""
        self._tried_opposite = True

    def doubt(self, venue: Venue, said: str) -> None:
        """An order of this leg has no report: the leg is unknown again."""
        self.say(f"{venue}: {said}")
        self._mark_unknown(venue, said)

    def flatten(self, why: str, loss_max: Usd | None, limits: dict[Venue, Price]) -> None:
        """Everything is to be sold. A person's latest word replaces the loss budget (None: any)
        and the lowest prices (empty: any), and starts a fresh set of attempts."""
        self.flattening = True
        self._loss_max, self.limits = loss_max, limits
        self.retry(why)

    def accept(self, why: str) -> None:
        """A person keeps what is held. His latest word ends an earlier close, with its bounds; a
        pair that is even needs no leave to be held, and may still be made even later."""
        self._keeps_uneven = self._uneven
        self.flattening, self.limits, self._loss_max = False, {}, self._own_budget
        self.say(why)
        self.nudged = True

    def mark(self, why: str, cash: Usd) -> None:
        """A person has dealt with what is left; `cash` is what it brought."""
        self._moved_by_hand = cash
        self.say(why)
        self.nudged = True

    def retry(self, why: str) -> None:
        """A person asks for another set of attempts, now: no pause that has begun goes on."""
        self.say(why)
        self._attempts, self._closed_tries, self._tried_opposite = 0, 0, False
        self._allowed = self._plan.bounds.unwind_attempts
        self.nudged = True

    def enter(self, phase: Phase) -> None:
        """Take a legal step, under the next revision; IllegalStep otherwise."""
        self._revision += 1
        if phase is Phase.HOLDING:
            self._was_locked = isinstance(self._judge(), Locked)
        elif phase is Phase.SETTLING:
            self._was_locked = self._was_locked and isinstance(self._judge(), Locked)
        elif phase in {Phase.UNWINDING, Phase.NEEDS_OPERATOR} and not self.flattening:
            self._was_locked = False
        if phase is Phase.NEEDS_OPERATOR:
            self.escalations += 1
            self.asked = True
        elif phase is Phase.HOLDING or phase.ended:
            self.asked = False
        if phase is not self.phase:
            why = phase is Phase.NEEDS_OPERATOR and not self._reason.startswith(f"{self.phase}: ")
            self.phase = step(self.phase, phase)
            self.say(f"{phase}: {self._reason}" if self.marked or why else self._headline())

    def take_back(self, before: Phase, legs: tuple[LegReport, LegReport]) -> None:
        """It is not over: the legs are not what the end was decided on."""
        self.phase, self.asked, self.verdicts = before, before is Phase.NEEDS_OPERATOR, ()
        for leg in legs:
            self.take(leg)
        self.say("not over yet: a fill turned up")

    def say(self, said: str) -> None:
        """Add a line to the story; the latest one is the reason shown."""
        self._revision += 1
        self._reason = said
        self._story.append(Happening(workflow.time_ns() // 1_000_000, self.phase, said))
        del self._story[:-STORY_LINES]

    def standing(self, snapshot: Snapshot) -> Standing:
        """What is to be written down where a reader sees this."""
        gained = snapshot.realised_profit
        return Standing(
            arb_id=snapshot.arb_id,
            revision=snapshot.revision,
            opportunity=self._plan.opportunity,
            mode=snapshot.mode,
            phase=snapshot.phase,
            status=snapshot.status,
            polymarket=snapshot.polymarket,
            kalshi=snapshot.kalshi,
            locked=snapshot.locked_profit is not None,
            settled=self.settled,
            profit=snapshot.locked_profit if gained is None else gained,
            reason=snapshot.reason,
            verdicts=snapshot.verdicts,
            moved_by_hand=self._moved_by_hand,
            refused=self._attempts + self._closed_tries > 0,
            run_id=workflow.info().run_id,
            history=workflow.info().get_current_history_length(),
            word=taken_from(self).word,
        )

    def snapshot(self) -> Snapshot:
        """Everything a reader needs."""
        plan, opportunity = self._plan, self._plan.opportunity
        verdict = self._judge()
        return Snapshot(
            arb_id=plan.arb_id,
            pair_id=opportunity.pair_id,
            title=opportunity.title,
            mode=plan.mode,
            revision=self._revision,
            phase=self.phase,
            status=self._status(),
            size=opportunity.size,
            polymarket=self._legs[Venue.POLYMARKET],
            kalshi=self._legs[Venue.KALSHI],
            payout=verdict.payout,
            outlay=verdict.outlay,
            locked_profit=verdict.profit if isinstance(verdict, Locked) else None,
            realised_profit=self._realised(),
            provisional=not self.settled,
            closing=self.flattening,
            reason=self._reason,
            verdicts=self.verdicts,
            story=tuple(self._story),
            next_try_ms=self._next_try_ms,
            budget_left=self.budget_left,
        )

    def _judge(self) -> Locked | NotLocked:
        polymarket, kalshi = self.states
        outcome = self._plan.opportunity.polymarket.instrument.outcome
        return judge(polymarket, outcome, kalshi, self._plan.bounds.dust)

    def _status(self) -> TradeStatus:
        return status_of(self.phase, *self.states, locked=self._was_locked)

    def _realised(self) -> Usd | None:
        if self.phase not in {Phase.FLAT, Phase.SETTLED}:
            return None
        flow = sum((state.received - state.paid for state in self.states), start=NO_USD)
        paid_out = sum((verdict.cash for verdict in self.verdicts), start=NO_USD)
        return Usd(paid_out + flow + (self._moved_by_hand or NO_USD))

    def _mark_unknown(self, venue: Venue, intent: str) -> None:
        report = self._legs[venue]
        state = replace(report.state, unknown=(*report.state.unknown, intent))
        self._legs[venue] = replace(report, state=state)

    def _headline(self) -> str:
        polymarket, kalshi = self.states
        held = f"{HOLDS} {plain(polymarket.held)}, Kalshi {plain(kalshi.held)}"
        pairs = f", {plain(polymarket.neutral)} neutral pairs" if polymarket.neutral else ""
        return f"{self.phase}: {held}{pairs}"
