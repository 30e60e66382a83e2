"""What people may ask of and say to a running arbitrage: one query, and updates that a validator
refuses in the wrong phase, with the phase and what is possible."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.money import NO_USD, ONE, ZERO
    from domain.trade import Phase
    from workflows import names
    from workflows.snapshot import (
        CloseRequest,
        HoldRequest,
        MarkResolved,
        RetryRequest,
        Snapshot,
    )
    from workflows.state import TradeState


WHEN_WRITTEN = "closed-when-written"
"""A close is answered once its end is written down; what began before the patch is as it enters
it."""


class OperatorWords:
    """The handlers of ArbitrageWorkflow; they change its state, the saga acts on it."""

    _trade: TradeState
    _written = False
    """Whether its end is in the journal: one that is not yet may be taken back."""

    @workflow.query(
        name=names.SNAPSHOT,
        description="The whole state: both legs, what they pay, why it is where it is.",
    )
    def snapshot(self) -> Snapshot:
        """The whole state, for dashboards and operators."""
        return self._trade.snapshot()

    @workflow.update(
        name=names.CLOSE_POSITION,
        description="Sell both legs and end. Argument: {by, loss_max in dollars or null, limits}.",
    )
    async def close_position(self, request: CloseRequest) -> Snapshot:
        """Sell both legs and end; answers once that is done, a person is needed (again) or takes it
        back, or only neutral pairs are left, which are kept until they are paid.

        A second close waits for the same result; its bounds replace those of the first.
        """
        trade, written = self._trade, workflow.patched(WHEN_WRITTEN)
        before = trade.escalations
        trade.flatten(f"close by {request.by}", request.loss_max, dict(request.limits))
        await workflow.wait_condition(
            lambda: (
                (self._over if written else trade.phase.ended)
                or trade.escalations > before
                or not trade.flattening
                or trade.holds_neutral
            )
        )
        return self.snapshot()

    @property
    def _over(self) -> bool:
        """Whether it has ended for good. A refusal is written down by the gate."""
        return self._written or self._trade.phase is Phase.REFUSED

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
        for venue, limit in request.limits.items():
            if not ZERO < limit < ONE:
                raise ApplicationError(
                    f"limits: expected {venue}'s between 0 and 1, found {limit}", type="BadRequest"
                )

    @workflow.update(
        name=names.HOLD,
        description="Keep what is held as it is; ends an earlier close too. Argument: {by}.",
    )
    def hold(self, request: HoldRequest) -> Snapshot:
        """Keep what is held, uneven as it is, until the question resolves or a later word. It is
        the last word: what a close has not sold by then stays."""
        self._trade.accept(f"held uneven by {request.by}")
        return self.snapshot()

    @hold.validator
    def _may_hold(self, request: HoldRequest) -> None:  # noqa: ARG002 - the update's signature
        self._only_in(Phase.NEEDS_OPERATOR, Phase.UNWINDING, what="an uneven pair to keep")

    @workflow.update(
        name=names.MARK_RESOLVED,
        description="End it by hand. Argument: {by, evidence, cash that was moved in dollars}.",
    )
    async def mark_resolved(self, request: MarkResolved) -> Snapshot:
        """End it on a person's word and evidence: what is left was dealt with outside."""
        self._trade.mark(f"{request.evidence} (resolved by {request.by})", request.cash)
        await workflow.wait_condition(lambda: self._trade.phase.ended)
        return self.snapshot()

    @mark_resolved.validator
    def _may_mark(self, request: MarkResolved) -> None:
        if not (self._trade.keeps_uneven or self._trade.holds_neutral):
            self._only_in(Phase.NEEDS_OPERATOR, Phase.RESOLVING, what="anything to resolve by hand")
        if not request.evidence.strip():
            raise ApplicationError(
                "evidence: expected what was done and where it can be seen, found nothing",
                type="BadRequest",
            )

    @workflow.update(
        name=names.RETRY_UNWIND,
        description="Try the sale again now, with a fresh set of attempts. Argument: {by}.",
    )
    def retry_unwind(self, request: RetryRequest) -> Snapshot:
        """Try the sale again now, with a fresh set of attempts."""
        self._trade.retry(f"retry by {request.by}")
        return self.snapshot()

    @retry_unwind.validator
    def _may_retry(self, request: RetryRequest) -> None:  # noqa: ARG002 - the update's signature
        self._only_in(
            Phase.NEEDS_OPERATOR, Phase.UNWINDING, Phase.CLOSING, what="an unwind to retry"
        )

    def _only_in(self, *phases: Phase, what: str) -> None:
        phase = self._trade.phase
        if phase not in phases:
            possible = ", ".join(phases)
            raise ApplicationError(
                f"{phase}: there is not {what}; possible in {possible}", type="WrongPhase"
            )
