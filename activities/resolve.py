"""What really happened to a leg: every question goes to its venue, never to a guess."""

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.desk import Desk
from activities.messages import Activity, LegRequest
from domain.evidence import Quarantine, conclude_absent
from domain.order import Fill, FillState, Unknown
from domain.policy import Timing
from domain.standing import LegReport
from domain.venue import Venue
from store.journal import IntentRow
from store.states import IntentState

PLANNED_GRACE_MS = 1_000
"""After its deadline an order that was never marked as sent cannot leave any more."""


class ResolveActivities:
    """Find out about orders without an answer and fills that are not final."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.RESOLVE_ORDER)
    async def resolve_order(self, request: LegRequest) -> LegReport:
        """The leg once every order is definite (and, if asked, every fill final).

        Raises a retryable StillUnknown until then: Temporal asks again.
        """
        desk = self._desk
        rows = await desk.journal.leg(request.arb_id, request.venue)
        for row in rows.intents:
            if not row.state.definite:
                await resolve_intent(desk, row, request.timing)
        await refresh_fills(desk, request.arb_id, request.venue)
        leg = await desk.leg(request.arb_id, request.venue, request.planned)
        if leg.state.unknown or (request.settled and not leg.state.settled):
            waiting = ", ".join(leg.state.unknown) or "the chain to settle its fills"
            raise ApplicationError(
                f"{request.venue}: still waiting for {waiting}",
                type="StillUnknown",
                category=ApplicationErrorCategory.BENIGN,
            )
        return leg


async def resolve_intent(desk: Desk, row: IntentRow, timing: Timing) -> None:
    """Ask once about one order, store every observation, and conclude where R3 allows it."""
    order, now_ms = row.order, desk.wall_ms()
    if row.state is IntentState.PLANNED:
        if now_ms > order.not_after_ms + PLANNED_GRACE_MS:
            await desk.journal.void_planned(order.intent_id, now_ms)
        return
    assert row.sent_ms is not None, f"{order.intent_id} is {row.state} but was never sent"
    sighting = await desk.venues[order.venue].find(order, row.identity, row.sent_ms)
    await desk.journal.add_observations(order.intent_id, sighting.observations)
    answer = sighting.answer
    if answer is None:
        seen = await desk.journal.observations(order.intent_id)
        rule = _quarantine(order.venue, timing)
        answer = conclude_absent(seen, row.sent_ms, desk.wall_ms(), rule)
    if not isinstance(answer, Unknown):
        await desk.journal.record_answer(order.intent_id, answer, desk.wall_ms())


async def refresh_fills(desk: Desk, arb_id: str, venue: Venue) -> None:
    """Bring provisional fills to the state their venue reports now."""
    rows = await desk.journal.leg(arb_id, venue)
    for row in rows.intents:
        mine = tuple(fill for fill in rows.fills if fill.intent_id == row.order.intent_id)
        if any(fill.state is FillState.PROVISIONAL for fill in mine):
            fresh: tuple[Fill, ...] = await desk.venues[venue].refresh(row.order, mine)
            await desk.journal.record_fills(row.order.intent_id, fresh, desk.wall_ms())


def _quarantine(venue: Venue, timing: Timing) -> Quarantine:
    if venue is Venue.POLYMARKET:
        return timing.polymarket_quarantine
    return timing.kalshi_quarantine
