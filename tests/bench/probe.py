"""Where a durable trade is at which moment, read from the worker itself by an interceptor."""

import asyncio
import time
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import Activity, ReserveRequest, Ticket
from domain.standing import Standing
from domain.trade import Phase


class Probe(ClientInterceptor, Interceptor):
    """Notes (wall-clock ns) by arbitrage: the gate's start and end, the later order's body; and
    tells who waits for a trade in which phase it came to rest."""

    def __init__(self) -> None:
        self.gate_began: dict[str, int] = {}
        self.gate_ended: dict[str, int] = {}
        self.body: dict[str, int] = {}
        self._resting: dict[str, asyncio.Future[Phase]] = {}

    def expect(self, arb_id: str) -> asyncio.Future[Phase]:
        """The first phase written down after placing: HOLDING where both legs filled."""
        future: asyncio.Future[Phase] = asyncio.get_running_loop().create_future()
        self._resting[arb_id] = future
        return future

    def rested(self, standing: Standing) -> None:
        """The phase of this arbitrage is in the journal."""
        future = self._resting.pop(standing.arb_id, None)
        if future is not None and not future.done():
            future.set_result(standing.phase)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand before every activity of the worker."""
        return _Watch(next, self)


class _Watch(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, probe: Probe) -> None:
        super().__init__(next)
        self._probe = probe

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        probe, argument = self._probe, input.args[0]
        began = time.time_ns()
        match argument:
            case ReserveRequest(arb_id=arb_id):
                probe.gate_began.setdefault(arb_id, began)
            case Ticket(order=order) if activity.info().activity_type == Activity.PLACE_ORDER:
                probe.body[order.arb_id] = max(probe.body.get(order.arb_id, 0), began)
        result = await super().execute_activity(input)
        match argument:
            case ReserveRequest(arb_id=arb_id):
                probe.gate_ended[arb_id] = time.time_ns()
            case Standing():
                probe.rested(argument)
        return result
