"""What keeps an arbitrage from going on, and the one thing that sets it going again.

Nothing here sends an order: an update lets the workflow try once more, a reset lets an activity
ask at once instead of after its pause, and a lost workflow is replaced by the executor.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest, UnpauseActivityRequest
from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from app.errors import DependencyError
from app.links import wall_ms
from app.operating.office import arbitrage
from app.operating.outputs import Diagnosis
from app.operating.staff import Office, caller
from domain.money import tidy
from domain.trade import Phase
from store.arbitrages import ArbitrageState
from workflows import names

ADOPTED_WITHIN_SECONDS = 30
LOOK_SECONDS = 0.5
TASK_ATTEMPTS = 3
QUIET = frozenset({"NothingNew"})
"""Failures by which an activity only says that it still waits."""
UNWINDS = frozenset({Phase.NEEDS_OPERATOR, Phase.UNWINDING, Phase.CLOSING})


@dataclass(frozen=True, slots=True)
class Found:
    """What is stuck, in words, and the remedy: update, reset, adopt, wait, start, person, none."""

    stuck: str
    remedy: str
    what: str
    activities: tuple[PendingActivityInfo, ...] = ()


async def diagnose(office: Office, name: str) -> tuple[Diagnosis, Found]:
    """Ask journal and Temporal. Changes nothing."""
    state = await arbitrage(office.journal, name, office.config)
    workflow_id = names.workflow_id(state.arb_id, state.adopted)
    found, phase = await _look(office, state, workflow_id)
    told = Diagnosis(
        id=state.arb_id,
        phase=phase.value,
        workflow_id=workflow_id,
        stuck=found.stuck,
        remedy=found.remedy,
        what=found.what,
        done=False,
    )
    return told, found


async def set_going(office: Office, told: Diagnosis, found: Found) -> Diagnosis:
    """Do what the diagnosis says; the audit trail says who."""
    said = found.what
    if found.remedy == "update":
        await office.steering.retry(told.id, caller(), wall_ms())
        said = "the workflow tries again now, with a fresh set of attempts"
    elif found.remedy == "reset":
        for one in found.activities:
            await _reset(office, told.workflow_id, one)
        ids = [one.activity_id for one in found.activities]
        detail = {"activities": ", ".join(ids), "workflow": told.workflow_id}
        act = caller().act(wall_ms())
        await office.journal.audit(act, "reset_activity", told.id, detail)
        said = f"{', '.join(ids)} runs now instead of after its pause"
    elif found.remedy == "adopt":
        said = await _await_adoption(office, told.id)
    else:
        return told
    return told.model_copy(update={"done": True, "what": said})


async def _look(office: Office, state: ArbitrageState, workflow_id: str) -> tuple[Found, Phase]:
    if state.phase.ended:
        return Found("nothing", "none", f"{state.phase}: it has ended"), state.phase
    described = await _described(office, workflow_id)
    if not office.live.alive:
        what = "start an executor: `lockstep run`, or `lockstep run executor` beside a server"
        return Found("no executor runs, so nothing goes on", "start", what), state.phase
    if described is None or described.status is not WorkflowExecutionStatus.RUNNING:
        how = "missing" if described is None else str(described.status and described.status.name)
        stuck = f"its workflow is {how.lower()} while it is {state.phase}"
        what = "the executor adopts it: a new workflow goes on from what journal and venues say"
        return Found(stuck, "adopt", what), state.phase
    raw = described.raw_description
    if raw.pending_workflow_task.attempt >= TASK_ATTEMPTS:
        stuck = f"its workflow task fails, {raw.pending_workflow_task.attempt} times so far"
        what = "an error of ours: `lockstep logs --process executor` says which; it goes on by "
        return Found(stuck, "person", what + "itself once a mended version runs"), state.phase
    known = await office.live.known(state.arb_id, ask=True)
    return _by_phase(known.phase, known.reason, raw.pending_activities), known.phase


def _by_phase(phase: Phase, reason: str, pending: Iterable[PendingActivityInfo]) -> Found:
    """What a running workflow waits for."""
    waiting = tuple(one for one in pending if _pauses(one))
    if waiting:
        stuck = "; ".join(_words(one) for one in waiting)
        return Found(stuck, "reset", "ask again now instead of after the pause", waiting)
    if phase in UNWINDS:
        return Found(
            _why(phase, reason), "update", "try the sale again now, with a fresh set of attempts"
        )
    if phase is Phase.HOLDING:
        what = "nothing to retry: it is held until both venues settle; `lockstep close` sells it"
        return Found("nothing", "none", what)
    return Found(_why(phase, reason), "wait", "a step is running: it ends within seconds")


def _why(phase: Phase, reason: str) -> str:
    return tidy(reason if reason.startswith(phase) else f"{phase}: {reason}")


def _pauses(one: PendingActivityInfo) -> bool:
    """Whether an activity sits out a pause after a failure, or somebody paused it."""
    if one.paused:
        return True
    return one.attempt > 1 and one.last_failure.application_failure_info.type not in QUIET


def _words(one: PendingActivityInfo) -> str:
    if one.paused:
        return f"{one.activity_id} was paused by hand"
    failure = one.last_failure.message or "no answer in time"
    return f"{one.activity_id} failed {one.attempt - 1} times: {failure}"


async def _described(office: Office, workflow_id: str) -> WorkflowExecutionDescription | None:
    try:
        return await office.client.get_workflow_handle(workflow_id).describe()
    except RPCError as trouble:
        if trouble.status is RPCStatusCode.NOT_FOUND:
            return None
        raise DependencyError(f"Temporal does not answer: {trouble.message}") from None


async def _reset(office: Office, workflow_id: str, one: PendingActivityInfo) -> None:
    """An activity that just ended needs no reset any more."""
    service, namespace = office.client.workflow_service, office.client.namespace
    execution = WorkflowExecution(workflow_id=workflow_id)
    identity = office.client.identity
    try:
        if one.paused:
            await service.unpause_activity(
                UnpauseActivityRequest(
                    namespace=namespace,
                    execution=execution,
                    identity=identity,
                    id=one.activity_id,
                    reset_attempts=True,
                )
            )
            return
        await service.reset_activity(
            ResetActivityRequest(
                namespace=namespace, execution=execution, identity=identity, id=one.activity_id
            )
        )
    except RPCError as trouble:
        if trouble.status is not RPCStatusCode.NOT_FOUND:
            raise DependencyError(f"{one.activity_id}: {trouble.message}") from None


async def _await_adoption(office: Office, arb_id: str) -> str:
    """Until the executor's next look has given it a workflow."""
    deadline = time.monotonic() + ADOPTED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        state = await office.journal.arbitrage(arb_id)
        workflow_id = names.workflow_id(arb_id, state.adopted)
        described = await _described(office, workflow_id)
        running = described is not None and described.status is WorkflowExecutionStatus.RUNNING
        if running or state.phase.ended:
            return f"{workflow_id} carries it now"
        await asyncio.sleep(LOOK_SECONDS)
    raise DependencyError(
        f"{arb_id} was not adopted within {ADOPTED_WITHIN_SECONDS} s: does an executor hold the "
        "lease? `lockstep doctor` says so"
    )
