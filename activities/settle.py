"""Watch what is held until something changes, and write down where an arbitrage stands."""

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.answers import about_answers
from activities.desk import Desk, report
from activities.messages import Activity, WatchReport, WatchRequest
from activities.record import write_down
from activities.resolve import refresh_fills
from activities.stopping import unless_stopping
from domain.answers import Answered, holding
from domain.leg import LegState
from domain.money import ZERO
from domain.payout import paid_out
from domain.standing import LegReport, Standing, Verdict
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from store.errors import StillOpen
from store.failpoints import Point, hit

TAKEN_BACK = frozenset({Phase.FLAT, Phase.SETTLING, Phase.SETTLED})
"""Phases that are not entered on legs that are no longer so."""


async def answer_of(desk: Desk, state: ArbitrageState, venue: Venue) -> Answered | None:
    """The answer to the question by this venue, None before. Raises VenueUnreachable."""
    port, instrument = desk.venues[venue], state.opportunity.leg(venue).instrument
    resolution = await port.resolution(instrument)
    if resolution is None:
        return None
    credited = resolution.credited is not None
    other = state.other_instrument(venue) if state.leg(venue).opposite > ZERO else None
    if credited and other is not None:
        beside = await port.resolution(other)
        credited = beside is not None and beside.credited is not None
    return Answered(resolution.pays, credited)


class HoldActivities:
    """Settlement of fills, resolution of the question, and the record of every phase."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.WATCH)
    async def watch_settlement(self, request: WatchRequest) -> WatchReport:
        """What changed about what is held. Raises a retryable NothingNew while nothing did, and
        WorkerStops, which is retryable too."""
        journal = self._desk.journal
        state = await journal.arbitrage(request.arb_id)
        if await refresh_fills(self._desk, state.intents):
            state = await journal.arbitrage(request.arb_id)
        legs = report(state, Venue.POLYMARKET), report(state, Venue.KALSHI)
        if tuple(leg.state for leg in legs) != request.legs:
            return WatchReport(legs, ())
        paid = await self._paid(request, state, legs)
        if not paid:
            raise ApplicationError(
                "nothing new",
                type="NothingNew",
                category=ApplicationErrorCategory.BENIGN,
            )
        return WatchReport(legs, paid)

    async def _paid(
        self, request: WatchRequest, state: ArbitrageState, legs: tuple[LegReport, LegReport]
    ) -> tuple[Verdict, ...]:
        """What was paid, once it is known for every leg that holds something. Nothing is paid out
        before the chain is final, even where the question is answered; what is short by our own
        count, or without an answer, is for a person."""
        if not all(s.settled and not s.unknown and s.held >= ZERO for s in request.legs):
            return ()
        held = holding((legs[0].state, legs[1].state))
        asked = {leg.venue: await self._answer(state, leg.venue) for leg in held}
        answers = {venue: answer for venue, answer in asked.items() if answer is not None}
        paid = [leg for leg in held if leg.venue in answers and answers[leg.venue].credited]
        if len(paid) < len(held):
            await about_answers(self._desk, state, answers)
            return ()
        return tuple(_verdict(leg, answers[leg.venue]) for leg in held)

    async def _answer(self, state: ArbitrageState, venue: Venue) -> Answered | None:
        """The answer of a venue where something is held."""
        found = await unless_stopping(answer_of(self._desk, state, venue))
        if found is not None and found.credited:
            hit(Point.PAID, venue)
        return found

    @activity.defn(name=Activity.RECORD)
    async def record(self, standing: Standing) -> WatchReport | None:
        """Phase, trade log, position, notices and reservation, in one transaction. An end, or a
        payout, that was decided on legs that are no longer so is not written down: both legs as
        they are."""
        now_ms, journal = self._desk.wall_ms(), self._desk.journal
        ended = standing.phase.ended
        hit(Point.BEFORE_END if ended else Point.NEXT_PHASE, standing.phase)
        try:
            await journal.write(now_ms, lambda s: write_down(s, standing, now_ms))
        except StillOpen:
            state = await journal.arbitrage(standing.arb_id)
            legs = report(state, Venue.POLYMARKET), report(state, Venue.KALSHI)
            if standing.phase not in TAKEN_BACK or legs == standing.legs:
                raise
            return WatchReport(legs, ())
        if ended:
            hit(Point.AFTER_END, standing.phase)
        return None


def _verdict(leg: LegState, found: Answered) -> Verdict:
    """What the venue paid for this leg: its own record shows the cash."""
    return Verdict(leg.venue, found.pays, paid_out(leg, found.pays))
