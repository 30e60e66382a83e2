"""The saga of one arbitrage: both legs or neither, whatever dies in between."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.messages import (
        Activity,
        ArbitrageInput,
        LegRequest,
        Reserved,
        ReserveRequest,
        Ticket,
        UnwindReport,
        UnwindRequest,
        WatchReport,
        WatchRequest,
    )
    from domain.decision import Escalate, Hold, Limits, Reconcile, StandDown, Unwind, decide
    from domain.money import NO_USD, Size
    from domain.order import Purpose
    from domain.standing import LegReport, Verdict
    from domain.trade import Phase, phase_for
    from domain.venue import Venue
    from workflows import names, options, story
    from workflows.snapshot import CloseRequest, RetryRequest, Snapshot
    from workflows.state import TradeState


@workflow.defn(name=names.ARBITRAGE)
class ArbitrageWorkflow:
    """Reserve, place both legs, find out what happened, unwind what is uneven, hold, settle."""

    @workflow.init
    def __init__(self, plan: ArbitrageInput) -> None:
        self._plan = plan
        self._trade = TradeState(plan)

    @workflow.run
    async def run(self, plan: ArbitrageInput) -> Snapshot:  # noqa: ARG002 - as __init__ has it
        """Runs to an end phase. A cancel means: sell everything, then end."""
        saga = asyncio.create_task(self._saga())
        while not saga.done():
            try:
                await asyncio.shield(saga)
            except asyncio.CancelledError:
                self._trade.flatten("cancelled", loss_max=None)
        await workflow.wait_condition(workflow.all_handlers_finished)
        saga.result()
        return self.snapshot()

    async def _saga(self) -> None:
        tickets = await self._reserve()
        if tickets is None:
            return  # the gate has written down why
        await self._place(tickets)
        while not self._trade.phase.ended:
            self._trade.nudged = False
            polymarket, kalshi = self._trade.states
            limits = Limits(self._trade.attempts_left, self._plan.bounds.dust)
            decision = decide(polymarket, kalshi, limits, flatten=self._trade.flattening)
            await self._enter(phase_for(decision, flatten=self._trade.flattening))
            match decision:
                case Reconcile(venues):
                    await self._reconcile(venues)
                case Unwind(venue, excess):
                    await self._unwind(venue, excess)
                case Hold():
                    await self._hold()
                case Escalate():
                    await self._wait_for_operator()
                case StandDown():
                    pass

    async def _reserve(self) -> tuple[Ticket, ...] | None:
        """The tickets of both legs; none where the gate's verdict is lost (then every order it
        may have written down is looked for); None where the gate refused."""
        plan = self._plan
        request = ReserveRequest(plan.arb_id, plan.opportunity, plan.mode, plan.bounds)
        try:
            verdict: Reserved = await workflow.execute_local_activity(
                Activity.RESERVE,
                request,
                result_type=Reserved,
                summary="ask the gate for both legs or none",
                **options.LOCAL,
            )
        except ActivityError as lost:
            self._trade.say(f"the gate's verdict is lost: {lost.cause}")
            return ()
        if verdict.refusal is not None:
            self._trade.refuse(verdict.refusal, verdict.detail)
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
        for it."""
        await asyncio.gather(*(self._resolve(venue) for venue in venues))

    async def _resolve(self, venue: Venue) -> None:
        leg = self._trade.leg(venue).state
        plan = self._plan
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

    async def _unwind(self, venue: Venue, excess: Size) -> None:
        """One fill-or-kill sale. Lost, it makes the leg unknown and the loop asks the venue."""
        trade = self._trade
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
        )
        try:
            report: UnwindReport = await workflow.execute_activity(
                Activity.UNWIND,
                request,
                result_type=UnwindReport,
                activity_id=f"{purpose}:{venue}:{request.sequence}",
                summary=story.sale_summary(venue, excess),
                **options.ORDER,
            )
        except ActivityError as lost:
            trade.doubt(venue, f"{purpose} {request.sequence} has no report ({lost.cause})")
        else:
            trade.say(f"{venue}: {report.said}")
            trade.take(report.leg)

    async def _hold(self) -> None:
        """Until a fill is voided or final, both venues have paid, or everything must go."""
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
        await workflow.wait_condition(lambda: watch.done() or trade.flattening)
        if not watch.done():
            watch.cancel()
        try:
            report: WatchReport = await watch
        except ActivityError as ended:
            trade.say(f"stopped watching ({ended.cause})")
            return
        for leg in report.legs:
            trade.take(leg)
        if report.verdicts:
            await self._settle(report.verdicts)

    async def _settle(self, verdicts: tuple[Verdict, ...]) -> None:
        self._trade.verdicts = verdicts
        await self._enter(Phase.SETTLING)
        await self._enter(Phase.SETTLED)

    async def _wait_for_operator(self) -> None:
        """The alarm stays open; one more attempt follows each pause, or at once on request."""
        await self._pause(self._trade.operator_pause)
        self._trade.allow_attempts()

    async def _pause(self, milliseconds: int) -> None:
        if milliseconds == 0:
            return
        try:
            await workflow.wait_condition(
                lambda: self._trade.nudged, timeout=timedelta(milliseconds=milliseconds)
            )
        except TimeoutError:
            return

    async def _enter(self, phase: Phase) -> None:
        """Take the step, show it, and write it down before anything else happens."""
        trade = self._trade
        trade.enter(phase)
        standing = trade.standing()
        if phase in story.SEARCHABLE:
            workflow.upsert_search_attributes(story.attributes(trade.snapshot()))
        workflow.set_current_details(story.current_details(trade.snapshot()))
        try:
            await workflow.execute_local_activity(Activity.RECORD, standing, **options.LOCAL)
        except ActivityError as lost:
            trade.say(f"{phase} could not be recorded at once ({lost.cause})")
            await workflow.execute_activity(
                Activity.RECORD,
                standing,
                activity_id=f"record:{trade.next_number()}",
                summary=f"write down {phase}",
                **options.RECORD,
            )

    @workflow.query(name=names.SNAPSHOT)
    def snapshot(self) -> Snapshot:
        """The whole state, for dashboards and operators."""
        return self._trade.snapshot()

    @workflow.update(name=names.CLOSE_POSITION)
    async def close_position(self, request: CloseRequest) -> Snapshot:
        """Sell both legs and end; answers once that is done, or a person is needed (again).

        A second close waits for the same result; its `loss_max` replaces that of the first.
        """
        trade = self._trade
        before = trade.escalations
        trade.flatten(f"close by {request.by}", request.loss_max)
        await workflow.wait_condition(lambda: trade.phase.ended or trade.escalations > before)
        return self.snapshot()

    @close_position.validator
    def _may_close(self, request: CloseRequest) -> None:
        phase = self._trade.phase
        if phase.ended or phase is Phase.SETTLING:
            raise ApplicationError(
                f"{phase}: there is nothing to close; possible while a position is open",
                type="WrongPhase",
            )
        if request.loss_max is not None and request.loss_max < NO_USD:
            raise ApplicationError(
                f"loss_max: expected 0 or more, found {request.loss_max}", type="BadRequest"
            )

    @workflow.update(name=names.RETRY_UNWIND)
    def retry_unwind(self, request: RetryRequest) -> Snapshot:
        """Try the sale again now, with a fresh set of attempts."""
        self._trade.retry(f"retry by {request.by}")
        return self.snapshot()

    @retry_unwind.validator
    def _may_retry(self, request: RetryRequest) -> None:  # noqa: ARG002 - the update's signature
        phase = self._trade.phase
        if phase not in {Phase.NEEDS_OPERATOR, Phase.UNWINDING, Phase.CLOSING}:
            raise ApplicationError(
                f"{phase}: no unwind to retry; possible in NEEDS_OPERATOR, UNWINDING, CLOSING",
                type="WrongPhase",
            )
