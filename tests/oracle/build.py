"""Small worlds written by hand: every ending once, all of it sound until a test breaks it."""

import hashlib
import json
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.oracle.told import amount
from tests.oracle.world import (
    MICRO,
    MS_NS,
    OTHER,
    TABLES,
    Answered,
    Received,
    Rules,
    Sent,
    Shown,
    World,
    read_ledgers,
)

T0 = 1_795_000_000_000
DAY = "2026-11-18"
SIZE = 20
PRICES = {"polymarket": "0.5", "kalshi": "0.42"}
FEES = {"polymarket": "0.25", "kalshi": "0.3411"}
BOUNDS = {"polymarket": "0.30", "kalshi": "0.3631"}
END_WORDS = {"FLAT": "Rolled back", "SETTLED": "Paid out"}
OUTCOMES = {"polymarket": "yes", "kalshi": "no"}
LAGS = {"polymarket": 120, "kalshi": 0}
Row = dict[str, Any]


def micros(amount: str) -> int:
    """An amount as the journal stores it."""
    return int(Decimal(amount) * MICRO)


class Story:
    """Ledgers and journal that grow step by step. `clock` is in milliseconds."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLES}
        self.ledgers: dict[str, Row] = {
            venue: {
                "start_cash": "10000", "cash": "10000", "conserved": True, "duplicates": 0,
                "positions": [], "entries": [], "orders": [],
            }
            for venue in OTHER
        }  # fmt: skip
        self.clock = T0
        self._trades = 0
        self.sent: list[Sent] = []
        self.chat: list[Received] = []
        self.process = 11
        for venue in OTHER:
            self.take_lease(venue, 1)
        self.save_settings(1, enabled=False)
        self.save_settings(2, enabled=True)

    def tick(self, milliseconds: int = 100) -> int:
        """Let time pass; returns the time now."""
        self.clock += milliseconds
        return self.clock

    def save_settings(self, version: int, *, enabled: bool) -> None:
        """An operator saves settings; the audit row is sealed."""
        at_ms = self.tick(1_000)
        settings = {
            "enabled": enabled, "max_bet": "20", "max_daily_loss": "100", "max_daily_trades": 50,
        }  # fmt: skip
        self.tables["settings_history"].append(
            {"version": version, "at_ms": at_ms, "actor": "eve", "settings": json.dumps(settings)}
        )
        if version > 1:
            self.seal("save_settings", f"settings/{version}")

    def seal(self, action: str, subject: str, actor: str = "eve", detail: str = "{}") -> None:
        """Append one row to the audit chain."""
        rows = self.tables["audit"]
        row = {
            "at_ms": self.clock, "actor": actor, "origin": "cli", "action": action,
            "subject": subject, "detail": detail,
        }  # fmt: skip
        previous = rows[-1]["hash"] if rows else "0" * 64
        text = json.dumps(
            {**row, "previous": previous}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        seal = hashlib.sha256(text.encode()).hexdigest()
        rows.append({**row, "id": len(rows) + 1, "previous_hash": previous, "hash": seal})

    def take_lease(self, venue: str, epoch: int) -> None:
        """A process takes an account."""
        holder, detail = f"executor-{self.clock}-{self.process}", json.dumps({"epoch": epoch})
        self.seal("take_lease", f"{venue}/account", holder, detail)

    def admit(self, name: str, bounds: str = "{}") -> str:
        """The gate lets an arbitrage in and writes both entries; returns its id."""
        at_ms, arb_id = self.tick(), f"arb-{name}"
        bounds = json.dumps({"deadline_ms": 2_000, "book_skew_ms_max": 500} | json.loads(bounds))
        outlays = {venue: SIZE * Decimal(PRICES[venue]) + Decimal(BOUNDS[venue]) for venue in OTHER}
        plan = {
            venue: {"size": str(SIZE), "limit": PRICES[venue], "fee_bound": BOUNDS[venue],
                    "outlay": str(outlays[venue]), "book_at_ms": at_ms - 210,
                    "book_lag_ms": LAGS[venue]}
            for venue in OTHER
        }  # fmt: skip
        outlay = str(sum(outlays.values()))
        profit = str(SIZE - Decimal(outlay))
        self.tables["arbitrages"].append(
            {
                "id": arb_id, "pair_id": name, "direction": "yes", "phase": "PLACING",
                "settings_version": 2, "size_micro": SIZE * MICRO, "reason": None,
                "outlay_micro": micros(outlay), "profit_micro": micros(profit),
                "opportunity": json.dumps(
                    {**plan, "outlay": outlay, "profit": profit, "seen_ns": (at_ms - 80) * MS_NS}
                ),
                "opened_ms": at_ms, "closed_ms": None, "realised_micro": None,
            }
        )  # fmt: skip
        self.tables["reservations"].append(
            {"arb_id": arb_id, "mode": "sim", "day": DAY, "worst_loss_micro": 2_500_000,
             "state": "held", "held_ms": at_ms, "ended_ms": None}
        )  # fmt: skip
        self.event(arb_id, "reserved", {"bounds": bounds})
        for venue in OTHER:
            self.intend(arb_id, venue, "entry", SIZE, PRICES[venue])
        return arb_id

    def intend(self, arb_id: str, venue: str, purpose: str, size: int, limit: str) -> Row:
        """Write an order down."""
        number = 1 + sum(row["arb_id"] == arb_id for row in self.tables["intents"])
        row = {
            "id": f"{arb_id}/{venue}/{purpose}/{number}", "arb_id": arb_id, "venue": venue,
            "purpose": purpose, "action": "buy" if purpose == "entry" else "sell",
            "outcome": OUTCOMES[venue], "size_micro": size * MICRO, "limit_micro": micros(limit),
            "time_in_force": "fill_or_kill", "key": f"key-{arb_id}-{venue}-{number}",
            "not_after_ms": self.clock + 2_000, "settings_version": 2, "epoch": 1,
            "state": "planned", "sent_ms": None, "answered_ms": None, "rejection": None,
        }  # fmt: skip
        self.tables["intents"].append(row)
        return row

    def send(self, intent: Row, *, arrives: bool = True) -> Row:
        """Mark an order as sent; its first byte arrives a millisecond later."""
        intent["state"], intent["sent_ms"] = "sent", self.tick(5)
        pair = intent["arb_id"].removeprefix("arb-")
        order = {
            "client_id": intent["key"], "order_id": intent["key"], "pair": pair,
            "outcome": intent["outcome"], "action": intent["action"],
            "size": str(intent["size_micro"] // MICRO),
            "limit": str(Decimal(intent["limit_micro"]) / MICRO), "tif": "FOK",
            "first_byte_ns": self.tick(1) * MS_NS, "reached_matching": True, "state": "killed",
            "fills": [],
        }  # fmt: skip
        if arrives:
            self.sent.append(Sent(intent["venue"], self.clock, self.process))
            self.ledgers[intent["venue"]]["orders"].append(order)
        return order

    def fill(self, intent: Row, order: Row, fee: str, state: str = "confirmed") -> Row:
        """The exchange matches the order whole, and the journal books the trade."""
        self._trades += 1
        at_ms, buying = self.tick(1), intent["action"] == "buy"
        trade_id, size = f"trade-{self._trades}", Decimal(order["size"])
        notional = size * Decimal(order["limit"])
        trade = {
            "trade_id": trade_id, "price": order["limit"], "size": order["size"], "fee": fee,
            "state": "CONFIRMED", "ts_ns": at_ms * MS_NS,
        }  # fmt: skip
        order["fills"].append(trade)
        order["state"] = "MATCHED"
        self.book(intent, trade_id, (-notional if buying else notional) - Decimal(fee))
        self.hold(intent, size if buying else -size)
        row = {
            "venue": intent["venue"], "trade_id": trade_id, "intent_id": intent["id"],
            "action": intent["action"], "size_micro": micros(order["size"]),
            "notional_micro": micros(str(notional)), "fee_micro": micros(fee), "state": state,
            "at_ms": at_ms, "state_ms": at_ms,
        }  # fmt: skip
        self.tables["fills"].append(row)
        intent["state"], intent["answered_ms"] = "filled", self.tick(1)
        return row

    def void(self, intent: Row, order: Row, fill: Row) -> None:
        """The chain undoes the trade, and the journal follows."""
        at_ms = self.tick()
        trade = order["fills"][0]
        trade["state"] = "FAILED"
        back = (Decimal(fill["notional_micro"]) + fill["fee_micro"]) / MICRO
        self.book(intent, trade["trade_id"], back, kind="void")
        self.hold(intent, -Decimal(trade["size"]))
        fill["state"], fill["state_ms"] = "voided", at_ms + 50
        self.clock += 60

    def refuse(self, intent: Row) -> None:
        """The exchange kills the order."""
        intent["state"], intent["rejection"] = "not_filled", "fok_not_filled"
        intent["answered_ms"] = self.tick(1)

    def book(self, intent: Row, ref: str, cash: Decimal, kind: str = "trade") -> None:
        """One entry in an exchange's ledger."""
        ledger = self.ledgers[intent["venue"]]
        ledger["entries"].append(
            {"kind": kind, "cash": str(cash), "ref": ref, "ts_ns": self.clock * MS_NS}
        )
        ledger["cash"] = str(Decimal(ledger["cash"]) + cash)

    def hold(self, intent: Row, size: Decimal) -> None:
        """Change the position at an exchange."""
        pair = intent["arb_id"].removeprefix("arb-")
        positions = self.ledgers[intent["venue"]]["positions"]
        asset = (pair, intent["outcome"])
        known = [row for row in positions if (row["pair"], row["outcome"]) == asset]
        left = size + sum(Decimal(row["size"]) for row in known)
        for row in known:
            positions.remove(row)
        if left:
            positions.append({"pair": pair, "outcome": intent["outcome"], "size": str(left)})

    def event(self, arb_id: str, kind: str, detail: Row) -> None:
        """One event of an arbitrage; a phase in it becomes that of the row."""
        rows = self.tables["events"]
        revision = 1 + sum(row["arb_id"] == arb_id for row in rows)
        rows.append({"arb_id": arb_id, "revision": revision, "at_ms": self.tick(1), "kind": kind,
                     "detail": json.dumps(detail)})  # fmt: skip
        row = self.row("arbitrages", arb_id)
        row["phase"] = detail.get("phase", row["phase"])

    def row(self, table: str, name: str) -> Row:
        """A row by its id, or by that of its arbitrage."""
        key = "id" if table in ("arbitrages", "intents") else "arb_id"
        return next(row for row in self.tables[table] if row[key] == name)

    def lock(self, arb_id: str, guaranteed: str, status: str = "SUCCESS") -> None:
        """Both legs are held, or one that is neutral in itself."""
        self.event(arb_id, "locked", {"phase": "HOLDING", "guaranteed": guaranteed})
        self.release(arb_id)
        row = {"arb_id": arb_id, "pnl_micro": micros(guaranteed), "status": status}
        self.tables["executor_trades"].append(row)

    def end(self, arb_id: str, phase: str, result: str) -> None:
        """The arbitrage is over."""
        self.event(arb_id, "concluded", {"phase": phase})
        self.release(arb_id)
        row = self.row("arbitrages", arb_id)
        row["reason"], row["closed_ms"] = "over", self.clock
        row["realised_micro"] = micros(result)
        self.tell(f"trade/{arb_id}/9", f"{END_WORDS[phase]} · {amount(micros(result))} · {arb_id}")

    def release(self, arb_id: str) -> None:
        """Nothing is at risk any more."""
        reservation = self.row("reservations", arb_id)
        reservation["state"], reservation["ended_ms"] = "settled", self.clock

    def tell(self, key: str, text: str) -> None:
        """A message was written down and arrived in a person's chat."""
        self.tables["outbox"].append(
            {"id": len(self.tables["outbox"]) + 1, "dedupe_key": key, "sent_ms": self.clock}
        )
        self.chat.append(Received(len(self.chat) + 1, (text,)))

    def alarm(self, arb_id: str, detail: str) -> Row:
        """An alarm opens."""
        rows = self.tables["alarms"]
        row = {"id": len(rows) + 1, "arb_id": arb_id, "code": "UNHEDGED", "detail": detail,
               "opened_ms": self.clock, "closed_ms": None}  # fmt: skip
        rows.append(row)
        self.tell(f"alarm/{row['id']}/0", f"UNHEDGED · {arb_id} · Alarm {row['id']}")
        return row

    def sell(self, arb_id: str, venue: str, limit: str, fee: str) -> Row:
        """One whole sale of a leg, under an alarm that closes with it."""
        self.event(arb_id, "phase", {"phase": "UNWINDING"})
        alarm = self.alarm(arb_id, f"{venue} holds {SIZE}, the other 0")
        sale = self.intend(arb_id, venue, "unwind", SIZE, limit)
        self.fill(sale, self.send(sale), fee)
        alarm["closed_ms"] = self.clock
        self.tell(f"alarm/{alarm['id']}/closed", f"OVER — UNHEDGED · Alarm {alarm['id']}")
        return sale

    def world(self, *, sinks: tuple[Path, ...] = ()) -> World:
        """What the judge sees of it now."""
        reserved = sum(
            row["worst_loss_micro"] for row in self.tables["reservations"] if row["state"] == "held"
        )
        tables = deepcopy(self.tables)
        tables["risk_days"] = [{"mode": "sim", "day": DAY, "reserved_loss_micro": reserved}]
        shown = Shown(
            {r["id"]: r["phase"] for r in tables["arbitrages"] if r["closed_ms"] is None},
            {
                r["arb_id"]: (r["status"], Fraction(r["pnl_micro"], MICRO))
                for r in tables["executor_trades"]
            },
            enabled=bool(json.loads(tables["settings_history"][-1]["settings"])["enabled"]),
            version=tables["settings_history"][-1]["version"],
        )
        running = frozenset(r["id"] for r in tables["arbitrages"] if r["closed_ms"] is None)
        return World(
            accounts=read_ledgers(deepcopy(self.ledgers)),
            tables=tables,
            rules=Rules(quarantine_ms=2_000),
            at_ms=self.clock,
            workflows=running,
            secrets=(b"canary",),
            sent=tuple(self.sent),
            stops=(Answered("disable", self.clock, self.clock + 1_000),),
            replays=dict.fromkeys(running),
            shown={"socket": shown, "api": shown},
            sinks=sinks,
            received=tuple(self.chat),
        )
