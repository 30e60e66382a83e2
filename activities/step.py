"""One order on the way to an even pair: written down, sent once, reported in words."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from activities.desk import Desk, report
from activities.messages import StepReport, Ticket
from activities.send import heartbeating, send_once
from activities.stopping import WorkerStops, unless_stopping
from domain.identity import intent_id
from domain.leg import LegState
from domain.money import NO_SIZE, Size, plain
from domain.opposite import whole
from domain.order import Filled, NotFilled, Order, Purpose, Unknown
from domain.standing import LegReport
from domain.venue import Action, Venue
from store.arbitrages import ArbitrageState
from store.failpoints import Point, hit
from venues.port import VenueUnreachable


@dataclass(frozen=True, slots=True)
class StepOf:
    """Which step: the arbitrage, the leg, and the order's place among those of its purpose."""

    arb_id: str
    venue: Venue
    purpose: Purpose
    sequence: int

    @property
    def intent_id(self) -> str:
        """The name of the step's order."""
        return intent_id(self.arb_id, self.venue, self.purpose, self.sequence)


Plan = Callable[[LegState], Coroutine[Any, Any, Order | str]]
"""The order for a leg as it is now, or why there is none."""
PLAN_SECONDS = 4
"""How long a venue may take to be read for an order: an older book prices nothing, and an order
still needs the time that workflows.options leaves it beyond this."""


def overtaken(state: ArbitrageState, order: Order) -> str | None:
    """Why the order must not be sent, asked as it is written down: a step that the server gave up
    may still run beside its successor, and both would move the same contracts.

    A workflow that was reset remembers legs as they were before what its first run did. So no
    other order of the arbitrage may be without an answer, a purchase brings the leg no further
    than its sibling, and a sale takes no more than the leg holds beyond its sibling, or than it
    holds at all where everything is to go. A purchase of the other outcome is a sale in this, but
    for the part of a contract that it rounds up.
    """
    waiting = state.polymarket.unknown + state.kalshi.unknown
    if waiting:
        return f"{waiting[0]} has no answer yet"
    held, beside = state.leg(order.venue).held, state.leg(order.venue.sibling).held
    if state.buys_opposite(order):
        room = whole(max(Size(held - beside), NO_SIZE))
    elif order.action is Action.BUY:
        room = max(Size(beside - held), NO_SIZE)
    else:
        room = held if order.purpose is Purpose.CLOSE else max(Size(held - beside), NO_SIZE)
    if order.size > room:
        return f"expected to {order.action} at most {plain(room)}, found {plain(order.size)}"
    return None


async def take_step(desk: Desk, step: StepOf, plan: Plan) -> StepReport:
    """Plan, write down and send the step's order. Run again it finds its intent in the journal
    and sends nothing new. A venue or a journal that is slow is no dead executor: this one says
    that it lives all the while."""
    async with heartbeating():
        return await _take_step(desk, step, plan)


async def _take_step(desk: Desk, step: StepOf, plan: Plan) -> StepReport:
    state, before, beside = await _legs(desk, step)
    name = step.intent_id
    intent = next((one for one in state.intents if one.order.intent_id == name), None)
    if intent is None:
        try:
            async with asyncio.timeout(PLAN_SECONDS):
                order = await unless_stopping(plan(before.state))
        except WorkerStops:
            said = "nothing sent: this executor stops"
            return StepReport(before, said, closed=True, sibling=beside)
        except (VenueUnreachable, TimeoutError) as trouble:
            why = str(trouble) or f"no answer within {PLAN_SECONDS} s"
            said = f"nothing sent: {step.venue} cannot be read: {why}"
            return StepReport(before, said, closed=True, sibling=beside)
        if isinstance(order, str):
            return StepReport(before, f"nothing sent: {order}", sibling=beside)
        identity = desk.venues[step.venue].identify(order)
        hit(Point.BEFORE_INTENT, step.venue, step.purpose, order.action)
        planned = await desk.journal.plan_step(order, identity, overtaken, desk.wall_ms())
        if isinstance(planned, str):
            # The legs are not what this step was decided on: the decision is taken again.
            _, now, beside = await _legs(desk, step)
            return StepReport(now, f"nothing sent: {planned}", sibling=beside)
        intent = planned
    answer = await send_once(desk, Ticket(intent.order, intent.identity))
    # Both legs: a fill of the other one may have turned up while this order was on its way.
    state, after, beside = await _legs(desk, step)
    closed = isinstance(answer, NotFilled) and answer.rejection.closed
    opposite = state.buys_opposite(intent.order)
    verb = "buy of the other outcome" if opposite else intent.order.action.value
    match answer:
        case Filled():
            moved, limit = abs(after.state.held - before.state.held), intent.order.limit
            said = f"{verb} of {plain(moved)} filled at {plain(limit)} or better"
        case NotFilled(rejection, detail):
            said = f"{verb} refused: {rejection}: {detail}"
        case Unknown(evidence):
            said = f"{verb} unanswered: {evidence}"
    return StepReport(after, said, closed, beside)


async def _legs(desk: Desk, step: StepOf) -> tuple[ArbitrageState, LegReport, LegReport]:
    """The arbitrage as it is now, the step's leg, and the one beside it."""
    state = await desk.journal.arbitrage(step.arb_id)
    return state, report(state, step.venue), report(state, step.venue.sibling)
