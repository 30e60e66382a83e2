"""The same scripted venues in virtual time and on real exchanges and a real server: the same end.

`DIFFERENTIAL_SEEDS=100` plays more of them.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

import pytest

from activities.messages import ArbitrageInput
from domain.opportunity import Opportunity
from domain.policy import Bounds
from domain.venue import Action, Mode, Venue
from tests.support.books import assert_books_balance
from tests.support.trading import Trading
from tests.virtual.exchange import CENT, GOOD, ONE, Fate, Quote
from tests.virtual.loop import START_US
from tests.virtual.plan import TIMING
from tests.virtual.script import Script
from tests.virtual.world import World
from workflows.snapshot import Snapshot

SEEDS = range(1, 1 + int(os.environ.get("DIFFERENTIAL_SEEDS", "12")))
EDGE_CENTS = 8
REST_MS = 120_000
HALF = 50
BUYS = ("kill", "kill", "partial", "refuse", "limited", "lost", "unanswered", "garbled")
SELLS = ("kill", "refuse", "limited", "lost", "unanswered", "garbled")


@dataclass(frozen=True, slots=True)
class Same:
    """One trouble, as the model and as the simulator know it."""

    fate: Fate
    fault: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class End:
    """What both must agree on."""

    phase: str
    status: str
    held: tuple[Decimal, Decimal]
    bought: tuple[Decimal, Decimal]
    orders: dict[str, int]


def troubles(seed: int) -> dict[tuple[Venue, Action], list[str]]:
    """What befalls the orders of this seed, in the order in which they are sent."""
    rng = Random(seed)
    drawn: dict[tuple[Venue, Action], list[str]] = {}
    for venue in Venue:
        ghosts = ("ghost", "ghost") if venue is Venue.POLYMARKET else ()
        drawn[venue, Action.BUY] = rng.choices(BUYS + ghosts, k=rng.choice([0, 1, 1, 2]))
        drawn[venue, Action.SELL] = rng.choices(SELLS, k=rng.choice([0, 0, 1, 2]))
    return drawn


def same(name: str, size: Decimal) -> Same:
    """The trouble of that name for an order of `size` contracts."""
    match name:
        case "kill":
            return Same(replace(GOOD, outcome="kill"), "kill", {})
        case "partial":
            part = size * HALF / 100
            fate = replace(GOOD, outcome="partial", part=HALF)
            return Same(fate, "partial", {"size": f"{part:.2f}"})
        case "refuse":
            return Same(replace(GOOD, outcome="refuse"), "refuse", {})
        case "limited":
            return Same(replace(GOOD, outcome="limited"), "rate_limited", {})
        case "lost":
            return Same(replace(GOOD, reach=False), "drop_before", {})
        case "unanswered":
            return Same(replace(GOOD, answered="lost"), "drop_after", {})
        case "garbled":
            return Same(replace(GOOD, answered="garbled"), "error_after", {})
        case "ghost":
            return Same(replace(GOOD, settles="voided", settle_ms=300), "ghost", {"ms": 300})
        case unknown:
            raise ValueError(f"expected the name of a trouble, found {unknown!r}")


@pytest.mark.parametrize("seed", SEEDS)
async def test_virtual_time_and_real_servers_end_alike(
    steady: Trading, pair: str, seed: int
) -> None:
    drawn = troubles(seed)
    await steady.control.edge(pair, EDGE_CENTS)
    opportunity = await steady.opportunity(pair)
    for (venue, action), names in drawn.items():
        for name in names:
            one = same(name, opportunity.size)
            await steady.control.fault(venue, pair, action, one.fault, params=one.params)
    handle = await steady.start(opportunity)
    real = await steady.until_at_rest(handle, seconds=60)
    state = await steady.desk.journal.arbitrage(real.arb_id)
    expected = _end(real, Counter(str(one.order.purpose) for one in state.intents))
    assert _virtual(seed, drawn, opportunity) == expected, drawn
    await assert_books_balance(steady)


def _virtual(
    seed: int, drawn: Mapping[tuple[Venue, Action], list[str]], opportunity: Opportunity
) -> End:
    size = opportunity.size
    fates = {key: [same(name, size).fate for name in names] for key, names in drawn.items()}
    quotes = {
        Venue.POLYMARKET: Quote(ask=50 * CENT, bid=48 * CENT, depth=100 * ONE, bid_depth=100 * ONE),
        Venue.KALSHI: Quote(
            ask=(50 - EDGE_CENTS) * CENT,
            bid=(48 - EDGE_CENTS) * CENT,
            depth=100 * ONE,
            bid_depth=100 * ONE,
        ),
    }
    script = Script(seed, fates, [str(drawn)], quotes)
    plan = ArbitrageInput(
        f"arb-{seed}", replace(opportunity, seen_ns=START_US * 1000), Mode.SIM, Bounds(), TIMING
    )
    world = World(script, plan)
    final = world.at_rest(REST_MS)
    return _end(final, Counter(str(row.order.purpose) for row in world.ledger.rows.values()))


def _end(snapshot: Snapshot, orders: Counter[str]) -> End:
    legs = (snapshot.polymarket.state, snapshot.kalshi.state)
    return End(
        phase=str(snapshot.phase),
        status=str(snapshot.status),
        held=(legs[0].held, legs[1].held),
        bought=(legs[0].bought, legs[1].bought),
        orders=dict(orders),
    )
