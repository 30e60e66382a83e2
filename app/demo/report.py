"""What the demo did, in numbers: endings, refusals, exposure, latency, and the books."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from app.demo.ledgers import Audit, Ledger, order_key
from store.arbitrages import ArbitrageState

NS = 1_000_000_000
NS_PER_MS = 1_000_000
DUST = Fraction(1, 10)
"""Contracts: less than this on one side only is surplus, not exposure."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The demo's one answer. Latencies are milliseconds, exposures seconds, drift dollars."""

    seed: int
    trades: dict[str, int]
    refused: dict[str, int]
    orders_sent: int
    duplicate_orders: int
    naked_seconds: dict[str, float | None]
    signal_to_send_ms: dict[str, float | None]
    ledger_drift_usd: str
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints."""
        return {
            "schema_version": 1,
            "seed": self.seed,
            "trades": self.trades,
            "refused": self.refused,
            "orders_sent": self.orders_sent,
            "duplicate_orders": self.duplicate_orders,
            "naked_seconds": self.naked_seconds,
            "signal_to_send_ms": self.signal_to_send_ms,
            "ledger_drift_usd": self.ledger_drift_usd,
            "violations": self.violations,
        }


def summarise(
    seed: int,
    states: Sequence[ArbitrageState],
    refused: Mapping[str, int],
    ledgers: Mapping[str, Ledger],
    audit: Audit,
    problems: Sequence[str],
) -> Summary:
    """Everything together; a problem of an act counts as a violation."""
    trades = Counter(str(state.status or state.phase) for state in states)
    naked = [seconds for state in states if (seconds := naked_seconds(state, ledgers)) > 0]
    latencies = signal_to_send(states, ledgers)
    drift = audit.drift
    return Summary(
        seed=seed,
        trades=dict(sorted(trades.items())),
        refused=dict(sorted(refused.items())),
        orders_sent=audit.orders_sent,
        duplicate_orders=audit.duplicate_orders,
        naked_seconds={"p50": percentile(naked, 50), "max": percentile(naked, 100)},
        signal_to_send_ms={"p50": percentile(latencies, 50), "p99": percentile(latencies, 99)},
        ledger_drift_usd=f"{float(drift):.6f}" if drift else "0",
        violations=[*problems, *audit.violations],
    )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile, rounded to a thousandth; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(-(-len(ordered) * percent // 100), 1)
    return round(ordered[rank - 1], 3)


def signal_to_send(states: Sequence[ArbitrageState], ledgers: Mapping[str, Ledger]) -> list[float]:
    """Milliseconds from the later book being read to the later entry's first byte at its
    exchange; both are this machine's wall clock."""
    arrived = {
        order_key(order): int(str(order["first_byte_ns"]))
        for ledger in ledgers.values()
        for order in _orders(ledger)
    }
    found = []
    for state in states:
        bytes_ns = [
            arrived[intent.identity.key]
            for intent in state.intents
            if intent.order.purpose == "entry" and intent.identity.key in arrived
        ]
        if len(bytes_ns) == 2:
            found.append((max(bytes_ns) - state.opportunity.seen_ns) / NS_PER_MS)
    return found


def naked_seconds(state: ArbitrageState, ledgers: Mapping[str, Ledger]) -> float:
    """Seconds during which one side was held and the other not, by the exchanges' own fills.

    A fill that was voided in the end never counted: what it seemed to hedge was naked.
    """
    keys = {intent.identity.key for intent in state.intents}
    moves: list[tuple[int, str, Fraction]] = []
    for venue, ledger in ledgers.items():
        for order in _orders(ledger):
            if order_key(order) in keys:
                moves += [(at, venue, size) for at, size in _moves(order)]
    moves.sort()
    held = dict.fromkeys(ledgers, Fraction(0))
    naked_ns, since = 0, 0
    for at_ns, venue, size in moves:
        if _naked(held):
            naked_ns += at_ns - since
        held[venue] += size
        since = at_ns
    return naked_ns / NS


def _naked(held: Mapping[str, Fraction]) -> bool:
    return (min(held.values()) <= DUST) and (max(held.values()) > DUST)


def _moves(order: Mapping[str, object]) -> list[tuple[int, Fraction]]:
    sign = 1 if order["action"] == "buy" else -1
    fills = order["fills"]
    assert isinstance(fills, list), "the simulator lists the fills of an order"
    return [
        (int(fill["ts_ns"]), sign * Fraction(fill["size"]))
        for fill in fills
        if fill["state"] != "FAILED"
    ]


def _orders(ledger: Ledger) -> list[Mapping[str, object]]:
    orders = ledger["orders"]
    assert isinstance(orders, list), "the simulator lists its orders"
    return orders
