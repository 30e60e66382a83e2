"""What the judge sees: both exchanges' ledgers and the rows of the journal, at one moment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

MICRO = 1_000_000
MS_NS = 1_000_000
VENUES = ("polymarket", "kalshi")
OTHER = {"polymarket": "kalshi", "kalshi": "polymarket"}
ENDS = ("REFUSED", "FLAT", "SETTLED")
FAILED = "FAILED"
TABLES = (
    "arbitrages events intents observations fills payouts reservations risk_days alarms outbox "
    "settings_history audit executor_trades executor_positions"
).split()
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """What was promised, and what is known about the run. Times are milliseconds.

    `outages` are the spans in which no executor could act; `slack_ms` is the width of a race
    between real processes; `void_ms` how soon a failed trade must count nothing; `asked_ms` how
    long an exchange may take to answer who asks for a book, which is as old as the question.
    """

    quarantine_ms: int = 90_000
    dust: Fraction = Fraction(5, 100)
    stopped_ms: int = 750
    slack_ms: int = 50
    void_ms: int = 1_000
    asked_ms: int = 1_000
    alarm_ms: int = 5_000
    acknowledged_ms: int = 1_000
    resolve_after_restart_ms: int = 15_000
    unknown_ms: int = 10_000
    rest_after_heal_ms: int = 120_000
    outages: tuple[tuple[int, int], ...] = ()
    healed_ms: int | None = None

    def down(self, start_ms: int, end_ms: int) -> int:
        """For how long within this span no executor could act."""
        spans = ((max(start_ms, a), min(end_ms, b)) for a, b in self.outages)
        return sum(max(end - start, 0) for start, end in spans)


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade of an order, as its exchange booked it. `cash` is what it moved in the end."""

    trade_id: str
    price: Fraction
    size: Fraction
    fee: Fraction
    state: str
    at_ns: int
    cash: Fraction
    void_ns: int | None

    def counts_at(self, at_ns: int, grace_ns: int = 0) -> bool:
        """Whether it was matched and not (yet) undone at this time; an undoing is known only
        after a grace."""
        undone = self.void_ns is not None and self.void_ns + grace_ns <= at_ns
        return self.at_ns <= at_ns and not undone


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as it arrived at an exchange. `key` is what an intent knows it by."""

    venue: str
    key: str
    pair: str
    outcome: str
    action: str
    size: Fraction
    limit: Fraction
    tif: str
    first_byte_ns: int
    reached_matching: bool
    state: str
    trades: tuple[Trade, ...]

    @property
    def filled(self) -> Fraction:
        """Contracts that stayed matched."""
        return sum((t.size for t in self.trades if t.state != FAILED), start=Fraction(0))


@dataclass(frozen=True, slots=True)
class Account:
    """One exchange's own books of our account, and the faults it was told to commit."""

    start: Fraction
    cash: Fraction
    conserved: bool
    duplicates: int
    positions: Mapping[tuple[str, str], Fraction]
    entries: tuple[Row, ...]
    orders: tuple[VenueOrder, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One order on the wire to an exchange, and the process that it came from, by its number."""

    venue: str
    at_ms: int
    process: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A stop that a person asked for, and when he was told that it holds."""

    what: str
    asked_ms: int
    told_ms: int


@dataclass(frozen=True, slots=True)
class Received:
    """One message in a person's chat, as his Telegram keeps it: every version of its text."""

    number: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What one reader of ours shows: phases of what is open, rows of the log, the settings.

    `trades` are (status, profit in dollars) by arbitrage, the newest ones.
    """

    positions: Mapping[str, str]
    trades: Mapping[str, tuple[str, Fraction]]
    enabled: bool
    version: int


@dataclass(frozen=True)
class World:
    """Everything there is to judge. `workflows` are the ids that run now, None if not asked;
    `secrets` must be in none of the `sinks`; `sent` what a network between saw; `replays` what
    each workflow's history broke when it was replayed, None for nothing; `shown` by reader;
    `received` what is in a person's chat, None where nobody is written to."""

    accounts: Mapping[str, Account]
    tables: Mapping[str, Sequence[Row]]
    rules: Rules = Rules()
    at_ms: int = 0
    workflows: frozenset[str] | None = None
    secrets: tuple[bytes, ...] = ()
    sinks: tuple[Path, ...] = ()
    markets: Mapping[str, Row] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    stops: tuple[Answered, ...] = ()
    replays: Mapping[str, str | None] = field(default_factory=dict)
    shown: Mapping[str, Shown] = field(default_factory=dict)
    received: tuple[Received, ...] | None = None
    _indexes: dict[tuple[str, str], Mapping[object, Sequence[Row]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def rows(self, table: str) -> Sequence[Row]:
        """All rows of a table."""
        return self.tables.get(table, ())

    def rows_of(self, table: str, column: str, key: object) -> Sequence[Row]:
        """The rows of a table that have this in a column. Each column is gone through once: a soak
        leaves thousands of arbitrages, and every check asks for the rows of each."""
        if (table, column) not in self._indexes:
            found: dict[object, list[Row]] = {}
            for row in self.rows(table):
                found.setdefault(row[column], []).append(row)
            self._indexes[table, column] = found
        return self._indexes[table, column].get(key, ())

    @cached_property
    def orders(self) -> tuple[VenueOrder, ...]:
        """The orders of both exchanges by the time of their first byte."""
        both = [order for account in self.accounts.values() for order in account.orders]
        return tuple(sorted(both, key=lambda order: order.first_byte_ns))

    @cached_property
    def intent_of(self) -> Mapping[tuple[str, str], Row]:
        """The intent behind (venue, key)."""
        return {(row["venue"], row["key"]): row for row in self.rows("intents")}

    @cached_property
    def arbitrage_of(self) -> Mapping[str, Row]:
        """Arbitrages by id."""
        return {row["id"]: row for row in self.rows("arbitrages")}

    @cached_property
    def admitted(self) -> tuple[Row, ...]:
        """The arbitrages that the gate let in."""
        return tuple(row for row in self.rows("arbitrages") if row["phase"] != "REFUSED")

    @cached_property
    def orders_by_arbitrage(self) -> Mapping[str, tuple[tuple[VenueOrder, Row], ...]]:
        """Every order that arrived, with its intent, by arbitrage."""
        found: dict[str, list[tuple[VenueOrder, Row]]] = {}
        for order in self.orders:
            intent = self.intent_of.get((order.venue, order.key))
            if intent is not None:
                found.setdefault(intent["arb_id"], []).append((order, intent))
        return {arb_id: tuple(both) for arb_id, both in found.items()}

    def fills_of(self, arb_id: str) -> list[Row]:
        """What the journal booked of an arbitrage's orders."""
        mine = self.rows_of("intents", "arb_id", arb_id)
        return [fill for one in mine for fill in self.rows_of("fills", "intent_id", one["id"])]

    def outcome(self, arb_id: str, venue: str) -> str:
        """What an arbitrage bets on at a venue."""
        yes_at_polymarket = self.arbitrage_of[arb_id]["direction"] == "yes"
        return "yes" if yes_at_polymarket == (venue == "polymarket") else "no"

    def held(
        self, arb_id: str, venue: str, at_ns: int | None = None, *, known: bool = False
    ) -> Fraction:
        """Contracts of a leg that depend on the answer, then or in the end: beside which none of
        the other outcome stands."""
        own, other = self.contracts(arb_id, venue, at_ns, known=known)
        return own - max(min(own, other), Fraction(0))

    def contracts(
        self, arb_id: str, venue: str, at_ns: int | None = None, *, known: bool = False
    ) -> tuple[Fraction, Fraction]:
        """Contracts of an arbitrage that an exchange says are ours, of the leg's outcome and of
        the other one, then or in the end. `known`: as far as we had to know."""
        found = {"yes": Fraction(0), "no": Fraction(0)}
        for order, _ in self.orders_by_arbitrage.get(arb_id, ()):
            if order.venue != venue:
                continue
            sign = 1 if order.action == "buy" else -1
            for trade in order.trades:
                counts = self.counts(trade, at_ns, known=known)
                found[order.outcome] += sign * trade.size if counts else 0
        own = self.outcome(arb_id, venue)
        return found[own], found["no" if own == "yes" else "yes"]

    def counts(self, trade: Trade, at_ns: int | None, *, known: bool = False) -> bool:
        """Whether a trade stands, then or in the end. `known`: as far as we knew, or had to: a
        failure on the chain is known some time after it, in which an executor has to be there."""
        if at_ns is None:
            return trade.state != FAILED
        grace_ms, at_ms = 0, at_ns // MS_NS
        if known and trade.void_ns is not None:
            rows = self.rows_of("fills", "trade_id", trade.trade_id)
            if not any(row["state"] == "voided" and row["state_ms"] <= at_ms for row in rows):
                down_ms = self.rules.down(trade.void_ns // MS_NS, at_ms)
                grace_ms = self.rules.void_ms + down_ms
        return trade.counts_at(at_ns, grace_ms * MS_NS)

    def events(self, arb_id: str) -> list[tuple[Row, Mapping[str, Any]]]:
        """The events of an arbitrage with their details, oldest first."""
        rows = sorted(self.rows_of("events", "arb_id", arb_id), key=lambda row: row["revision"])
        return [(row, json.loads(row["detail"])) for row in rows]

    def settings(self, version: int) -> Mapping[str, Any] | None:
        """The settings of a version, None where there is none (S10 says so)."""
        for row in self.rows("settings_history"):
            if row["version"] == version:
                settings: Mapping[str, Any] = json.loads(row["settings"])
                return settings
        return None


def read_ledgers(state: Mapping[str, Row]) -> dict[str, Account]:
    """Both accounts from the control server's state, by venue."""
    return {venue: _account(venue, state[venue]) for venue in VENUES}


def _account(venue: str, ledger: Row) -> Account:
    entries = tuple(ledger["entries"])
    cash: dict[str, Fraction] = {}
    voids: dict[str, int] = {}
    for entry in entries:
        cash[entry["ref"]] = cash.get(entry["ref"], Fraction(0)) + Fraction(entry["cash"])
        if entry["kind"] == "void":
            voids[entry["ref"]] = entry["ts_ns"]
    positions: dict[tuple[str, str], Fraction] = {}
    for row in ledger["positions"]:
        size = Fraction(row["size"]) + Fraction(row.get("pending", "0"))
        if size:
            positions[row["pair"], row["outcome"]] = size
    return Account(
        start=Fraction(ledger["start_cash"]),
        cash=Fraction(ledger["cash"]),
        conserved=bool(ledger["conserved"]),
        duplicates=int(ledger["duplicates"]),
        positions=positions,
        entries=entries,
        orders=tuple(_order(venue, row, cash, voids) for row in ledger["orders"]),
        faults=tuple(row["fault"] for row in ledger["orders"] if row.get("fault")),
    )


def _order(
    venue: str, row: Row, cash: Mapping[str, Fraction], voids: Mapping[str, int]
) -> VenueOrder:
    trades = tuple(
        Trade(
            trade_id=fill["trade_id"],
            price=Fraction(fill["price"]),
            size=Fraction(fill["size"]),
            fee=Fraction(fill["fee"]),
            state=fill["state"],
            at_ns=fill["ts_ns"],
            cash=cash.get(fill["trade_id"], Fraction(0)),
            void_ns=voids.get(fill["trade_id"]),
        )
        for fill in row["fills"]
    )
    return VenueOrder(
        venue=venue,
        key=row["client_id"] or row["order_id"],
        pair=row["pair"],
        outcome=row["outcome"],
        action=row["action"],
        size=Fraction(row["size"]),
        limit=Fraction(row["limit"]),
        tif=row["tif"],
        first_byte_ns=row["first_byte_ns"],
        reached_matching=row["reached_matching"],
        state=row["state"],
        trades=trades,
    )


def micro(value: int) -> Fraction:
    """An amount of the journal; a float there is judged by S13 and read for what it is."""
    return Fraction(value) / MICRO


def show(value: Fraction) -> str:
    """A fraction for a person, six decimals."""
    return f"{float(value):.6f}"
