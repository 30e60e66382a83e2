"""Arbitrages as rows of pages: both legs, what they pay, and their times in milliseconds."""

from decimal import Decimal

from api.known import Known
from api.sales import books, close_now
from api.wire import Json, Number, iso, text, usd
from api.words import annualised
from domain.leg import LegState
from domain.money import ZERO, Usd, ceil_to
from domain.order import Fill, FillState, Purpose
from domain.trade import roi_percent
from domain.venue import Action, Venue
from store.intents import StoredIntent
from store.leg_results import leg_results
from store.states import IntentState
from store.views import OrderTimes
from workflows import names
from workflows.snapshot import Snapshot

PRICE_STEP = Decimal("0.0001")


def position(known: Known) -> Json:
    """One arbitrage that has not ended, with the seed's columns."""
    state = known.state
    payouts, outlay = known.payouts, known.outlay
    legs = {venue.value: _leg(known, venue) for venue in Venue}
    now = close_now(known)
    gain = roi_percent(Usd(min(payouts.values()) - outlay), outlay)
    row: Json = {
        "id": state.arb_id,
        "arb_id": state.arb_id,
        "workflow_id": names.workflow_id(state.arb_id, state.adopted),
        "event_key": state.opportunity.pair_id,
        "event_title": state.opportunity.title,
        "opened_at": iso(state.opened_at_ms),
        "status": "closed" if known.phase.ended else "open",
        "phase": known.phase.value,
        "mode": state.mode.value,
        "stale": known.stale,
        "reason": known.reason,
        "legs": legs,
        "cost": usd(outlay),
        "payout": usd(min(payouts.values())),
        "worst": usd(Usd(min(payouts.values()) - outlay)),
        "best": usd(Usd(max(payouts.values()) - outlay)),
        "close_now": None if now is None else usd(now),
        **books(known, known.holding),
        "settles_at": iso(known.settles_ms),
        "days_left": None if known.days_left is None else str(known.days_left),
        "annualised": annualised(gain, known.days_left),
        "story": _story(known.snapshot),
    }
    for venue, short in ((Venue.POLYMARKET, "poly"), (Venue.KALSHI, "kalshi")):
        leg = legs[venue.value]
        row |= {
            f"{short}_side": leg["outcome"],
            f"{short}_price": Number(Decimal(leg["price"])),
            f"{short}_contracts": int(known.leg(venue).held),
        }
    return row


def detail(known: Known, planned: list[Json]) -> Json:
    """One arbitrage for its page: the position's row with what only the journal knows."""
    state = known.state
    return position(known) | {
        "status": state.status.value if state.status else known.phase.value,
        "settings_version": state.settings_version,
        "updated_at": iso(state.updated_at_ms),
        "closed_at": iso(state.closed_at_ms),
        "realised": None if state.realised is None else usd(state.realised),
        "detail": state.detail,
        "waterfall": _waterfall(known),
        "results": leg_results(state.intents, state.fills),
        "events": planned,
        "orders": [
            _order(one, known.times.get(one.order.intent_id, OrderTimes()))
            for one in sorted(state.intents, key=lambda one: one.order.created_at_ms)
        ],
    }


