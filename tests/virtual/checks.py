"""What must hold after every step and at the end, by this file's own arithmetic."""

from collections.abc import Mapping

from activities.messages import ArbitrageInput
from domain.order import FillState, Order, Purpose
from domain.standing import Standing
from domain.trade import Phase
from domain.venue import Action, Venue
from tests.virtual.exchange import ONE, Exchange, micro
from tests.virtual.ledger import Ledger, Row
from tests.virtual.script import Script
from tests.virtual.server import Broken
from workflows.snapshot import Snapshot

LEGAL = {
    "": "PLACING RESOLVING UNWINDING HOLDING CLOSING NEEDS_OPERATOR FLAT",
    "RESOLVING": "UNWINDING HOLDING CLOSING NEEDS_OPERATOR FLAT",
    "UNWINDING": "RESOLVING HOLDING CLOSING NEEDS_OPERATOR FLAT",
    "HOLDING": "RESOLVING UNWINDING CLOSING NEEDS_OPERATOR SETTLING FLAT",
    "CLOSING": "RESOLVING HOLDING NEEDS_OPERATOR FLAT",
    "NEEDS_OPERATOR": "RESOLVING UNWINDING HOLDING CLOSING SETTLING FLAT",
    "SETTLING": "RESOLVING NEEDS_OPERATOR SETTLED",
    "FLAT": "",
    "SETTLED": "",
}
"""The phases that may be recorded after each other, written down here a second time."""
DEFINITE = ("filled", "not_filled")


