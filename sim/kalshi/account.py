"""The venue's word on itself and on the caller: status, clocks, limits, costs, keys."""

from starlette.routing import Route

from sim.kalshi.dialect import speak
from sim.kalshi.exchange import SHARDS, Exchange
from sim.kalshi.http import DEFAULT_COST, ROOT, Answer, Call, read_route
from sim.kalshi.orders import CANCEL_COST
from sim.units import iso_time

_SHARD_NAMES = ("default", "combos", "crypto and commodities", "tennis, baseball, basketball")


def routes(exchange: Exchange) -> list[Route]:
    """Public status paths and signed account paths."""
    public = {
        "/exchange/status": status,
        "/exchange/schedule": schedule,
        "/account/endpoint_costs": endpoint_costs,
    }
    private = {
        "/exchange/user_data_timestamp": user_data_timestamp,
        "/account/limits": limits,
        "/api_keys": api_keys,
    }
    return [
        *(read_route(exchange, path, handler, signed=False) for path, handler in public.items()),
        *(read_route(exchange, path, handler, signed=True) for path, handler in private.items()),
    ]


def status(call: Call) -> Answer:
    """Whether the exchange and its trading are open, also per shard; 503 while it restarts."""
    exchange = call.exchange
    active, trading = exchange.mode != "restarting", exchange.mode == "open"
    full: dict[str, object] = {
        "exchange_active": active,
        "trading_active": trading,
        "exchange_estimated_resume_time": None,
        "exchange_index_statuses": [
            {
                "exchange_index": shard,
                "description": _SHARD_NAMES[shard],
                "exchange_active": active,
                "trading_active": trading,
                "intra_exchange_transfers_active": active,
            }
            for shard in SHARDS
        ],
    }
    return (200 if active else 503), speak(exchange.knobs.wire, "status", full)


def schedule(_: Call) -> Answer:
    """Open all week but for the maintenance window on Thursday, 03:00 to 05:00 Eastern."""
    days = ("monday", "tuesday", "wednesday", "friday", "saturday", "sunday")
    hours: dict[str, object] = {
        day: [{"open_time": "00:00", "close_time": "00:00"}] for day in days
    }
    hours["thursday"] = [
        {"open_time": "00:00", "close_time": "03:00"},
        {"open_time": "05:00", "close_time": "00:00"},
    ]
    return 200, {"schedule": {"standard_hours": [hours], "maintenance_windows": []}}


def user_data_timestamp(call: Call) -> Answer:
    """The moment up to which the portfolio reads are complete."""
    return 200, {"as_of_time": iso_time(call.exchange.view_ns())}


def limits(call: Call) -> Answer:
    """The sizes of the caller's token buckets."""
    knobs = call.exchange.knobs
    return 200, {
        "usage_tier": knobs.usage_tier,
        "read": {"refill_rate": knobs.read_rate, "bucket_capacity": knobs.read_capacity},
        "write": {"refill_rate": knobs.write_rate, "bucket_capacity": knobs.write_capacity},
        "grants": [],
    }


def endpoint_costs(_: Call) -> Answer:
    """The calls that do not cost the default."""
    cheap = (
        ("DELETE", "/portfolio/events/orders/:order_id"),
        ("GET", "/portfolio/orders/:order_id"),
    )
    return 200, {
        "default_cost": DEFAULT_COST,
        "endpoint_costs": [
            {"method": method, "path": ROOT + path, "cost": CANCEL_COST} for method, path in cheap
        ],
    }


def api_keys(call: Call) -> Answer:
    """The member's keys and when their location attestation lapses (seconds)."""
    exchange = call.exchange
    lapses = exchange.world.clock() // 1_000_000_000 + exchange.knobs.region_expires_in_s
    return 200, {
        "api_keys": [
            {"api_key_id": key.key_id, "name": key.name, "scopes": list(key.scopes)}
            for key in exchange.keys.values()
        ],
        "api_key_region_expiration_ts": lapses,
    }
