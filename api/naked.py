"""Legs that nothing hedges, and what a person may have done about them."""

from api.known import Known
from api.measured import naked_since_ms
from api.sales import PRICE_STEP, books, sale_now
from api.wire import Json, iso, text, usd
from domain.money import Size, Usd, ceil_to, floor_to
from domain.order import FillState
from domain.policy import DUST
from domain.trade import Phase, TradeStatus
from domain.venue import Venue

SELLING = frozenset({Phase.NEEDS_OPERATOR, Phase.UNWINDING, Phase.CLOSING})
EXPOSED = SELLING | {Phase.RESOLVING}
STOPPABLE = frozenset({Phase.NEEDS_OPERATOR, Phase.UNWINDING})
RESOLVABLE = frozenset({Phase.NEEDS_OPERATOR, Phase.RESOLVING})


def naked(known: Known) -> Json | None:
    """The leg that nothing hedges; None where both are equal (but for dust and for what a better
    price gave on top), or where both orders are still on their way."""
    legs = {venue: known.leg(venue) for venue in Venue}
    more = max(legs, key=lambda venue: legs[venue].held)
    excess = Size(legs[more].held - legs[more.sibling].held)
    if excess <= DUST or not (known.phase in EXPOSED or kept_uneven(known)):
        return None
    price = legs[more].average_price or known.state.opportunity.leg(more).limit
    sale = sale_now(known, more, excess)
    loss = None if sale is None else Usd(sale.proceeds - excess * price)
    snapshot = known.snapshot
    budget = snapshot.budget_left if snapshot else None
    return {
        "arb_id": known.state.arb_id,
        "position_id": known.state.arb_id,
        "title": known.state.opportunity.title,
        "phase": known.phase.value,
        "kept": kept_uneven(known),
        "venue": more.value.capitalize(),
        "outcome": known.instrument(more).outcome.upper(),
        "size": text(excess),
        "exposure": usd(ceil_to(excess * price, PRICE_STEP)),
        "since": iso(_since_ms(known)),
        **books(known, [more]),
        "loss_now": None if loss is None else usd(floor_to(loss, PRICE_STEP)),
        "loss_budget": None if budget is None else usd(ceil_to(budget, PRICE_STEP)),
        "flow": usd(floor_to(-known.outlay, PRICE_STEP)),
        "worst": usd(floor_to(Usd(min(known.payouts.values()) - known.outlay), PRICE_STEP)),
        "best": usd(floor_to(Usd(max(known.payouts.values()) - known.outlay), PRICE_STEP)),
        "trying": known.reason,
        "next_retry_at": iso(snapshot.next_try_ms) if snapshot else None,
        "actions": actions(known),
    }


def _since_ms(known: Known) -> int:
    """When it became naked. What is held beyond the plan alone was never hedged: the last fill."""
    state = known.state
    if (since_ms := naked_since_ms(state)) is not None:
        return since_ms
    times = (fill.at_ms for fill in state.fills if fill.state is not FillState.VOIDED)
    return max(times, default=state.opened_at_ms)


def kept_uneven(known: Known) -> bool:
    """Whether a person keeps it as it is: held, and no locked pair."""
    snapshot = known.snapshot if known.fresh else None
    status = snapshot.status if snapshot else known.state.status
    return known.phase is Phase.HOLDING and status is not TradeStatus.SUCCESS


def actions(known: Known) -> Json:
    """What may be asked now: true, or why not. The workflow has the last word."""
    phase, kept = known.phase, kept_uneven(known)
    if phase.ended or phase is Phase.SETTLING:
        over = f"{phase}: there is nothing to do"
        return dict.fromkeys(("retry", "accept", "hold", "take_over", "mark_resolved"), over)
    stop: bool | str = True if phase in STOPPABLE else f"{phase}: nothing is being sold"
    if kept:
        stop = "It is kept as it is already"
    elif phase is Phase.CLOSING:
        stop = "A person is closing it"
    resolve: bool | str = phase in RESOLVABLE or kept
    return {
        "retry": True if phase in SELLING else f"{phase}: no sale is being tried",
        "accept": True,
        "hold": stop,
        "take_over": stop,
        "mark_resolved": resolve or f"{phase}: take over first, then sell by hand",
    }
