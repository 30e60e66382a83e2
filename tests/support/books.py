"""Do the simulated exchanges and the journal tell the same story, to the micro-dollar?

Both are read as they lie on disk and on the wire, and summed in whole micro-units with arithmetic
of this module's own: nothing of the product adds up its own books here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from store.place import Place
from tests.support.places import snapshot
from tests.support.trading import Trading

DUST = 50_000
"""Micro-contracts that may stay behind: `domain.policy.Bounds.dust`."""
ENDS = ("FLAT", "SETTLED")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One market of a pair: its venue and the assets its ledger books it under."""

    venue: str
    pair: str
    assets: frozenset[str]


async def assert_books_balance(trading: Trading) -> None:
    """Every pair that the journal knows: cash, positions, orders, reservations and the day.

    Call it once nothing moves any more; provisional fills are an error here.
    """
    state: Mapping[str, Any] = await trading.control.state()
    listed = {str(pair["id"]): pair for pair in await trading.control.pairs()}
    journal = Journal.read(trading.database)
    for ledger in state.values():
        _ledger_conserves(ledger)
    for pair in {str(row["pair_id"]) for row in journal.arbitrages}:
        for side in _sides(listed[pair]):
            ledger = state[side.venue]
            _cash_agrees(journal, side, ledger)
            _positions_agree(journal, side, ledger)
            _orders_agree(journal, side, ledger)
    for arbitrage in journal.arbitrages:
        _ended_as_it_says(journal, arbitrage)
    _reservations_balance(journal)
    assert journal.halted == 0, "expected a journal without a conflict, found entries halted"


@dataclass(frozen=True, slots=True)
class Journal:
    """The rows of one database."""

    arbitrages: list[Row]
    intents: list[Row]
    fills: list[Row]
    payouts: list[Row]
    reservations: list[Row]
    days: list[Row]
    halted: int

    @classmethod
    def read(cls, where: Place) -> "Journal":
        """One consistent reading."""
        names = "arbitrages intents fills payouts reservations risk_days run_state"
        rows = snapshot(where, *names.split())
        return cls(
            arbitrages=rows["arbitrages"],
            intents=rows["intents"],
            fills=rows["fills"],
            payouts=rows["payouts"],
            reservations=rows["reservations"],
            days=rows["risk_days"],
            halted=rows["run_state"][0]["halted"],
        )

    def of(self, arb_id: str, venue: str) -> "Leg":
        """What the journal says of one leg."""
        intents = {r["id"]: r for r in self.intents if (r["arb_id"], r["venue"]) == (arb_id, venue)}
        fills = [r for r in self.fills if r["intent_id"] in intents]
        assert all(r["state"] != "provisional" for r in fills), f"{arb_id}: fills not final"
        counted = [r for r in fills if r["state"] == "confirmed"]
        signs = [(1 if r["action"] == "buy" else -1, r) for r in counted]
        (yes,) = (r["direction"] == "yes" for r in self.arbitrages if r["id"] == arb_id)
        own = "yes" if yes == (venue == "polymarket") else "no"
        other = [r for r in counted if intents[r["intent_id"]]["outcome"] != own]
        return Leg(
            cash=sum(-sign * r["notional_micro"] - r["fee_micro"] for sign, r in signs),
            held=sum(sign * r["size_micro"] for sign, r in signs),
            opposite=sum(r["size_micro"] for r in other),
            paid_out=sum(
                r["amount_micro"]
                for r in self.payouts
                if (r["arb_id"], r["venue"]) == (arb_id, venue)
            ),
        )

    def upside(self, arbitrage: Row) -> int:
        """Micro-contracts that orders at Polymarket returned beyond their own sizes."""
        bets = (arbitrage["id"], "polymarket", "buy", arbitrage["direction"])
        beyond = 0
        for one in self.intents:
            if (one["arb_id"], one["venue"], one["action"], one["outcome"]) == bets:
                mine = [fill for fill in self.fills if fill["intent_id"] == one["id"]]
                filled = sum(f["size_micro"] for f in mine if f["state"] == "confirmed")
                beyond += max(filled - one["size_micro"], 0)
        return beyond

    def on(self, pair: str) -> list[Row]:
        """The arbitrages on one pair."""
        return [row for row in self.arbitrages if row["pair_id"] == pair]


