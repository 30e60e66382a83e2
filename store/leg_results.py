"""The seed's LegResult of an entry order, derived from its fills."""

from domain.leg import fold
from domain.money import NO_SIZE, NO_USD, Price, Usd
from domain.order import Fill, FillState, NotFilled, Purpose
from domain.trade import LegResult
from store.intents import StoredIntent
from store.states import IntentState


def leg_results(
    stored: tuple[StoredIntent, ...], filled: tuple[Fill, ...]
) -> list[dict[str, object]]:
    """Both entries as the seed's LegResult, amounts as strings."""
    entries = [one for one in stored if one.order.purpose is Purpose.ENTRY]
    return [_leg_text(leg_result(one, filled)) for one in entries]


def leg_result(entry: StoredIntent, filled: tuple[Fill, ...]) -> LegResult:
    """One entry order for a reader, derived from its fills."""
    own = [fill for fill in filled if fill.intent_id == entry.order.intent_id]
    leg = fold(entry.order.venue, entry.order.size, own)
    cost = Usd(
        leg.paid - sum((f.fee for f in own if f.state is not FillState.VOIDED), start=NO_USD)
    )
    bought = leg.bought > NO_SIZE
    error: str | None = None
    if isinstance(entry.answer, NotFilled):
        error = f"{entry.answer.rejection}: {entry.answer.detail}"
    elif not entry.state.definite:
        error = f"no definite answer yet ({entry.state})"
    elif not bought:
        error = "every fill was voided"
    return LegResult(
        platform=entry.order.venue,
        success=bought,
        order_id=getattr(entry.answer, "order_id", None),
        filled_shares=leg.bought,
        filled_price=Price(cost / leg.bought) if bought else None,
        filled_cost=cost,
        error=None if bought and entry.state is IntentState.FILLED else error,
    )


def _leg_text(leg: LegResult) -> dict[str, object]:
    return {
        "platform": leg.platform,
        "success": leg.success,
        "order_id": leg.order_id,
        "filled_shares": str(leg.filled_shares),
        "filled_price": None if leg.filled_price is None else str(leg.filled_price),
        "filled_cost": str(leg.filled_cost),
        "error": leg.error,
    }
