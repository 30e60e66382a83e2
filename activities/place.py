"""The gate, and the two orders it authorises."""

from temporalio import activity

from activities import measured
from activities.desk import Desk
from activities.messages import Activity, Reserved, ReserveRequest, Ticket
from activities.send import heartbeating, send_once
from domain.identity import intent_id
from domain.order import Order, Purpose
from domain.standing import LegReport
from domain.venue import Action, TimeInForce, Venue
from store.failpoints import Point, hit
from store.gate import GateRequest, Granted


class EntryActivities:
    """Reserve risk for both legs, then place each."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.RESERVE)
    async def reserve(self, request: ReserveRequest) -> Reserved:
        """Both tickets or none, in one transaction; a second run gets the first verdict."""
        opportunity, bounds = request.opportunity, request.bounds
        polymarket, kalshi = (entry_ticket(self._desk, request, venue) for venue in Venue)
        hit(Point.BEFORE_GATE)
        asked_ms = self._desk.wall_ms()
        verdict = await self._desk.journal.reserve(
            GateRequest(
                arb_id=request.arb_id,
                opportunity=opportunity,
                mode=request.mode,
                orders=(
                    (polymarket.order, polymarket.identity),
                    (kalshi.order, kalshi.identity),
                ),
                worst_loss=bounds.loss_budget(opportunity.dearer_outlay),
                cooldown_ms=bounds.cooldown_ms,
                balance_age_ms_max=bounds.balance_age_ms_max,
                now_ms=asked_ms,
                bounds=bounds,
                shut=self._desk.doors.against_entries(asked_ms),
            )
        )
        measured.judged(self._desk, verdict, asked_ms)
        hit(Point.AFTER_GATE)
        if not isinstance(verdict, Granted):
            return Reserved((), verdict.reason, verdict.detail)
        return Reserved((polymarket, kalshi), None, "")

    @activity.defn(name=Activity.PLACE_ORDER)
    async def place_order(self, ticket: Ticket) -> LegReport:
        """Send one entry order and report what its leg holds after the answer."""
        async with heartbeating():
            await send_once(self._desk, ticket)
            order = ticket.order
            return await self._desk.leg(order.arb_id, order.venue, order.size)


def entry_ticket(desk: Desk, request: ReserveRequest, venue: Venue) -> Ticket:
    """The entry order of a leg: a function of the request alone, so that a second run of the gate
    names the same order. Its deadline counts from the older book."""
    plan = request.opportunity
    leg = plan.leg(venue)
    order = Order(
        intent_id=intent_id(request.arb_id, venue, Purpose.ENTRY, 1),
        arb_id=request.arb_id,
        instrument=leg.instrument,
        purpose=Purpose.ENTRY,
        action=Action.BUY,
        size=leg.size,
        limit=leg.limit,
        time_in_force=TimeInForce.FOK,
        reduce_only=False,
        created_at_ms=plan.seen_ns // 1_000_000,
        not_after_ms=plan.oldest_ms + request.bounds.deadline_ms,
    )
    return Ticket(order, desk.venues[venue].identify(order))
