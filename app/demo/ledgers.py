"""Holds our journal against the exchanges' own ledgers: every cent, every contract, every order.

The arithmetic is its own: fractions over what both sides have written down.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlmodel import Session, select

from domain.order import FillState
from domain.venue import Action, Venue
from store.tables import ArbitrageRow, FillRow, IntentRow, PayoutRow

MICRO = 1_000_000
Ledger = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Audit:
    """What does not add up. `drift` is the sum of absolute differences in cash (dollars)."""

    drift: Fraction
    orders_sent: int
    duplicate_orders: int
    violations: tuple[str, ...]


def audit(session: Session, ledgers: Mapping[str, Ledger]) -> Audit:
    """Compare the journal with both ledgers, once nothing moves."""
    violations: list[str] = []
    drift = Fraction(0)
    sent = duplicates = 0
    for venue in Venue:
        ledger = ledgers[venue]
        ours = _cash_flow(session, venue)
        theirs = _amount(ledger["cash"]) - _amount(ledger["start_cash"])
        if ours != theirs:
            drift += abs(ours - theirs)
            violations.append(f"{venue}: cash moved {_show(theirs)}, journaled {_show(ours)}")
        if not ledger["conserved"]:
            violations.append(f"{venue}: its own ledger does not add up")
        violations += _positions(session, venue, ledger)
        orders = _rows(ledger, "orders")
        sent += len(orders)
        repeats = int(str(ledger["duplicates"])) + _repeated(orders)
        duplicates += repeats
        violations += _orders(session, venue, orders)
        if repeats:
            violations.append(f"{venue}: {repeats} orders were sent more than once")
    return Audit(drift, sent, duplicates, tuple(violations))


def _cash_flow(session: Session, venue: Venue) -> Fraction:
    """Dollars that our journal says went in (positive) or out of the account."""
    flow = 0
    for fill in session.exec(select(FillRow).where(FillRow.venue == venue)):
        if fill.state == FillState.VOIDED:
            continue
        sign = 1 if fill.action == Action.SELL else -1
        flow += sign * fill.notional_micro - fill.fee_micro
    for payout in session.exec(select(PayoutRow).where(PayoutRow.venue == venue)):
        flow += payout.amount_micro
    return Fraction(flow, MICRO)


def _positions(session: Session, venue: Venue, ledger: Ledger) -> list[str]:
    ours: Counter[tuple[str, str]] = Counter()
    resolved = set(session.exec(select(PayoutRow.arb_id).where(PayoutRow.venue == venue)))
    joined = (
        select(FillRow, IntentRow)
        .where(FillRow.intent_id == IntentRow.id)
        .where(FillRow.venue == venue, FillRow.state != FillState.VOIDED)
    )
    for fill, intent in session.exec(joined):
        if intent.arb_id not in resolved:
            sign = 1 if fill.action == Action.BUY else -1
            ours[intent.market, intent.outcome] += sign * fill.size_micro
    theirs: Counter[tuple[str, str]] = Counter()
    for held in _rows(ledger, "positions"):
        theirs[str(held["market"]), str(held["outcome"])] += int(_amount(held["size"]) * MICRO)
    return [
        f"{venue}: holds {Fraction(theirs[key], MICRO)} of {key}, journaled "
        f"{Fraction(ours[key], MICRO)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours[key] != theirs[key]
    ]


def _orders(session: Session, venue: Venue, orders: list[Mapping[str, object]]) -> list[str]:
    """Every order at the venue was written down before it, and is bounded by what was written."""
    known = {
        row.key: row for row in session.exec(select(IntentRow).where(IntentRow.venue == venue))
    }
    found: list[str] = []
    for order in orders:
        key = order_key(order)
        intent = known.get(key)
        if intent is None:
            found.append(f"{venue}: order {order['order_id']} is in no intent")
            continue
        if intent.sent_ms is None:
            found.append(f"{venue}: {intent.id} arrived but was never marked as sent")
        elif intent.sent_ms * 1_000_000 > int(str(order["first_byte_ns"])) + 1_000_000:
            found.append(f"{venue}: {intent.id} arrived before it was marked as sent")
    arbitrages = set(session.exec(select(ArbitrageRow.id)))
    found += [
        f"{row.id} belongs to no arbitrage"
        for row in known.values()
        if row.arb_id not in arbitrages
    ]
    return found


def order_key(order: Mapping[str, object]) -> str:
    """What an intent knows the order by: Kalshi's client order id, Polymarket's order hash."""
    return str(order["client_id"] or order["order_id"])


def _repeated(orders: list[Mapping[str, object]]) -> int:
    keys = Counter(order_key(order) for order in orders)
    return sum(number - 1 for number in keys.values())


def _rows(ledger: Ledger, name: str) -> list[Mapping[str, object]]:
    rows = ledger[name]
    assert isinstance(rows, list), f"the simulator lists its {name}"
    return rows


def _amount(value: object) -> Fraction:
    return Fraction(str(value))


def _show(value: Fraction) -> str:
    return f"${value.numerator / value.denominator:.6f}"
