"""Which arbitrage, leg and venue an activity works for, on every line that it writes."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import Ticket
from domain.order import Purpose
from domain.venue import Venue
from workflows import names


class LogContext(Interceptor):
    """For workers: binds the fields of the log while an activity runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand before every activity of the worker."""
        return _Bound(next)


class _Bound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        workflow_id = info.workflow_id or ""
        fields: dict[str, object] = {
            "arb_id": names.arb_of(workflow_id) if workflow_id.startswith("arb-") else None,
            "correlation_id": f"{workflow_id}/{info.activity_id}.{info.attempt}",
        }
        fields |= _leg(input.args[0] if input.args else None)
        with structlog.contextvars.bound_contextvars(**fields):
            return await super().execute_activity(input)


def _leg(argument: object) -> dict[str, object]:
    """The venue that an activity is asked about, and for what where that is said, too."""
    about = argument.order if isinstance(argument, Ticket) else argument
    venue, purpose = getattr(about, "venue", None), getattr(about, "purpose", None)
    if not isinstance(venue, Venue):
        return {}
    leg = venue.value if not isinstance(purpose, Purpose) else f"{venue.value} {purpose.value}"
    return {"venue": venue.value, "leg": leg}
