"""One event of a Temporal history in plain words: who did it, and what it means."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from api.wire import Json
from workflows import names

Said = tuple[str, str]
RESERVE = "reserve"


class Teller:
    """Tells the events of one run; remembers which activity a result belongs to."""

    def __init__(self, converter: DataConverter, run: int) -> None:
        self._converter = converter
        self._run = run
        self._asked: dict[int, str] = {}
        self._worker = "worker"

    async def tell(self, event: HistoryEvent) -> list[Said]:
        """What this event says, if it says anything to a person."""
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        teller = getattr(self, f"_{name}", None)
        if teller is None:
            return []
        tell: Callable[[HistoryEvent], Awaitable[list[Said]]] = teller
        return await tell(event)

    async def _workflow_execution_started(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_execution_started_event_attributes
        summary = await self._summary(event)
        again = f" as run {self._run}" if self._run > 1 else ""
        plan = await self._first(found.input)
        if isinstance(plan, dict) and plan.get("adopted"):
            again += f", adopted for the {plan['adopted']}. time"
        return [(found.identity, f"started the workflow{again}: {summary}".rstrip(": "))]

    async def _workflow_task_started(self, event: HistoryEvent) -> list[Said]:
        self._worker = event.workflow_task_started_event_attributes.identity or self._worker
        return []

    async def _workflow_task_timed_out(self, event: HistoryEvent) -> list[Said]:
        turn = event.workflow_task_timed_out_event_attributes.started_event_id
        return [("temporal", f"{self._worker} went silent in turn {turn}; another is given out")]

    async def _workflow_task_failed(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_task_failed_event_attributes
        return [(found.identity, f"could not go on: {_failure(found.failure)}")]

    async def _activity_task_scheduled(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_scheduled_event_attributes
        self._asked[event.event_id] = found.activity_id
        summary = await self._summary(event) or found.activity_type.name
        return [("workflow", f"starts: {summary} [{found.activity_id}]")]

    async def _activity_task_started(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_started_event_attributes
        if found.attempt <= 1:
            return []
        before = found.attempt - 1
        name = self._asked.get(found.scheduled_event_id, "")
        said = f"[{name}] was tried {before} times before: {_failure(found.last_failure)}"
        return [(found.identity, said)]

    async def _activity_task_completed(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_completed_event_attributes
        name = self._asked.get(found.scheduled_event_id, "")
        return [(found.identity, f"[{name}] {result_words(await self._decode(found.result))}")]

    async def _activity_task_failed(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_failed_event_attributes
        name = self._asked.get(found.scheduled_event_id, "")
        return [(found.identity, f"[{name}] failed: {_failure(found.failure)}")]

    async def _activity_task_timed_out(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_timed_out_event_attributes
        name = self._asked.get(found.scheduled_event_id, "")
        return [("temporal", f"[{name}] gave no answer in time: {_failure(found.failure)}")]

    async def _activity_task_canceled(self, event: HistoryEvent) -> list[Said]:
        found = event.activity_task_canceled_event_attributes
        return [("workflow", f"[{self._asked.get(found.scheduled_event_id, '')}] was called off")]

    async def _marker_recorded(self, event: HistoryEvent) -> list[Said]:
        found = event.marker_recorded_event_attributes
        if found.marker_name != "core_local_activity":
            return []
        about = await self._first(found.details["data"])
        if not isinstance(about, dict) or about.get("activity_type") != RESERVE:
            return []
        if found.HasField("failure"):
            return [("gate", f"gave no verdict: {_failure(found.failure)}")]
        verdict = await self._first(found.details["result"])
        return [("gate", gate_words(verdict))]

    async def _timer_started(self, event: HistoryEvent) -> list[Said]:
        pause = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        return [("workflow", f"waits {pause.total_seconds():g} s before it tries again")]

    async def _workflow_execution_update_accepted(self, event: HistoryEvent) -> list[Said]:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        argument = await self._first(request.input.args)
        return [(_by(argument) or request.meta.identity, f"asks {_request(request, argument)}")]

    async def _workflow_execution_update_completed(self, event: HistoryEvent) -> list[Said]:
        outcome = event.workflow_execution_update_completed_event_attributes.outcome
        if outcome.HasField("failure"):
            return [("workflow", f"cannot do what was asked: {_failure(outcome.failure)}")]
        return [("workflow", "has done what was asked")]

    async def _workflow_execution_cancel_requested(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_execution_cancel_requested_event_attributes
        why = f": {found.cause}" if found.cause else ""
        return [(found.identity, f"asks to cancel: everything is sold, then it ends{why}")]

    async def _workflow_execution_terminated(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_execution_terminated_event_attributes
        return [(found.identity, f"terminated the workflow: {found.reason or 'no reason given'}")]

    async def _workflow_execution_signaled(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_execution_signaled_event_attributes
        return [(found.identity, f"signalled {found.signal_name}, which nothing listens to")]

    async def _workflow_execution_completed(self, event: HistoryEvent) -> list[Said]:
        found = event.workflow_execution_completed_event_attributes
        end = await self._first(found.result)
        if not isinstance(end, dict):
            return [("workflow", "ended")]
        return [("workflow", f"ended {end.get('phase')}: {end.get('reason')}")]

    async def _summary(self, event: HistoryEvent) -> str:
        if not event.user_metadata.HasField("summary"):
            return ""
        found = await self._converter.decode([event.user_metadata.summary])
        return str(found[0])

    async def _first(self, payloads: Payloads) -> object:
        return next(iter(await self._decode(payloads)), None)

    async def _decode(self, payloads: Payloads) -> list[Any]:
        return list(await self._converter.decode(payloads.payloads))


def result_words(result: Iterable[object]) -> str:
    """What an activity brought back."""
    told = next(iter(result), None)
    if not isinstance(told, dict):
        return "is done"
    if "said" in told:
        return str(told["said"])
    if told.get("verdicts"):
        return ", ".join(f"{one['venue']} paid {one['cash']}" for one in told["verdicts"])
    legs = [told["state"]] if "state" in told else [leg["state"] for leg in told.get("legs", ())]
    errors = [told["result"].get("error")] if "state" in told and told.get("result") else []
    said = "; ".join(_leg_words(leg) for leg in legs)
    return "; ".join([said or "is done", *(str(error) for error in errors if error)])


def _leg_words(leg: Json) -> str:
    unknown = ", an order has no answer yet" if leg.get("unknown") else ""
    return f"{leg['venue']} holds {leg['held']} of {leg['planned']}{unknown}"


def gate_words(verdict: object) -> str:
    """What the gate said to both legs."""
    if not isinstance(verdict, dict):
        return "gave a verdict that cannot be read"
    if verdict.get("refusal"):
        return f"refused both legs: {verdict['refusal']}: {verdict.get('detail', '')}"
    orders = [ticket["order"] for ticket in verdict.get("tickets", ())]
    legs = [f"{o['size']} at {o['instrument']['venue']} for {o['limit']}" for o in orders]
    return f"granted both legs, nothing has left yet: {' and '.join(legs)}"


def _request(request: Any, argument: object) -> str:
    verb = {
        names.CLOSE_POSITION: "to sell both legs and end",
        names.RETRY_UNWIND: "to try the sale again",
        names.HOLD: "to keep the uneven pair",
        names.MARK_RESOLVED: "to end it by hand",
    }.get(request.input.name, request.input.name)
    more = []
    if isinstance(argument, dict):
        if argument.get("loss_max") is not None:
            more.append(f"losing at most {argument['loss_max']}")
        limits = argument.get("limits") or {}
        more += [f"not below {limit} at {venue}" for venue, limit in limits.items()]
        if argument.get("evidence"):
            more.append(f"evidence: {argument['evidence']}, cash {argument.get('cash')}")
    return ", ".join([verb, *more])


def _by(argument: object) -> str:
    return str(argument.get("by", "")) if isinstance(argument, dict) else ""


def _failure(failure: Failure) -> str:
    """The message, and what caused it."""
    words = failure.message or "no word"
    if failure.HasField("cause") and failure.cause.message:
        words += f" ({failure.cause.message})"
    return words
