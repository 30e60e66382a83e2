"""What a server may tell the pages: the shapes of docs/socket.md with lively values."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import policy

Json = dict[str, Any]

SETTINGS = {
    "enabled": True,
    "min_bet": 5.0,
    "max_bet": 10.0,
    "min_roi": 1.0,
    "max_roi": 50.0,
    "max_daily_trades": 50,
    "max_daily_loss": 5.0,
}

RANGES = {
    name: {"least": str(allowed.least), "above": allowed.above}
    for name, allowed in policy.RANGES.items()
}


def ago(**span: float) -> str:
    """A time in the past, ISO 8601 UTC with milliseconds."""
    return stamp(datetime.now(UTC) - timedelta(**span))


def ahead(**span: float) -> str:
    """A time to come."""
    return stamp(datetime.now(UTC) + timedelta(**span))


def stamp(at: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def settings(version: int = 18, active: int | None = None, **values: Any) -> Json:
    """Settings as init and settings_changed carry them."""
    shown = SETTINGS | values
    exact = {name: str(value) for name, value in shown.items() if name != "enabled"}
    return shown | {
        "meta": {
            "version": version,
            "saved_at": ago(minutes=12),
            "saved_by": "anna",
            "origin": "web",
            "exact": exact,
            "ranges": RANGES,
            "active": [
                {"executor": "executor-1", "version": active or version, "at": ago(minutes=11)}
            ],
        }
    }


def money() -> Json:
    """Balances as init and balance_update carry them."""
    parts = {"in_orders": "0.00", "awaiting_settlement": "0.00", "as_of": ago(seconds=3)}
    return {
        "poly": 50.0,
        "kalshi": 45.0,
        "poly_exact": "50.00",
        "kalshi_exact": "45.00",
        "total": "95.00",
        "detail": {
            "poly": parts | {"free": "39.60", "in_positions": "10.40"},
            "kalshi": parts | {"free": "35.40", "in_positions": "9.60"},
        },
        "cap": {
            "venue": "kalshi",
            "free": "35.40",
            "text": "Kalshi caps the next trade: $35.40 is free there.",
        },
    }


def leg(
    outcome: str, price: str, state: str = "settled", now: datetime | None = None, **more: Any
) -> Json:
    """One leg of a position, 10 contracts, bought half an hour before `now`."""
    bought = (now or datetime.now(UTC)) - timedelta(minutes=30)

    def before(**span: float) -> str:
        return stamp(bought - timedelta(**span))

    stamps = {
        "book_at": before(milliseconds=184),
        "received_at": before(milliseconds=160),
        "decided_at": before(milliseconds=151),
        "sent_at": before(milliseconds=128 if outcome == "YES" else 121),
        "acked_at": before(milliseconds=31 if outcome == "YES" else 58),
        "matched_at": before(milliseconds=22 if outcome == "YES" else 51),
        "settled_at": before(seconds=-13) if state == "settled" else None,
    }
    return {
        "outcome": outcome,
        "size": "10",
        "held": "10",
        "price": price,
        "cost": "5.10",
        "fee": "0.04",
        "state": state,
        "order_id": "0x5f1c9a",
        "error": None,
        "stamps": stamps,
    } | more


def position(number: int = 1, title: str = "LAL vs BOS", **more: Any) -> Json:
    """One open position with the seed's columns and the exact values beside them."""
    arb_id, now = f"arb-{number:020x}", datetime.now(UTC)
    return {
        "id": arb_id,
        "arb_id": arb_id,
        "event_key": f"pair-{number}",
        "event_title": title,
        "opened_at": ago(minutes=30 * number),
        "poly_side": "YES",
        "poly_price": 0.51,
        "poly_contracts": 10,
        "kalshi_side": "NO",
        "kalshi_price": 0.48,
        "kalshi_contracts": 10,
        "status": "open",
        "phase": "HOLDING",
        "mode": "sim",
        "legs": {"polymarket": leg("YES", "0.51", now=now), "kalshi": leg("NO", "0.48", now=now)},
        "cost": "9.98",
        "payout": "10.00",
        "worst": "0.02",
        "best": "0.02",
        "close_now": "-0.31",
        "book_at": ago(seconds=1),
        "book_stale": False,
        "settles_at": ahead(days=3),
        "days_left": "3",
        "annualised": "24.4",
        "story": [
            {"at": ago(minutes=30), "phase": "PLACING", "said": "both orders sent"},
            {"at": ago(minutes=30), "phase": "HOLDING", "said": "10 = 10, hedged"},
        ],
    } | more


