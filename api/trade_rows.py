"""Rows of the trade log, with the seed's names."""

from collections.abc import Mapping
from decimal import Decimal

from api.wire import Json, Number, text
from domain.money import Usd
from store.trade_log import LoggedTrade


def trade(row: LoggedTrade, expected: Usd | None, *, numbers: bool) -> Json:
    """One row of the trade log, with the seed's names. See `slices.settings` on `numbers`."""
    return _trade(
        {
            "arb_id": row.arb_id,
            "timestamp": row.timestamp,
            "event": row.event_title,
            "status": row.status.value,
            "mode": row.mode.value,
            "poly_order_id": row.poly_order_id,
            "kalshi_order_id": row.kalshi_order_id,
            "final": row.final,
        },
        {"bet_size": row.bet_size, "pnl": row.pnl, "roi": row.roi},
        row.details,
        expected,
        numbers=numbers,
    )


def trade_told(payload: Mapping[str, object], expected: Usd | None) -> Json:
    """A trade_event from the outbox's message of it."""
    names = ("arb_id", "timestamp", "event", "status", "mode", "final")
    amounts = {
        name: None if payload[name] is None else Decimal(str(payload[name]))
        for name in ("bet_size", "pnl", "roi")
    }
    details = payload["details"]
    assert isinstance(details, dict), f"expected details, found {details!r}"
    facts = {name: payload[name] for name in names}
    return _trade(facts, amounts, details, expected, numbers=True)


def _trade(
    facts: Json,
    amounts: Mapping[str, Decimal | None],
    details: Mapping[str, object],
    expected: Usd | None,
    *,
    numbers: bool,
) -> Json:
    exact = {name: None if value is None else text(value) for name, value in amounts.items()}
    shown: Mapping[str, object] = exact
    if numbers:
        shown = {name: None if v is None else Number(v) for name, v in amounts.items()}
    status = facts["status"]
    return {
        "id": facts["arb_id"],
        **facts,
        **shown,
        "phase": details.get("phase"),
        "reason": "" if status == "SUCCESS" else _reason(details),
        "legs": details.get("legs", []),
        "exact": exact | {"expected": None if expected is None else text(expected)},
    }


def _reason(details: Mapping[str, object]) -> str:
    """Why a trade did not lock: what its legs say, else what the workflow said last."""
    legs = details.get("legs")
    errors = [
        f"{leg['platform'].capitalize()}: {leg['error']}"
        for leg in (legs if isinstance(legs, list) else [])
        if leg.get("error")
    ]
    return "; ".join(errors) or str(details.get("reason") or "")
