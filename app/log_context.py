"""Which arbitrage, leg and venue an activity works for, on every line that it writes."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import Ticket
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
        ticket = input.args[0] if input.args else None
        if isinstance(ticket, Ticket):
            fields["venue"] = ticket.order.venue.value
            fields["leg"] = f"{ticket.order.venue.value} {ticket.order.purpose.value}"
        with structlog.contextvars.bound_contextvars(**fields):
            return await super().execute_activity(input)