def trade(number: int, status: str = "SUCCESS", title: str = "LAL vs BOS", **more: Any) -> Json:
    """One row of the trade log: the seed's names, exact strings beside the numbers."""
    won = status == "SUCCESS"
    pnl = {"SUCCESS": "0.12", "FAILED": "0.00"}.get(status, "-0.80")
    reason = {
        "ROLLED_BACK": "Poly fail: fok_not_filled",
        "FAILED": "edge_below_policy at the gate",
        "PARTIAL": "Kalshi 10 of 12",
        "ROLLBACK_FAILED": "no buyer within the loss budget",
    }
    return {
        "id": f"t{number:05d}",
        "arb_id": f"arb-{number:020x}",
        "timestamp": ago(minutes=4 * number),
        "event": title,
        "status": status,
        "bet_size": 5.0,
        "pnl": float(pnl),
        "roi": 2.4 if won else 0.0,
        "poly_order_id": "0x5f1c9a",
        "kalshi_order_id": "k-1",
        "mode": "sim",
        "phase": "HOLDING" if won else "FLAT",
        "reason": reason.get(status, ""),
        "final": not won,
        "exact": {"bet_size": "5.00", "pnl": pnl, "roi": "2.40", "expected": "0.14"},
    } | more


def funnel() -> Json:
    """The skip funnel of an hour and of a day."""
    counts = [4100, 3870, 3702, 210, 96, 41, 38, 3]
    names = ["seen", "approved", "fresh", "edge", "depth", "limits", "cooldown", "executed"]
    example = {"at": ago(minutes=2), "title": "MIA vs NYK", "detail": "net 0.4 %, needed 1 %"}
    reasons = [
        {"reason": "edge_below_policy", "count": 3492, "examples": [example]},
        {"reason": "book_stale", "count": 168, "examples": []},
        {"reason": "size_below_venue_minimum", "count": 114, "examples": []},
    ]
    hour = {
        "stages": [
            {"stage": name, "count": count} for name, count in zip(names, counts, strict=True)
        ],
        "reasons": reasons,
    }
    return {"1h": hour, "24h": deepcopy(hour)}


def base(mode: str = "sim", state: str = "RUNNING") -> Json:
    """What every init carries, whatever its topics."""
    return {
        "stream": "a1",
        "mode": mode,
        "enabled": state == "RUNNING",
        "run_state": {"state": state, "since": ago(minutes=42), "by": "anna (web)", "reason": ""},
        "settings": settings(enabled=state == "RUNNING"),
        "balances": money(),
        "stats": {
            "trades": 3,
            "pnl": 1.25,
            "wins": 2,
            "detail": {
                "pnl": "1.25", "win_rate": "66.66", "fees": "0.21", "loss_used": "0.80",
                "guaranteed": {"trades": 0, "wins": 0, "pnl": "0.00"},
            },
        },
        "unhedged": {"usd": "0.00", "legs": []},
        "venues": {
            "polymarket": {
                "state": "up", "book_at": ago(milliseconds=240), "ping_ms": 41, "detail": "",
            },
            "kalshi": {
                "state": "up", "book_at": ago(milliseconds=310), "ping_ms": 28, "detail": "",
            },
        },
        "services": {
            "temporal": {"state": "up", "detail": "6 ms query"},
            "executor": {"state": "up", "detail": "1 running, 38 checks/s"},
            "notifier": {"state": "up", "lag_ms": 120, "waiting": 0, "detail": ""},
        },
        "scanner": {
            "pairs": 1284,
            "checks_per_s": "38",
            "cycle_at": ago(milliseconds=400),
            "best_edge": {
                "roi": "-0.40", "title": "LAL vs BOS",
                "prices": {"polymarket": "0.55", "kalshi": "0.46"},
            },
            "last_opportunity_at": ago(minutes=14),
        },
        "links": {"temporal_ui": "http://127.0.0.1:8233", "namespace": "default"},
        "notices": [],
    }  # fmt: skip


