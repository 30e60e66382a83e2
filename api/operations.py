"""Commands that a workflow must confirm: sent as updates, watched as operations.

An operation's id is the workflow's id and the update's, so nothing has to be remembered here.
"""

import asyncio
import base64
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.problems import Problem
from api.wire import Json, optional
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, HoldRequest, MarkResolved, RetryRequest, Snapshot

Request = CloseRequest | RetryRequest | HoldRequest | MarkResolved

REFUSAL_TIMEOUT = timedelta(milliseconds=50)
ACCEPT_TIMEOUT = timedelta(seconds=3)
LOOK_TIMEOUT = timedelta(milliseconds=300)
UNHEARD_PAUSES = (0.05, 0.2, 0.8)
"""Seconds before a word is said again that was lost with its workflow task."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An update that a workflow has accepted."""

    workflow_id: str
    update_id: str

    @property
    def arb_id(self) -> str:
        """The arbitrage that the workflow carries."""
        return names.arb_of(self.workflow_id)

    @property
    def id(self) -> str:
        """What names it in an address."""
        text = f"{self.workflow_id}\n{self.update_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def path(self) -> str:
        """Where it is watched."""
        return f"/api/v1/operations/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Operation":
        """The operation of an id; Problem 404 for anything else."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except (ValueError, UnicodeDecodeError):
            raw = ""
        workflow_id, _, update_id = raw.partition("\n")
        if not workflow_id or not update_id:
            raise Problem(404, "not_found", f"expected an operation, found {text!r}")
        return cls(workflow_id, update_id)

    def told(self, state: str, detail: str = "", snapshot: Snapshot | None = None) -> Json:
        """The operation for a reader: pending, succeeded or failed."""
        result = None
        if snapshot is not None:
            result = {
                "phase": snapshot.phase.value,
                "status": snapshot.status.value,
                "profit": optional(snapshot.realised_profit),
                "reason": snapshot.reason,
            }
        return {
            "id": self.id,
            "arb_id": self.arb_id,
            "state": state,
            "detail": detail,
            "result": result,
            "location": self.path,
        }


async def look(client: Client, operation: Operation) -> Json:
    """How far it is."""
    handle = handle_of(client, operation.workflow_id)
    update = handle.get_update_handle(operation.update_id, result_type=Snapshot)
    try:
        return operation.told("succeeded", snapshot=await update.result(rpc_timeout=LOOK_TIMEOUT))
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return operation.told("pending", "the workflow has not finished it yet")
    except WorkflowUpdateFailedError as failed:
        return operation.told("failed", str(failed.cause))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Problem(404, "not_found", f"no operation {operation.id}") from None
        if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            return operation.told("pending", "the workflow has not finished it yet")
        raise _unreachable(error) from None


async def start(client: Client, operation: Operation, name: str, request: Request) -> None:
    """Say a word to the workflow; returns once it has accepted, raises Problem."""
    try:
        await _refusal(await _say(client, operation, name, request))
    except WorkflowUpdateFailedError as refused:
        raise _refused(refused) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise Problem(
            504,
            "unconfirmed",
            "The executor has not answered: it may still carry this out. Look at the operation "
            "before you ask again.",
            headers={"Location": operation.path},
            location=operation.path,
        ) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Problem(
                409, "not_open", f"{operation.arb_id} has ended: there is nothing to do"
            ) from None
        raise _unreachable(error) from None


async def _say(
    client: Client, operation: Operation, name: str, request: Request
) -> WorkflowUpdateHandle[object]:
    """Say it, and say it again where the server lost it: the task that carried it failed, because
    something else arrived meanwhile. Under one id it is heard once."""
    handle = client.get_workflow_handle(operation.workflow_id)
    pauses = iter(UNHEARD_PAUSES)
    while True:
        try:
            return await handle.start_update(
                name,
                request,
                id=operation.update_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=ACCEPT_TIMEOUT,
            )
        except RPCError as error:
            pause = next(pauses, None)
            if error.status is not RPCStatusCode.FAILED_PRECONDITION or pause is None:
                raise
        await asyncio.sleep(pause)


async def _refusal(update: WorkflowUpdateHandle[object]) -> None:
    """Raise what the workflow's validator said: the SDK keeps a refusal for whoever asks for the
    result. Of an accepted word the result is not waited for."""
    with suppress(WorkflowUpdateRPCTimeoutOrCancelledError):
        await update.result(rpc_timeout=REFUSAL_TIMEOUT)


def _refused(failed: WorkflowUpdateFailedError) -> Problem:
    cause = failed.cause
    kind = cause.type if isinstance(cause, ApplicationError) else None
    message = cause.message if isinstance(cause, ApplicationError) else str(cause)
    if kind == "BadRequest":
        field, _, rest = message.partition(": ")
        return Problem(422, "invalid", message, errors=[{"field": field, "message": rest}])
    return Problem(409, "wrong_phase", message)


def _unreachable(error: RPCError) -> Problem:
    return Problem(503, "temporal_down", f"Temporal does not answer: {error}. Nothing was changed")