class Checks:
    """The judge of one run."""

    def __init__(
        self,
        plan: ArbitrageInput,
        script: Script,
        ledger: Ledger,
        exchanges: Mapping[Venue, Exchange],
    ) -> None:
        self._plan, self._script = plan, script
        self._ledger, self._exchanges = ledger, exchanges
        self._one, self._other = exchanges.values()
        self._seen = -1
        self._within: set[str] = set()
        self._phase = ""
        self._free = False
        self._by_hand = False
        self._dust = micro(plan.bounds.dust)
        dearer = max(
            micro(leg.outlay) for leg in (plan.opportunity.polymarket, plan.opportunity.kalshi)
        )
        self._budget = dearer // 4

    def hear(self, word: str) -> None:
        """A person's word changes what may be expected."""
        self._free = self._free or word in ("close", "cancel", "hold", "mark")
        self._by_hand = self._by_hand or word == "mark"

    def first_byte(self, order: Order) -> None:
        """Asked when the first byte of an order leaves."""
        if order.purpose is Purpose.ENTRY:
            return
        others = [row for row in self._ledger.rows.values() if row.order is not order]
        for row in others:
            if row.order.intent_id != order.intent_id and str(row.state) not in DEFINITE:
                raise Broken(f"{order.intent_id} leaves while {row.order.intent_id} is unknown")
        for exchange in self._exchanges.values():
            strict = order.purpose is not Purpose.CLOSE or exchange.venue is order.venue
            if strict and self._open_fills(exchange):
                raise Broken(f"{order.intent_id} leaves while fills are provisional")
        exchange = self._exchanges[order.venue]
        if exchange.resolution is not None:
            return  # it pays for what is held, and takes no order any more
        if exchange.other(order):
            self._may_neutralise(order, exchange)
        elif order.action is Action.SELL and micro(order.size) > exchange.exposed:
            raise Broken(f"{order.intent_id} sells more than is held")

    def _may_neutralise(self, order: Order, exchange: Exchange) -> None:
        """Only with leave, at Polymarket, and no more than is naked there; whole contracts."""
        naked = exchange.exposed - self._exchanges[exchange.venue.sibling].exposed
        if not self._plan.bounds.buy_opposite or exchange.venue is not Venue.POLYMARKET:
            raise Broken(f"{order.intent_id} buys the other outcome without leave")
        if order.action is not Action.BUY or micro(order.size) >= naked + ONE:
            raise Broken(f"{order.intent_id} takes {order.size}, naked are {naked} millionths")

    def recorded(self, standing: Standing) -> None:
        """A phase was written down."""
        phase = str(standing.phase)
        if phase != self._phase and phase not in LEGAL[self._phase].split():
            raise Broken(f"{phase} was recorded after {self._phase or 'nothing'}")
        self._phase = phase

    def after_step(self) -> None:
        """Whatever the ledgers say now."""
        seen = self._one.version + self._other.version
        if seen == self._seen:
            return
        self._seen = seen
        for exchange in self._exchanges.values():
            if exchange.position < 0:
                raise Broken(f"{exchange.venue} is short by {exchange.position}")
            for intent, count in exchange.sent.items():
                if count > 1 or exchange.arrived.get(intent, 0) > 1:
                    raise Broken(f"{intent} was sent {count} times")
            for intent, placed in exchange.placed.items():
                if not placed.trades:
                    continue
                if intent not in self._within:  # what is voided later moves less, never more
                    self._bounded(intent, exchange)
                    self._within.add(intent)
                row = self._ledger.rows.get(intent)
                if row is None or row.sent_at_ms is None:
                    raise Broken(f"{intent} was executed and is not in the journal")
                if str(row.state) == "not_filled":
                    raise Broken(f"{intent} was executed after it was concluded {row.refusal}")

    def settled(self) -> bool:
        """Whether no venue can surprise us any more."""
        return not any(map(self._open_fills, self._exchanges.values()))

    def drift(self) -> int:
        """Micro-dollars and micro-contracts by which the journal and the venues differ; what a
        person marked as resolved, unknown as it was, is his."""
        if self._by_hand:
            return 0
        total = 0
        for venue, exchange in self._exchanges.items():
            cash, held, other = self._journaled(venue)
            total += abs(cash - exchange.cash)
            total += abs(held - exchange.position - exchange.redeemed)
            total += abs(other - exchange.opposite - exchange.opposite_redeemed)
        return total

    @property
    def paid_neutral(self) -> bool:
        """Whether contracts of both outcomes were paid at one venue."""
        redeemed = ((one.redeemed, one.opposite_redeemed) for one in self._exchanges.values())
        return any(min(both) > self._dust for both in redeemed)

    @property
    def answered_naked(self) -> bool:
        """Whether the question was answered while one leg held what the other did not hedge."""
        one, other = (
            max(exchange.redeemed - exchange.opposite_redeemed, 0)
            for exchange in self._exchanges.values()
        )
        whole = other >= micro(self._plan.opportunity.size)
        better = self._exchanges[Venue.POLYMARKET].upside if whole else 0
        return not -self._dust <= one - other <= better + self._dust

    def at_the_end(self, final: Snapshot) -> None:
        """The workflow is over and every venue has settled."""
        if self._by_hand:
            return
        for row in self._ledger.rows.values():
            if str(row.state) not in DEFINITE:
                raise Broken(f"{row.order.intent_id} is {row.state} at the end")
        if self.drift():
            raise Broken(f"the journal and the venues differ by {self.drift()} millionths")
        self._conserved(final)
        held = [max(one.position, one.opposite) for one in self._exchanges.values()]
        if final.phase is Phase.FLAT and max(held) > self._dust:
            raise Broken(f"FLAT with {held} millionths held")
        if any(key.startswith("unhedged:") for key in self._ledger.alarms):
            raise Broken("an alarm is still open")
        self._within_budget()

    def _conserved(self, final: Snapshot) -> None:
        """What we call our profit is what the venues' cash changed by."""
        if final.realised_profit is None:
            raise Broken(f"{final.phase} without a result")
        cash = sum(exchange.cash for exchange in self._exchanges.values())
        for verdict in final.verdicts:
            credit = self._exchanges[verdict.venue].credit
            if micro(verdict.cash) != credit:
                raise Broken(f"{verdict.venue} paid {credit}, booked were {verdict.cash}")
            cash += credit
        if micro(final.realised_profit) != cash:
            raise Broken(f"profit {final.realised_profit}, cash changed by {cash} millionths")

    def _within_budget(self) -> None:
        if self._free or self.answered_naked:
            return  # what the answer cost is no sale's loss
        worst = self._worst_case()
        if worst < -self._budget - self._dust:
            raise Broken(f"{-worst} millionths lost, {self._budget} were allowed")

    def _worst_case(self) -> int:
        """Cash so far plus what all that is held pays at least, in micro-dollars."""
        (spent, own, other), (elsewhere, sibling, _) = map(self._journaled, Venue)
        return spent + elsewhere + min(own, sibling + other)

    def _journaled(self, venue: Venue) -> tuple[int, int, int]:
        """Cash and contracts, of our outcome and of the other one, as the fills of the journal
        add up."""
        cash = held = other = 0
        for fill in self._ledger.fills.values():
            if fill.venue is not venue or fill.state is FillState.VOIDED:
                continue
            sign = 1 if fill.action is Action.BUY else -1
            cash -= sign * micro(fill.notional) + micro(fill.fee)
            if self._exchanges[venue].other(self._ledger.rows[fill.intent_id].order):
                other += micro(fill.size)
            else:
                held += sign * micro(fill.size)
        return cash, held, other

    def _open_fills(self, exchange: Exchange) -> bool:
        return any(
            trade.state is FillState.PROVISIONAL
            for placed in exchange.placed.values()
            for trade in placed.trades
        )

    def _bounded(self, intent: str, exchange: Exchange) -> None:
        placed = exchange.placed[intent]
        live = [trade for trade in placed.trades if trade.state is not FillState.VOIDED]
        order = placed.order
        spent, size = sum(t.notional for t in live), sum(t.size for t in live)
        bound = micro(order.size) * micro(order.limit) // ONE
        if order.venue is Venue.POLYMARKET and order.action is Action.BUY:
            if spent > bound:
                raise Broken(f"{intent} spent {spent}, at most {bound} were ordered")
        elif size > micro(order.size):
            raise Broken(f"{intent} moved {size} millionths of {order.size}")


def rows_of(ledger: Ledger, purpose: Purpose) -> list[Row]:
    """The intents of one purpose."""
    return [row for row in ledger.rows.values() if row.order.purpose is purpose]