def executor(mode: str = "sim", state: str = "RUNNING", **more: Any) -> Json:
    """The data of init for the topic `executor`."""
    second = position(2, "Fed cuts rates in December?", close_now="0.11", worst="0.34", best="0.58")
    rows = [
        trade(1),
        trade(2, "ROLLED_BACK", "MIA vs NYK"),
        trade(3, "SUCCESS", "Fed cuts rates in December?"),
        trade(4, "FAILED", "ARS vs CHE"),
        trade(5, "SUCCESS", "GSW vs DEN"),
    ]
    events = [
        {
            "id": f"e{n}", "at": ago(minutes=n * 3), "kind": "note", "severity": severity,
            "text": text,
        }
        for n, (severity, text) in enumerate(
            [
                ("info", "LAL vs BOS: both legs settled, hedged at 10 = 10"),
                ("warn", "MIA vs NYK: Polymarket not filled, Kalshi sold back for -$0.80"),
                ("info", "anna (web) saved settings v18: Max Bet $8.00 → $10.00"),
                ("info", "executor-1 took over 2 open trades after its restart"),
            ]
        )
    ]  # fmt: skip
    parts: Json = {
        "positions": [position(1), second],
        "trades": rows,
        "trades_next": "c1",
        "events": events,
        "funnel": funnel(),
    }
    return base(mode, state) | parts | more


def naked_leg(**more: Any) -> Json:
    """One leg that nothing hedges."""
    return {
        "arb_id": "arb-naked",
        "position_id": "arb-naked",
        "title": "MIA vs NYK",
        "venue": "Kalshi",
        "outcome": "NO",
        "size": "12",
        "exposure": "5.76",
        "book_at": ago(seconds=1),
        "book_stale": False,
        "loss_now": "-0.84",
        "loss_budget": "1.44",
        "kept": False,
        "flow": "-5.81",
        "worst": "-5.81",
        "best": "6.19",
        "since": ago(seconds=23),
        "trying": "Selling 12 NO at 0.41 or better, attempt 3 of 8",
        "next_retry_at": ahead(seconds=8),
        "phase": "NEEDS_OPERATOR",
        "actions": {
            "retry": True,
            "accept": True,
            "hold": True,
            "take_over": "Possible once no order is in flight",
            "mark_resolved": True,
        },
    } | more


def history() -> Json:
    """Three versions of the settings: v16 was looser, v17 tighter than the newest."""
    exact = {name: str(value) for name, value in SETTINGS.items() if name != "enabled"}
    return {
        "items": [
            {
                "version": 18, "at": ago(minutes=12), "actor": "anna", "origin": "web",
                "changes": {"max_bet": ["8.00", "10.00"]}, "settings": exact,
            },
            {
                "version": 17, "at": ago(hours=5), "actor": "ben", "origin": "cli",
                "changes": {"min_roi": ["0.8", "1.0"], "enabled": [False, True]},
                "settings": exact | {"max_bet": "8.00"},
            },
            {
                "version": 16, "at": ago(hours=6), "actor": "ben", "origin": "cli",
                "changes": {}, "settings": exact | {"max_bet": "20.00", "min_roi": "0.8"},
            },
        ],
        "next": None,
    }  # fmt: skip
