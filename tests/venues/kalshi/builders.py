"""Orders, instruments and payloads with defaults, for the Kalshi tests."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.fees import KalshiFee
from domain.money import NO_USD, Price, Size
from domain.order import Order, Purpose
from domain.venue import Action, Instrument, Outcome, TickBand, TimeInForce, Venue
from venues.strict_json import Node, parse

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
TICKER = "KXGAME-1"
CENTS = ("0 1 0.01",)
TAPERED = ("0 0.1 0.001", "0.1 0.9 0.01", "0.9 1 0.001")


def recorded(name: str) -> Iterator[dict[str, Any]]:
    """The lines of a recording that lies beside the repository; skips where it does not."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the recording {name} is not on this machine")
    return (json.loads(line) for line in path.read_text().splitlines())


def node(value: object) -> Node:
    """A payload as it comes from the wire."""
    return parse(json.dumps(value))


def an_instrument(outcome: Outcome = Outcome.YES, bands: tuple[str, ...] = CENTS) -> Instrument:
    ticks = [TickBand(*(Decimal(part) for part in band.split())) for band in bands]
    return Instrument(
        venue=Venue.KALSHI,
        market=TICKER,
        token=f"{TICKER}:{outcome}",
        outcome=outcome,
        ticks=tuple(ticks),
        size_step=Size(Decimal("0.01")),
        size_min=Size(Decimal("0.01")),
        notional_min=NO_USD,
        fee=KalshiFee(Decimal(1)),
        exchange_index=3,
    )


def an_order(
    action: str = "buy",
    outcome: str = "yes",
    limit: str = "0.52",
    size: str = "10",
    *,
    tif: TimeInForce = TimeInForce.FOK,
    reduce_only: bool = False,
    bands: tuple[str, ...] = CENTS,
) -> Order:
    """A fill-or-kill entry of ten YES contracts at 0.52."""
    return Order(
        intent_id="arb-1/kalshi/entry/1",
        arb_id="arb-1",
        instrument=an_instrument(Outcome(outcome), bands),
        purpose=Purpose.ENTRY,
        action=Action(action),
        size=Size(Decimal(size)),
        limit=Price(Decimal(limit)),
        time_in_force=tif,
        reduce_only=reduce_only,
        created_at_ms=1_795_000_000_000,
        not_after_ms=1_795_000_002_000,
    )