@dataclass(frozen=True, slots=True)
class Leg:
    """Micro-dollars that fills moved, micro-contracts they left of both outcomes and of the other
    one alone, micro-dollars paid out."""

    cash: int
    held: int
    opposite: int
    paid_out: int

    @property
    def exposed(self) -> int:
        """Contracts of the leg's outcome that no contract of the other one stands beside."""
        own = self.held - self.opposite
        return own - min(own, self.opposite)


def _sides(listed: Mapping[str, Any]) -> tuple[Side, Side]:
    pair, there, here = str(listed["id"]), listed["polymarket"], listed["kalshi"]
    tokens = frozenset({str(there["token_yes"]), str(there["token_no"])})
    return Side("polymarket", pair, tokens), Side("kalshi", pair, frozenset({str(here["ticker"])}))


def _ledger_conserves(ledger: Mapping[str, Any]) -> None:
    booked = sum(_micro(entry["cash"]) for entry in ledger["entries"])
    assert _micro(ledger["cash"]) == _micro(ledger["start_cash"]) + booked
    assert ledger["conserved"] is True


def _cash_agrees(journal: Journal, side: Side, ledger: Mapping[str, Any]) -> None:
    trades = {f["trade_id"] for o in _orders(side, ledger) for f in o["fills"]}
    moved = sum(
        _micro(entry["cash"])
        for entry in ledger["entries"]
        if entry["asset"] in side.assets or entry["ref"] in trades
    )
    legs = [journal.of(row["id"], side.venue) for row in journal.on(side.pair)]
    told = sum(leg.cash + leg.paid_out for leg in legs)
    assert moved == told, f"{side.venue} {side.pair}: its cash moved {moved}, the journal {told}"


def _positions_agree(journal: Journal, side: Side, ledger: Mapping[str, Any]) -> None:
    held = sum(
        _micro(row["size"]) + _micro(row.get("pending", 0))
        for row in ledger["positions"]
        if row["asset"] in side.assets
    )
    settled = any(row["phase"] == "SETTLED" for row in journal.on(side.pair))
    legs = [journal.of(row["id"], side.venue) for row in journal.on(side.pair)]
    told = 0 if settled else sum(leg.held for leg in legs)
    assert held == told, f"{side.venue} {side.pair}: it holds {held}, the journal {told}"


def _orders_agree(journal: Journal, side: Side, ledger: Mapping[str, Any]) -> None:
    """One order per intent at most, each written down before its first byte, none unknown."""
    mine = {row["id"] for row in journal.on(side.pair)}
    intents = {
        row["key"]: row
        for row in journal.intents
        if row["arb_id"] in mine and row["venue"] == side.venue
    }
    seen: Counter[str] = Counter()
    for order in _orders(side, ledger):
        key = order["order_id"] if side.venue == "polymarket" else order["client_id"]
        seen[key] += 1
        assert key in intents, f"{side.venue}: order {key} has no intent"
        sent_ms = intents[key]["sent_ms"]
        assert sent_ms is not None, f"{intents[key]['id']} arrived and was never marked as sent"
        assert sent_ms <= order["first_byte_ns"] // 1_000_000 + 1
        filled = sum(_micro(f["size"]) for f in order["fills"] if f["state"] != "FAILED")
        told = sum(
            row["size_micro"]
            for row in journal.fills
            if row["intent_id"] == intents[key]["id"] and row["state"] == "confirmed"
        )
        assert filled == told, f"{intents[key]['id']}: {side.venue} filled {filled}, we say {told}"
    assert all(times == 1 for times in seen.values()), f"orders sent twice: {seen}"


