"""What really happened to a leg: every question goes to its venue, never to a guess."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import worries
from activities.desk import Desk
from activities.messages import Activity, LegRequest
from activities.send import heartbeating
from activities.stopping import unless_stopping
from domain.evidence import TRADES, Quarantine, conclude_absent, rest_needs
from domain.money import ZERO
from domain.order import Answer, Filled, FillState, Order, Unknown
from domain.policy import Timing
from domain.standing import LegReport
from domain.venue import Action, Venue
from store.errors import JournalConflict, NotJournaled
from store.failpoints import Point, hit
from store.intents import StoredIntent
from store.states import IntentState

log = logging.getLogger(__name__)


class ResolveActivities:
    """Find out about orders without an answer and fills that are not final."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.RESOLVE_ORDER)
    async def resolve_order(self, request: LegRequest) -> LegReport:
        """The leg once every order is definite (and, if asked, every fill final).

        Raises a retryable StillUnknown until then: Temporal asks again. So does WorkerStops.
        """
        async with heartbeating():
            return await self._resolve(request)

    async def _resolve(self, request: LegRequest) -> LegReport:
        desk = self._desk
        for intent in await _intents(desk, request.arb_id, request.venue):
            if not intent.state.definite:
                await resolve_intent(desk, intent, request.timing)
        await refresh_fills(desk, await _intents(desk, request.arb_id, request.venue))
        leg = await desk.leg(request.arb_id, request.venue, request.planned)
        if leg.state.unknown or (request.settled and not leg.state.settled):
            waiting = ", ".join(leg.state.unknown) or "the chain to settle its fills"
            raise ApplicationError(
                f"{request.venue}: still waiting for {waiting}",
                type="StillUnknown",
                category=ApplicationErrorCategory.BENIGN,
            )
        return leg


async def resolve_intent(desk: Desk, intent: StoredIntent, timing: Timing) -> None:
    """Ask once about one order, store every observation, and conclude where R3 allows it."""
    order = intent.order
    if intent.state is IntentState.PLANNED:
        await desk.journal.withdraw(order.intent_id, desk.wall_ms())
        return
    assert intent.sent_at_ms is not None, f"{order.intent_id} is {intent.state}, never sent"
    desk.tally.count("arb_questions", venue=order.venue.value)
    port = desk.venues[order.venue]
    sighting = await unless_stopping(port.find(order, intent.identity, intent.sent_at_ms))
    seen = await desk.journal.add_observations(
        order.intent_id, sighting.observations, desk.wall_ms()
    )
    answer, rule = sighting.answer, _quarantine(order.venue, timing)
    if answer is None:
        answer = conclude_absent(seen, intent.sent_at_ms, desk.wall_ms(), rule)
    elif isinstance(answer, Unknown) and sighting.part is not None:
        needed = rest_needs(seen, intent.sent_at_ms, desk.wall_ms(), rule)
        answer = await _of_part(desk, order, sighting.part, needed)
    hit(Point.RESOLVED, order.venue, order.purpose, order.action)
    if isinstance(answer, Unknown):
        await worries.about_unknown(desk, intent, seen, answer.evidence)
        return
    await desk.journal.record_answer(order.intent_id, answer, desk.wall_ms())


async def _of_part(desk: Desk, order: Order, part: Filled, needed: str | None) -> Answer:
    """The listed trades as the whole answer once nothing is needed any more. Before that those of
    a sale are counted already; a purchase's exact cash is known only as a whole."""
    if needed is None:
        return part
    if order.action is Action.SELL:
        await desk.journal.record_fills(part.fills, desk.wall_ms())
    listed = sum((one.size for one in part.fills if one.state is not FillState.VOIDED), ZERO)
    return Unknown(
        f"{listed} of {order.size} listed; still needed before that is all of it: {needed}"
    )


async def refresh_fills(desk: Desk, intents: Iterable[StoredIntent]) -> bool:
    """Bring provisional fills to the state their venue reports now; False where there are none.
    What contradicts the journal has halted it, and keeps nobody from what else was said."""
    asked = False
    for intent in intents:
        fills = intent.answer.fills if isinstance(intent.answer, Filled) else ()
        if all(fill.state.final for fill in fills):
            continue
        asked = True
        port = desk.venues[intent.order.venue]
        fresh = await unless_stopping(port.refresh(intent.order, fills))
        try:
            await desk.journal.record_each_fill(fresh, desk.wall_ms())
        except JournalConflict as conflict:
            log.error("%s: for a person: %s", intent.order.intent_id, conflict)
        await worries.about_fills(desk, intent, fresh)
    return asked


async def _intents(desk: Desk, arb_id: str, venue: Venue) -> list[StoredIntent]:
    try:
        state = await desk.journal.arbitrage(arb_id)
    except NotJournaled:
        return []
    return [one for one in state.intents if one.order.venue is venue]


def _quarantine(venue: Venue, timing: Timing) -> Quarantine:
    """The venue's rule. What its list of trades must say is no matter of the trade's settings, so
    that it holds for those of an older executor, too."""
    polymarket = venue is Venue.POLYMARKET
    rule = timing.polymarket_quarantine if polymarket else timing.kalshi_quarantine
    return replace(rule, must=TRADES[venue])
