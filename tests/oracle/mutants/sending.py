"""Mutants that send wrongly: twice, unwritten, blindly, too late, too much."""

from dataclasses import replace
from typing import Any

from activities import place, resolve, send, step
from activities.desk import Desk
from activities.messages import Reserved, Ticket
from domain import decision
from domain.decision import Hold
from domain.evidence import Observation, Quarantine
from domain.leg import LegState
from domain.money import Size, usd
from domain.opportunity import Opportunity
from domain.order import Answer, Fill, Filled, FillState, NotFilled, Rejection, Unknown
from domain.venue import Outcome, Venue
from store import arbitrages, gate, intents
from store.journal import Journal
from tests.oracle.mutants.registry import mutant, replaced
from venues.kalshi import client as kalshi
from workflows import state


async def _unfenced() -> None:
    return None


def _after_send(change: Any) -> None:
    """Let `change(desk, ticket, answer)` decide what the answer to an entry is."""

    async def send_once(desk: Desk, ticket: Ticket) -> Answer:
        answer = await original(desk, ticket)
        changed: Answer = await change(desk, ticket, answer)
        return changed

    original = replaced(place, "send_once", send_once)


@mutant("answer_lost", "S1_once")
def resend_on_timeout() -> None:
    """A lost answer is met with the same order again."""

    async def again(desk: Desk, ticket: Ticket, answer: Answer) -> Answer:
        if isinstance(answer, Unknown):
            venue = desk.venues[ticket.order.venue]
            await venue.place(ticket.order, ticket.identity, _unfenced)
        return answer

    _after_send(again)


@mutant("polymarket_answer_lost", "S2_write_ahead")
def new_id_on_retry() -> None:
    """A lost answer is met with the same order under a new identity."""

    async def again(desk: Desk, ticket: Ticket, answer: Answer) -> Answer:
        if isinstance(answer, Unknown):
            order = replace(ticket.order, created_at_ms=ticket.order.created_at_ms + 1)
            venue = desk.venues[order.venue]
            await venue.place(order, venue.identify(order), _unfenced)
        return answer

    _after_send(again)


@mutant("answer_lost", "S1_once")
def new_intent_on_retry() -> None:
    """A lost answer is met with a second entry order, properly written down."""

    async def again(desk: Desk, ticket: Ticket, answer: Answer) -> Answer:
        if isinstance(answer, Unknown):
            name = ticket.order.intent_id.removesuffix("1") + "2"
            order = replace(ticket.order, intent_id=name)
            identity = desk.venues[order.venue].identify(order)
            await desk.journal.plan_step(order, identity, lambda *_: None, desk.wall_ms())
        return answer

    _after_send(again)


@mutant("locked", "S2_write_ahead")
def no_write_ahead() -> None:
    """Both orders leave, then the gate is asked."""

    async def reserve(self: Any, request: Any) -> Reserved:
        for venue in Venue:
            ticket = place.entry_ticket(self._desk, request, venue)
            await self._desk.venues[venue].place(ticket.order, ticket.identity, _unfenced)
        verdict: Reserved = await original(self, request)
        return verdict

    original = place.EntryActivities.reserve
    reserve.__dict__.update(original.__dict__)
    replaced(place.EntryActivities, "reserve", reserve)


@mutant("locked", "S2_write_ahead")
def mark_after_send() -> None:
    """The order is marked as sent once its answer is there."""

    async def send_once(desk: Desk, ticket: Ticket) -> Answer:
        order = ticket.order
        answer = await desk.venues[order.venue].place(order, ticket.identity, _unfenced)
        await desk.journal.mark_sent(
            order.intent_id, desk.wall_ms(), desk.claim(), desk.killed()
        )  # fmt: skip
        stored = await desk.journal.record_answer(order.intent_id, answer, desk.wall_ms())
        assert stored.answer is not None
        return stored.answer

    replaced(place, "send_once", send_once)


def _known(state_of: LegState) -> LegState:
    return replace(state_of, unknown=())


def _decide_on(change: Any) -> None:
    def decide(polymarket: LegState, kalshi_leg: LegState, *rest: Any, **more: Any) -> Any:
        return original(change(polymarket), change(kalshi_leg), *rest, **more)

    original = replaced(state, "decide", decide)


@mutant("answer_lost", "S5_no_blind_unwind")
def act_while_sibling_unknown() -> None:
    """An order without an answer is taken for one that did not fill."""
    _decide_on(_known)
    replaced(step, "overtaken", lambda *_: None)


@mutant("sale_answer_lost", "S5_no_blind_unwind")
def sell_again_unanswered() -> None:
    """A sale without an answer is tried again."""
    _decide_on(_known)
    replaced(step, "overtaken", lambda *_: None)


@mutant("slow_settlement", "S5_no_blind_unwind")
def act_on_matched() -> None:
    """A match is taken for settled."""
    _decide_on(lambda one: replace(one, settled=True))


@mutant("polymarket_naked", "Q2_hedged")
def hold_naked() -> None:
    """An uneven pair is held as if it were even."""

    def decide(*legs: Any, **more: Any) -> Any:
        known = original(*legs, **more)
        uneven = isinstance(known, decision.PriceExits | decision.Unwind | decision.Complete)
        return Hold() if uneven else known

    original = replaced(state, "decide", decide)


