"""The one message of an arbitrage, written anew from the journal whenever something changed.

The lines are those of the first design, with true figures: the payout is the least that any answer
pays, every fee counts, surplus shares do not, and whose money it is stands in the headline.
"""

from domain.money import NO_USD, ZERO
from domain.order import NotFilled, Rejection
from domain.standing import HOLDS
from domain.trade import Phase, TradeStatus, roi_percent
from domain.venue import Action, Venue
from notify import words
from notify.facts import Dealt, Facts

_WHY = {
    Rejection.KILLED: "FOK rejected (no liquidity)",
    Rejection.INSUFFICIENT_BALANCE: "not enough balance",
    Rejection.NOT_SENT: "never left this machine",
    Rejection.TOO_LATE: "past its deadline, not sent",
    Rejection.FENCED: "stopped at the last gate",
    Rejection.RATE_LIMITED: "rate limited",
    Rejection.VENUE_CLOSED: "venue closed",
    Rejection.MARKET_CLOSED: "market closed",
    Rejection.NEVER_ARRIVED: "never arrived",
}
_SENT = {
    Phase.RESERVING: "⏳ DETECTED — Reserving",
    Phase.PLACING: "📤 SENT — Both legs on their way",
}


def card(facts: Facts, now_ms: int) -> str:
    """The message as HTML, as it is now."""
    state = facts.state
    body = _body(facts)
    plan = state.opportunity
    return words.lines(
        f"<b>{headline(facts)}</b>",
        words.BAR,
        words.event(plan.title, plan.kalshi.instrument.market),
        "",
        *body,
        _timing(facts, now_ms),
        _balances(facts, now_ms),
        f"<code>{words.safe(state.arb_id)}</code>",
    )


def headline(facts: Facts) -> str:
    """The news in one line, for the preview on a locked phone."""
    state = facts.state
    mode = words.MODES[state.mode]
    if state.phase in _SENT:
        return f"{_SENT[state.phase]} · {mode}"
    return f"{_news(facts)} · {mode}{_result(facts)}"


def _news(facts: Facts) -> str:
    state = facts.state
    if facts.by_hand is not None:
        return "🖐 ENDED BY HAND — On a person's word"
    match state.phase, state.status:
        case Phase.REFUSED, _:
            return "🚫 REFUSED — Nothing was sent"
        case Phase.SETTLED, _:
            low, high = min(facts.payouts.values()), max(facts.payouts.values())
            agreed = low <= sum(state.payouts.values()) <= high
            return "🏁 SETTLED — Paid out" if agreed else "🚨 SETTLED — The venues disagree"
        case Phase.FLAT, TradeStatus.FAILED:
            return "❌ NOT EXECUTED — Nothing filled"
        case Phase.FLAT, TradeStatus.ROLLED_BACK:
            return "⚠️ PARTIAL FILL — Rolled back"
        case Phase.FLAT, _:
            return "📕 CLOSED — Sold both legs"
        case Phase.NEEDS_OPERATOR, _:
            return "🚨 UNHEDGED — A person is needed"
        case Phase.UNWINDING, _:
            return "🚨 UNHEDGED — Selling back"
        case Phase.CLOSING, _:
            return "📤 CLOSING — Selling both legs"
        case Phase.SETTLING, _:
            return "⏳ SETTLING — The question is answered"
        case Phase.RESOLVING, _:
            return "⏳ UNKNOWN — Asking the venue what happened"
    if facts.parted is not None:
        return "🚨 ONE VENUE ANSWERED — Not locked any more"
    if state.guaranteed > ZERO:
        return "✅ EXECUTED — Arbitrage locked in!"
    return "⚠️ HELD AT A LOSS — Not an arbitrage"


def _result(facts: Facts) -> str:
    state = facts.state
    if state.realised is not None:
        return f" {words.signed(state.realised)}" if state.paid else ""
    holding = state.phase in (Phase.HOLDING, Phase.SETTLING) and facts.parted is None
    return f" {words.signed(state.guaranteed)}" if holding else ""


def _body(facts: Facts) -> list[str | None]:
    match facts.state.phase:
        case Phase.HOLDING | Phase.SETTLING:
            return _held(facts)
        case Phase.SETTLED:
            return _settled(facts)
        case Phase.FLAT:
            return _flat(facts)
    return _working(facts)


def _held(facts: Facts) -> list[str | None]:
    return [
        "📊 Positions:",
        *(_position(facts, venue) for venue in Venue),
        *(_sale(facts, venue) for venue in Venue),
        _neutral(facts),
        f"Fees: {words.cost(facts.fees)}",
        f"Total invested: {words.cost(facts.outlay)}",
        None if facts.parted else _surplus(facts),
        "",
        *_promise(facts),
        None if facts.final else "⏳ Not final yet: the venue may still void a fill",
    ]