def _orders(side: Side, ledger: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [order for order in ledger["orders"] if order["pair"] == side.pair]


def _ended_as_it_says(journal: Journal, arbitrage: Row) -> None:
    legs = {venue: journal.of(arbitrage["id"], venue) for venue in ("polymarket", "kalshi")}
    for venue, leg in legs.items():
        assert leg.held >= 0, f"{arbitrage['id']} holds {leg.held} at {venue}"
        if arbitrage["phase"] == "FLAT":
            assert leg.held <= DUST, f"{arbitrage['id']} is flat and holds {leg.held} at {venue}"
    if arbitrage["phase"] == "SETTLED":
        paid = {row["venue"] for row in journal.payouts if row["arb_id"] == arbitrage["id"]}
        holding = {venue for venue, leg in legs.items() if leg.held > 0}
        assert paid == holding, f"{arbitrage['id']} holds at {holding}, was paid at {paid}"
    if arbitrage["phase"] == "HOLDING":
        gap = legs["polymarket"].exposed - legs["kalshi"].exposed
        whole = legs["kalshi"].held == arbitrage["size_micro"]
        better = journal.upside(arbitrage) if whole else 0
        assert -DUST <= gap <= better + DUST, f"{arbitrage['id']} is not hedged: {legs}"
    if arbitrage["phase"] in ENDS:
        result = sum(leg.cash + leg.paid_out for leg in legs.values())
        assert arbitrage["realised_micro"] == result
        assert arbitrage["closed_ms"] is not None
        own = [row for row in journal.intents if row["arb_id"] == arbitrage["id"]]
        assert all(row["state"] in ("filled", "not_filled") for row in own)


def _reservations_balance(journal: Journal) -> None:
    """What the day has at risk is what arbitrages still hold, or hold only provisionally, and its
    losses are theirs."""
    phases = {row["id"]: row["phase"] for row in journal.arbitrages}
    held = {row["arb_id"]: row for row in journal.reservations if row["state"] == "held"}
    matched = {row["intent_id"] for row in journal.fills if row["state"] == "provisional"}
    open_ones = {row["arb_id"] for row in journal.intents if row["id"] in matched}
    over = {one for one in held if phases[one] in ENDS}
    ended = over | {one for one in held if phases[one] == "HOLDING" and one not in open_ones}
    assert not ended, f"reservations without risk: {ended}"
    at_risk = sum(row["worst_loss_micro"] for row in held.values())
    assert at_risk == sum(row["reserved_loss_micro"] for row in journal.days)
    losses = sum(_certain_loss(journal, row) for row in journal.arbitrages if row["id"] not in held)
    assert losses == sum(row["realised_loss_micro"] for row in journal.days)


def _certain_loss(journal: Journal, arbitrage: Row) -> int:
    """Micro-dollars that are gone whatever happens: its result, or while the pair is held what no
    answer to the question brings back."""
    if arbitrage["phase"] in ENDS:
        return max(0, -int(arbitrage["realised_micro"]))
    if arbitrage["phase"] not in ("HOLDING", "SETTLING"):
        return 0
    here, there = (journal.of(arbitrage["id"], venue) for venue in ("polymarket", "kalshi"))
    payout = min(
        here.held - here.opposite + there.opposite, there.held - there.opposite + here.opposite
    )
    return max(0, -(here.cash + there.cash + payout))


def alarms(where: Place, *, open_only: bool = True) -> Counter[str]:
    """How many alarms of each code the journal holds."""
    rows = snapshot(where, "alarms")["alarms"]
    return Counter(row["code"] for row in rows if not (open_only and row["closed_ms"]))


def _micro(amount: object) -> int:
    scaled = Decimal(str(amount)) * 1_000_000
    assert scaled == int(scaled), f"expected whole micro-units, found {amount}"
    return int(scaled)