@mutant("partial", "S6_no_overshoot")
def unwind_too_much() -> None:
    """The whole leg is sold where only its excess is naked."""

    def decide(*legs: Any, **more: Any) -> Any:
        known = original(*legs, **more)
        if isinstance(known, decision.PriceExits | decision.Unwind):
            held = next(one.held for one in legs[:2] if one.venue is known.venue)
            return decision.Unwind(known.venue, held)
        return known

    replaced(step, "overtaken", lambda *_: None)
    original = replaced(state, "decide", decide)


@mutant("locked", "S3_bounds")
def wrong_side() -> None:
    """Kalshi's leg buys the answer that Polymarket's already has."""

    def identify(self: Any, order: Any) -> Any:
        return original(self, _flipped(order))

    async def place_flipped(self: Any, order: Any, *rest: Any) -> Any:
        return await original_place(self, _flipped(order), *rest)

    original = replaced(kalshi.KalshiClient, "identify", identify)
    original_place = replaced(kalshi.KalshiClient, "place", place_flipped)


def _flipped(order: Any) -> Any:
    return replace(order, instrument=replace(order.instrument, outcome=Outcome.YES))


@mutant("error_after", "Q2_hedged")
def server_error_as_refusal() -> None:
    """HTTP 500 is taken for a refusal."""

    async def record_answer(self: Any, intent_id: str, answer: Answer, now_ms: int) -> Any:
        if isinstance(answer, Unknown) and "500" in answer.evidence:
            answer = NotFilled(Rejection.KILLED, answer.evidence)
        return await original(self, intent_id, answer, now_ms)

    original = replaced(Journal, "record_answer", record_answer)


@mutant("order_lost", "Q2_hedged")
def unknown_as_filled() -> None:
    """A lost answer is taken for a fill."""

    async def record_answer(self: Any, intent_id: str, answer: Answer, now_ms: int) -> Any:
        if isinstance(answer, Unknown):
            order = (await self.intent(intent_id)).order
            notional = usd(str(order.size * order.limit))
            fill = Fill(
                order.venue, f"guess-{intent_id}", intent_id, order.action, order.size,
                notional, usd(0), FillState.CONFIRMED, now_ms,
            )  # fmt: skip
            answer = Filled(f"guess-{intent_id}", (fill,))
        return await original(self, intent_id, answer, now_ms)

    original = replaced(Journal, "record_answer", record_answer)


@mutant("answer_late", "S12_evidence")
def quarantine_zero() -> None:
    """The first look that misses an order proves that it never arrived."""

    def absent(seen: tuple[Observation, ...], *_: Any) -> NotFilled | Unknown:
        if any(one.found is False for one in seen):
            return NotFilled(Rejection.NEVER_ARRIVED, "not seen")
        return Unknown("not asked")

    replaced(resolve, "conclude_absent", absent)


@mutant("order_lost", "S12_evidence")
def one_source_is_enough() -> None:
    """Misses of one source are counted as if they were of all."""

    def absent(seen: tuple[Observation, ...], sent: int, now: int, rule: Quarantine) -> Any:
        eased = replace(rule, sources=1, misses=1, wait_ms=rule.wait_ms // 3, needs_as_of=False)
        return original(seen, sent, now, eased)

    original = replaced(resolve, "conclude_absent", absent)


@mutant("disabled_between", "S9_disable_fence")
def ignore_disable() -> None:
    """The last gate no longer asks whether entries are stopped."""
    replaced(intents, "_fence", lambda *_: None)


@mutant("late_start", "S19_freshness")
def ignore_deadline() -> None:
    """An order leaves however old the books are that it was planned on."""
    replaced(intents, "_fence", lambda *_: None)
    original = send.send_once

    async def send_once(desk: Desk, ticket: Ticket) -> Answer:
        order = ticket.order
        later = replace(order, not_after_ms=order.not_after_ms + 60_000)
        return await original(desk, replace(ticket, order=later))

    replaced(place, "send_once", send_once)
    replaced(step, "send_once", send_once)


@mutant("locked", "S4_pair")
def one_leg_at_the_gate() -> None:
    """The gate writes down one order and promises two."""

    def admit(session: Any, request: Any, view: Any) -> Any:
        return original(session, replace(request, orders=request.orders[:1]), view)

    original = replaced(gate, "_admit", admit)


@mutant("better_price", "S14_honest_profit")
def surplus_as_hedge() -> None:
    """What Polymarket returned beyond a whole hedge is counted as guaranteed."""

    def judge(polymarket: LegState, outcome: Outcome, other: LegState, dust: Size) -> Any:
        more = max(polymarket.held, other.held)
        return original(polymarket, outcome, replace(other, held=more), dust)

    original = replaced(arbitrages, "judge", judge)


@mutant("one_old_book", "S19_freshness")
def count_from_the_newer_book() -> None:
    """The deadline of an entry forgets the older one of its two books."""
    replaced(Opportunity, "oldest_ms", property(lambda plan: plan.seen_ns // 1_000_000))


@mutant("books_apart", "S19_freshness")
def forget_the_skew() -> None:
    """Two books that were read far apart are taken for one moment."""
    replaced(Opportunity, "skew_ms", property(lambda _: 0))