def _leg(known: Known, venue: Venue) -> Json:
    plan, leg = known.state.opportunity.leg(venue), known.leg(venue)
    fills = [one for one in known.state.fills if one.venue is venue]
    entry = next((one for one in known.state.intents if _is_entry(one, venue)), None)
    times = known.times.get(entry.order.intent_id, OrderTimes()) if entry else OrderTimes()
    other = known.state.opposite_intents
    bought = _bought([one for one in fills if one.intent_id not in other])
    answer = entry.answer if entry else None
    return {
        "outcome": plan.instrument.outcome.upper(),
        "size": text(plan.size),
        "held": text(leg.held),
        "price": text(plan.limit if bought is None else ceil_to(bought, PRICE_STEP)),
        "cost": usd(leg.paid),
        "fee": usd(_fees(fills)),
        "state": _leg_word(leg, entry),
        "order_id": getattr(answer, "order_id", None),
        "error": f"{r}: {getattr(answer, 'detail', '')}"
        if (r := getattr(answer, "rejection", None)) and not leg.bought
        else None,
        "market": plan.instrument.market,
        "token": plan.instrument.token,
        "stamps": {
            "book_at": iso(plan.book_at_ms),
            "received_at": iso(known.state.opportunity.seen_ns // 1_000_000 - plan.book_lag_ms),
            "decided_at": iso(entry.order.created_at_ms if entry else known.state.opened_at_ms),
            "sent_at": iso(times.sent_ms),
            "acked_at": iso(times.answered_ms),
            "matched_at": iso(times.matched_ms),
            "settled_at": iso(times.settled_ms),
        },
    }


def _leg_word(leg: LegState, entry: StoredIntent | None) -> str:
    if entry is None or entry.state is IntentState.PLANNED:
        return "planned"
    if entry.state is IntentState.SENT:
        return "sent"
    if leg.unknown:
        return "unknown"
    if leg.bought <= ZERO:
        return "failed"
    if leg.held <= ZERO:
        return "neutral" if leg.neutral > ZERO else "sold"
    return "settled" if leg.settled else "matched"


def _is_entry(one: StoredIntent, venue: Venue) -> bool:
    return one.order.venue is venue and one.order.purpose is Purpose.ENTRY


def _bought(fills: list[Fill]) -> Decimal | None:
    bought = [f for f in fills if f.action is Action.BUY and f.state is not FillState.VOIDED]
    size = sum((fill.size for fill in bought), start=ZERO)
    return sum((fill.notional for fill in bought), start=ZERO) / size if size else None


def _fees(fills: list[Fill]) -> Decimal:
    return sum((f.fee for f in fills if f.state is not FillState.VOIDED), start=ZERO)


def _story(snapshot: Snapshot | None) -> list[Json]:
    if snapshot is None:
        return []
    return [{"at": iso(h.at_ms), "phase": h.phase.value, "said": h.said} for h in snapshot.story]


def _waterfall(known: Known) -> list[Json]:
    """From gross edge to net: as planned, and as it really was where it is known."""
    plan = known.state.opportunity
    legs = (plan.polymarket, plan.kalshi)
    expected = sum((leg.expected for leg in legs), start=ZERO)
    fees = sum((leg.fee_bound for leg in legs), start=ZERO)
    slack = Decimal(plan.outlay) - expected - fees
    paid_fees = _fees(list(known.state.fills))
    result = known.state.realised
    return [
        {"name": "Gross edge", "expected": text(plan.payout - expected), "realised": None},
        {"name": "Fees (bound)", "expected": text(-fees), "realised": text(-paid_fees)},
        {"name": "Price allowance", "expected": text(-slack), "realised": None},
        {
            "name": "Net",
            "expected": text(plan.profit),
            "realised": None if result is None else text(result),
        },
    ]


def _order(one: StoredIntent, times: OrderTimes) -> Json:
    """An order from its intent to its settlement, by the journal's own times."""
    order = one.order
    rejection = getattr(one.answer, "rejection", None)
    return {
        "intent_id": order.intent_id,
        "venue": order.venue.value,
        "purpose": order.purpose.value,
        "action": order.action.value,
        "outcome": order.instrument.outcome.upper(),
        "size": text(order.size),
        "limit": text(order.limit),
        "time_in_force": order.time_in_force.value,
        "state": one.state.value,
        "key": one.identity.key,
        "created_at": iso(order.created_at_ms),
        "sent_at": iso(times.sent_ms),
        "asked_at": iso(times.asked_ms),
        "answered_at": iso(times.answered_ms),
        "matched_at": iso(times.matched_ms),
        "settled_at": iso(times.settled_ms),
        "questions": times.questions,
        "rejection": None if rejection is None else str(rejection),
    }
