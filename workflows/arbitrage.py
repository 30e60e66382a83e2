"""The saga of one arbitrage: both legs or neither, whatever dies in between."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

with workflow.unsafe.imports_passed_through():
    from activities.messages import (
        Activity,
        ArbitrageInput,
        CompleteRequest,
        ExitsRequest,
        LegRequest,
        Reserved,
        ReserveRequest,
        StepReport,
        Ticket,
        UnwindRequest,
        WatchReport,
        WatchRequest,
    )
    from domain.decision import (
        BuyOpposite,
        Complete,
        Escalate,
        Hold,
        PriceExits,
        Reconcile,
        StandDown,
        Unwind,
    )
    from domain.exits import NOT_PRICED, Exits
    from domain.money import Price, Size
    from domain.order import Purpose
    from domain.standing import LegReport, Verdict
    from domain.trade import Phase, phase_for
    from domain.venue import Venue
    from workflows import names, options, story
    from workflows.local import Lost, run_local
    from workflows.operators import OperatorWords
    from workflows.snapshot import Snapshot
    from workflows.state import TradeState


@workflow.defn(name=names.ARBITRAGE)
class ArbitrageWorkflow(OperatorWords):
    """Reserve, place both legs, find out what happened, unwind what is uneven, hold, settle."""

    @workflow.init
    def __init__(self, plan: ArbitrageInput) -> None:
        self._plan = plan
        self._trade = TradeState(plan)
        self._taken = 0

    @workflow.run
    async def run(self, plan: ArbitrageInput) -> Snapshot:
        """Runs to an end phase. A cancel means: sell everything, then end.

        A history that has grown long is left behind between two steps, with no word of a person
        half answered: the next run starts with all that this one knows.
        """
        steps = self._steps if plan.carried else self._saga
        while not self._trade.phase.ended:
            saga = asyncio.create_task(steps())
            while not saga.done():
                try:
                    await asyncio.shield(saga)
                except asyncio.CancelledError:
                    self._trade.flatten("cancelled", loss_max=None, limits={})
            saga.result()
            if self._rests():
                workflow.continue_as_new(self._trade.carried())
            steps = self._steps
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.snapshot()

    def _rests(self) -> bool:
        """Whether this run may end here: by its own count, which a replay counts again alike."""
        after = self._plan.rest_after
        long = self._taken >= after if after else workflow.info().is_continue_as_new_suggested()
        return long and not self._trade.phase.ended and workflow.all_handlers_finished()

    async def _saga(self) -> None:
        tickets = await self._reserve()
        if tickets is None:
            return  # the gate has written down why
        await self._place(tickets)
        await self._steps()

    async def _steps(self) -> None:
        """One decision after the other, until it is over or the history is long."""
        while not self._trade.phase.ended and not self._rests():
            self._taken += 1
            self._trade.nudged = False
            decision = self._trade.decide()
            await self._enter(phase_for(decision, flatten=self._trade.flattening))
            match decision:
                case Reconcile(venues):
                    await self._reconcile(venues)
                case PriceExits(venue, excess):
                    await self._price_exits(venue, excess)
                case Complete(venue, size, limit):
                    await self._complete(venue, size, limit)
                case Unwind(venue, excess):
                    await self._unwind(venue, excess)
                case BuyOpposite(venue, excess):
                    await self._unwind(venue, excess, Activity.BUY_OPPOSITE)
                case Hold():
                    await self._hold()
                case Escalate():
                    await self._wait_for_operator()
                case StandDown():
                    pass

    async def _reserve(self) -> tuple[Ticket, ...] | None:
        """The tickets of both legs; none where the gate's verdict is lost or an earlier workflow
        asked (then every order that may be written down is looked for); None where it refused."""
        plan = self._plan
        if plan.adopted:
            self._trade.say(f"adopted for the {plan.adopted}. time: its workflow was lost")
            return ()
        request = ReserveRequest(plan.arb_id, plan.opportunity, plan.mode, plan.bounds)
        try:
            verdict = await run_local(
                Activity.RESERVE, request, Reserved, "ask the gate for both legs or none"
            )
        except Lost as lost:
            self._trade.say(f"the gate's verdict is lost: {lost}")
            return ()
        if verdict.refusal is not None:
            self._trade.refuse(verdict.refusal, verdict.detail)
            story.show(self._trade.snapshot(), asked=False)
            return None
        return verdict.tickets

    async def _place(self, tickets: tuple[Ticket, ...]) -> None:
        """Send both orders at once. A leg without a report stays unknown."""
        self._trade.placing(tickets)
        if not self._trade.flattening:
            await asyncio.gather(*(self._send(ticket) for ticket in tickets))

    async def _send(self, ticket: Ticket) -> None:
        venue = ticket.order.venue
        try:
            report: LegReport = await workflow.execute_activity(
                Activity.PLACE_ORDER,
                ticket,
                result_type=LegReport,
                activity_id=f"place:{venue}",
                summary=story.leg_summary(self._plan.opportunity.leg(venue)),
                **options.ORDER,
            )
        except ActivityError as lost:
            self._trade.say(f"{venue}: no report of the order ({lost.cause})")
        else:
            self._trade.take(report)

    async def _reconcile(self, venues: tuple[Venue, ...]) -> None:
        """Ask until every order is definite; also until nothing is provisional where a sale waits
        for it. Only a person's word ends the asking."""
        asking = asyncio.gather(*(self._resolve(venue) for venue in venues))
        await workflow.wait_condition(lambda: asking.done() or self._trade.marked)
        if asking.done():
            await asking
            return
        asking.cancel()
        with suppress(asyncio.CancelledError, ActivityError):
            await asking

    async def _resolve(self, venue: Venue) -> None:
        plan, leg = self._plan, self._trade.leg(venue).state
        request = LegRequest(plan.arb_id, venue, leg.planned, plan.timing, settled=not leg.unknown)
        report: LegReport = await workflow.execute_activity(
            Activity.RESOLVE_ORDER,
            request,
            result_type=LegReport,
            activity_id=f"resolve:{venue}:{self._trade.next_number()}",
            summary=f"ask {venue} what really happened",
            **options.resolve(plan.timing),
        )
        self._trade.take(report)

    async def _price_exits(self, venue: Venue, excess: Size) -> None:
        """What completing and what selling costs; unpriced means selling."""
        trade, plan = self._trade, self._plan
        await self._pause(trade.unwind_pause)
        request = ExitsRequest(plan.arb_id, plan.opportunity, venue, excess, trade.budget_left)
        try:
            exits: Exits = await workflow.execute_activity(
                Activity.PRICE_EXITS,
                request,
                result_type=Exits,
                activity_id=f"price:{trade.next_number()}",
                summary="price both ways out: complete or sell",
                **options.STEP,
            )
        except ActivityError:
            exits = NOT_PRICED
        trade.priced(exits)

    async def _complete(self, venue: Venue, size: Size, limit: Price) -> None:
        """Buy the missing leg. Lost, it makes the leg unknown and the loop asks the venue."""
        trade, plan = self._trade, self._plan
        request = CompleteRequest(
            arb_id=plan.arb_id,
            opportunity=plan.opportunity,
            venue=venue,
            size=size,
            limit=limit,
            sequence=trade.next_number(),
            deadline_ms=plan.bounds.deadline_ms,
            person_called=trade.escalations > 0,
        )
        trade.completing()
        summary = story.completion_summary(venue, size, limit)
        await self._step(Activity.COMPLETE, venue, f"complete:{request.sequence}", request, summary)

    async def _unwind(self, venue: Venue, excess: Size, way: Activity = Activity.UNWIND) -> None:
        """One fill-or-kill sale, or purchase of the other outcome. Lost, the leg is unknown."""
        trade = self._trade
        if way is Activity.BUY_OPPOSITE:
            trade.buying_opposite()
        elif trade.flattening:
            await self._pause(trade.unwind_pause)
        purpose = Purpose.CLOSE if trade.flattening else Purpose.UNWIND
        request = UnwindRequest(
            arb_id=self._plan.arb_id,
            opportunity=self._plan.opportunity,
            venue=venue,
            excess=excess,
            purpose=purpose,
            sequence=trade.next_number(),
            attempt=trade.count_attempt(),
            budget=trade.budget_left,
            deadline_ms=self._plan.bounds.deadline_ms,
            least=trade.limits.get(venue),
            person_called=trade.escalations > 0,
        )
        summary = story.unwind_summary(way, venue, excess)
        await self._step(way, venue, f"{purpose}:{request.sequence}", request, summary)

    async def _step(
        self,
        activity: Activity,
        venue: Venue,
        name: str,
        request: UnwindRequest | CompleteRequest,
        summary: str,
    ) -> None:
        """One order on the way to an even pair."""
        try:
            report: StepReport = await workflow.execute_activity(
                activity,
                request,
                result_type=StepReport,
                activity_id=f"{name}:{venue}",
                summary=summary,
                **options.STEP,
            )
        except ActivityError as lost:
            self._trade.doubt(venue, f"{name} has no report ({lost.cause})")
        else:
            self._trade.stepped(report)

    async def _hold(self) -> None:
        """Until a fill is voided or final, both venues have paid, or everything must go."""
        await self._watch(lambda: self._trade.sells_all or self._trade.marked, None)

    async def _watch(self, until: Callable[[], bool], limit: timedelta | None) -> None:
        """Look at what is held until it changes, it is paid for (that ends the arbitrage), `until`
        holds or the time is up."""
        trade, plan = self._trade, self._plan
        request = WatchRequest(plan.arb_id, plan.opportunity, trade.states)
        watch = workflow.start_activity(
            Activity.WATCH,
            request,
            result_type=WatchReport,
            activity_id=f"watch:{trade.next_number()}",
            summary="wait for settlement, resolution or an operator",
            **options.watch(plan.timing, settled=trade.settled),
        )
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: watch.done() or until(), timeout=limit)
        if not watch.done():
            watch.cancel()
        try:
            report: WatchReport = await watch
        except ActivityError as ended:
            if not isinstance(ended.cause, CancelledError):
                trade.say(f"stopped watching ({ended.cause})")
            return
        for leg in report.legs:
            trade.take(leg)
        if report.verdicts and not trade.marked:
            await self._settle(report.verdicts)

    async def _settle(self, verdicts: tuple[Verdict, ...]) -> None:
        trade, before = self._trade, self._trade.phase
        trade.verdicts = verdicts
        await self._enter(Phase.SETTLING, before)
        if trade.phase is not before:  # else more is held than was paid for
            await self._enter(Phase.SETTLED, before)

    async def _wait_for_operator(self) -> None:
        """The alarm stays open; one more attempt follows each pause, or at once on request. A
        question that is answered meanwhile pays for what is held, and that ends it too."""
        pause = self._trade.operator_pause
        self._trade.pausing(pause)
        await self._watch(lambda: self._trade.nudged, timedelta(milliseconds=pause))
        self._trade.pausing(0)
        if not self._trade.phase.ended:
            self._trade.allow_attempts()

    async def _pause(self, pause_ms: int) -> None:
        if pause_ms:
            self._trade.pausing(pause_ms)
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._trade.nudged, timeout=pause_ms / 1000)
            self._trade.pausing(0)

    async def _enter(self, phase: Phase, back: Phase | None = None) -> None:
        """Take the step, show it, and write it down before anything else happens. An end that a
        late fill proves wrong is not written down, and taken back (to `back`, if named)."""
        trade, before = self._trade, back or self._trade.phase
        trade.enter(phase)
        standing = trade.standing(seen := trade.snapshot())
        if phase is not Phase.SETTLING:
            story.show(seen, asked=trade.asked)
        workflow.set_current_details(story.current_details(seen))
        try:
            late = await run_local(Activity.RECORD, standing, WatchReport, f"write down {phase}")
        except Lost as lost:
            trade.say(f"{phase} could not be recorded at once ({lost})")
            if phase is Phase.SETTLING:  # which is over at once where the journal answers
                story.show(trade.snapshot(), asked=trade.asked)
            late = await workflow.execute_activity(
                Activity.RECORD,
                standing,
                result_type=WatchReport,
                activity_id=f"record:{trade.next_number()}",
                summary=f"write down {phase}",
                **options.RECORD,
            )
        if late is not None:
            trade.take_back(before, late.legs)
        self._written = trade.phase.ended