def _promise(facts: Facts) -> list[str]:
    """What it pays at least, and what is left of that; never more than the worst answer brings."""
    if facts.parted is not None:
        return [words.safe(facts.parted, 600)]
    payouts, result = facts.payouts, facts.state.guaranteed
    worst = min(payouts, key=lambda outcome: payouts[outcome])
    roi = words.percent(roi_percent(result, facts.state.paid))
    if result > ZERO:
        return [
            f"💰 Guaranteed payout: {words.gain(payouts[worst])}",
            f"📈 Profit: {words.gain(result)} ({roi} ROI)",
        ]
    if payouts[worst] == payouts[worst.complement]:
        return [
            f"💰 Payout: {words.gain(payouts[worst])} whatever the answer",
            f"📉 Loss: {words.cost(-result)} ({roi} ROI)",
        ]
    best = max(payouts.values()) - facts.outlay
    pays = [f"if {o.upper()}: {words.gain(payouts[o])}" for o in (worst, worst.complement)]
    loss = f"📉 Loss if {worst.upper()}: {words.cost(-result)} ({roi} ROI)"
    return [f"💰 Payout {', '.join(pays)}", f"{loss}, otherwise {words.signed(best)}"]


def _settled(facts: Facts) -> list[str | None]:
    state = facts.state
    known = state.payouts
    paid = sum(known.values(), start=ZERO)
    return [
        "📊 Positions:",
        *(_position(facts, venue) for venue in Venue),
        *(_sale(facts, venue) for venue in Venue),
        _neutral(facts),
        f"Fees: {words.cost(facts.fees)}",
        f"Total invested: {words.cost(facts.outlay)}",
        "",
        f"💰 Paid out: {words.gain(paid)} ("
        + " + ".join(f"{words.NAMES[v]} {words.gain(known[v])}" for v in Venue if v in known)
        + ")",
        _profit(facts),
    ]


def _flat(facts: Facts) -> list[str | None]:
    state = facts.state
    legs = [_leg(facts, venue) for venue in Venue]
    sales = [_sale(facts, venue) for venue in Venue]
    if facts.by_hand is not None:
        moved = f"🖐 Moved by hand: {words.signed(facts.by_hand)}"
        said = f"Why: {words.safe((state.reason or '').removeprefix(f'{state.phase}: '))}"
        return [*legs, "", *sales, f"Fees: {words.cost(facts.fees)}", moved, said, _profit(facts)]
    if not state.paid:
        return [*legs, "", "Nothing was bought: it cost nothing"]
    if state.status is not TradeStatus.ROLLED_BACK:
        return [*legs, "", *sales, f"Fees: {words.cost(facts.fees)}", _profit(facts)]
    return [*legs, "", *_rollback(facts)]


def _rollback(facts: Facts) -> list[str | None]:
    """What was sold back, and what that cost: by the spread, and by fees."""
    sold = [
        f"Sold {words.NAMES[venue]} {words.size(sale.size)} {words.UNITS[venue]} "
        f"@ {words.price(sale.average)}"
        for venue in Venue
        if (sale := facts.dealt(venue, Action.SELL)).size
    ]
    loss = -(ZERO if facts.state.realised is None else facts.state.realised)
    spread, fees = loss - facts.fees, facts.fees
    parts = [
        f"{name} {words.cost(amount)}" if fees else name
        for name, amount in (("spread", spread), ("fees", fees))
        if amount
    ]
    word = f"Loss: {words.cost(loss)}" if loss >= ZERO else f"Gain: {words.gain(-loss)}"
    return [
        f"🔄 Rollback: {'; '.join(sold)}" if sold else "🔄 Rollback: nothing was left to sell",
        f"   {word}" + (f" ({' + '.join(parts)})" if parts else ""),
    ]


def _working(facts: Facts) -> list[str | None]:
    more = [*exposure(facts), _reason(facts)]
    return [
        *(_leg(facts, venue) for venue in Venue),
        *(_sale(facts, venue) for venue in Venue),
        *(["", *more] if any(more) else ()),
    ]


def exposure(facts: Facts) -> list[str]:
    """What nothing hedges now, as far as that is known."""
    more = max(Venue, key=facts.held)
    excess = facts.held(more) - facts.held(more.sibling)
    if excess <= ZERO:
        return []
    average = facts.state.leg(more).average_price or ZERO
    outcome = facts.state.opportunity.leg(more).instrument.outcome
    held = f"{words.NAMES[more]} {words.size(excess)} {words.UNITS[more]} {outcome.upper()}"
    word = "Exposed"
    if facts.state.leg(more.sibling).unknown:
        word = f"Exposed, unless {words.NAMES[more.sibling]}'s order filled"
    return [f"{word}: {held}, paid {words.cost(excess * average)}"]


