"""Which payload keys are spoken: those of October 2026, or those recorded in June 2026."""

from collections.abc import Mapping
from typing import Final

_ONLY_JUNE: Final[Mapping[str, frozenset[str]]] = {
    "order": frozenset({"action", "side"}),
    "fill": frozenset({"action", "side", "subaccount_number"}),
    "market": frozenset(
        {"fractional_trading_enabled", "liquidity_dollars", "response_price_units"}
    ),
    "market_position": frozenset({"resting_orders_count"}),
}
_SINCE_JUNE: Final[Mapping[str, frozenset[str]]] = {
    "order": frozenset({"exchange_index"}),
    "fill": frozenset({"exchange_index"}),
    "market": frozenset({"exchange_index", "settlement_bounds_type"}),
    "market_position": frozenset({"exchange_index"}),
    "cancel": frozenset({"client_order_id"}),
    "status": frozenset({"exchange_estimated_resume_time", "exchange_index_statuses"}),
}


def speak(wire: str, kind: str, full: Mapping[str, object]) -> dict[str, object]:
    """`full` (the keys of both months) without those the wire does not have."""
    unspoken = (_SINCE_JUNE if wire == "2026-06" else _ONLY_JUNE).get(kind, frozenset())
    return {key: value for key, value in full.items() if key not in unspoken}


def error_body(wire: str, status: int, body: Mapping[str, object]) -> dict[str, object]:
    """Until August 2026 the exchange's own refusals named their `service`."""
    error = body.get("error")
    if wire == "2026-06" and status != 401 and isinstance(error, dict):
        return {**body, "error": {**error, "service": "exchange"}}
    return dict(body)