def _leg(facts: Facts, venue: Venue) -> str:
    """What became of the purchase at one venue."""
    leg, bought = facts.state.leg(venue), facts.dealt(venue, Action.BUY)
    name = words.NAMES[venue]
    if bought.size:
        return f"{name}: ✅ {_deal(venue, bought)}{_later(facts, venue)}"
    if leg.unknown:
        return f"{name}: ❓ no answer yet"
    voided = facts.voided(venue)
    if voided:
        return f"{name}: 👻 {words.size(voided)} {words.UNITS[venue]} matched, then voided"
    return f"{name}: ❌ {_why(facts.refusal(venue))}"


def _later(facts: Facts, venue: Venue) -> str:
    return " at the second try" if facts.refusal(venue) is not None else ""


def _why(refusal: NotFilled | None) -> str:
    if refusal is None:
        return "not sent"
    known = _WHY.get(refusal.rejection)
    return known or words.safe(f"{refusal.rejection}: {refusal.detail}")


def _position(facts: Facts, venue: Venue) -> str:
    outcome = facts.state.opportunity.leg(venue).instrument.outcome.upper()
    bought = facts.dealt(venue, Action.BUY)
    if not bought.size:
        return f"{words.NAMES[venue]}: nothing"
    return f"{words.NAMES[venue]}: {_deal(venue, bought)} ({outcome}){_later(facts, venue)}"


def _sale(facts: Facts, venue: Venue) -> str | None:
    sold = facts.dealt(venue, Action.SELL)
    if not sold.size:
        return None
    return (
        f"Sold {words.NAMES[venue]} {words.size(sold.size)} {words.UNITS[venue]} "
        f"@ {words.price(sold.average)} = {words.gain(sold.notional)}"
    )


def _neutral(facts: Facts) -> str | None:
    """What was bought beside a leg that could not be sold."""
    bought, leg = facts.opposite, facts.state.polymarket
    if not bought.size:
        return None
    outcome = facts.state.opportunity.polymarket.instrument.outcome.complement.upper()
    pairs = f"{words.size(leg.neutral)} pairs pay a dollar each whatever the answer"
    return f"Neutralised: {_deal(Venue.POLYMARKET, bought)} ({outcome}): {pairs}"


def _deal(venue: Venue, dealt: Dealt) -> str:
    return (
        f"{words.size(dealt.size)} {words.UNITS[venue]} × {words.price(dealt.average)} "
        f"= {words.cost(dealt.notional)}"
    )


def _surplus(facts: Facts) -> str | None:
    """Shares beyond the other leg: upside that the payout does not count."""
    gap = facts.held(Venue.POLYMARKET) - facts.held(Venue.KALSHI)
    if gap <= ZERO or facts.state.guaranteed <= ZERO:
        return None
    return f"Surplus: {words.size(gap)} Poly shares, not counted"


def _profit(facts: Facts) -> str:
    result = facts.state.realised or NO_USD
    roi = words.percent(roi_percent(result, facts.state.paid))
    if result >= ZERO:
        return f"📈 Profit: {words.gain(result)} ({roi} ROI), final"
    return f"📉 Loss: {words.cost(-result)} ({roi} ROI), final"


def _reason(facts: Facts) -> str | None:
    """Why it is where it is, where that says more than the lines above."""
    state = facts.state
    said = (state.reason or "").removeprefix(f"{state.phase}: ")
    if state.phase is Phase.RESOLVING and not facts.final:
        return "Nothing is sold or sent before that is known"
    if state.phase is Phase.REFUSED:
        said = said.replace("_", " ")
    return f"Why: {words.safe(said)}" if said and not said.startswith(HOLDS) else None


def _timing(facts: Facts, now_ms: int) -> str | None:
    """How fast both legs were."""
    known = {v: t for v in Venue if (t := facts.times.get(v)) and t.sent_ms}
    if not known:
        return None
    took = [
        f"{words.NAMES[venue]} {time.answered_ms - time.sent_ms} ms"
        for venue, time in known.items()
        if time.sent_ms is not None and time.answered_ms is not None
    ]
    first = min(time.sent_ms for time in known.values() if time.sent_ms is not None)
    return f"\n⏱ Sent {words.clock(first, now_ms)}" + (f" · {' + '.join(took)}" if took else "")


def _balances(facts: Facts, now_ms: int) -> str | None:
    if not facts.cash:
        return None
    told = [f"{words.NAMES[v]} {words.gain(c.amount)}" for v, c in facts.cash.items()]
    as_of = min(cash.as_of_ms for cash in facts.cash.values())
    return f"\n💳 Balances: {' | '.join(told)} · {words.clock(as_of, now_ms)}"
