"""What is measured of arbitrages once they rest, from what the journal then says of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from domain.fees import KalshiFee
from domain.money import ZERO, Price, Usd, to_micro
from domain.order import Fill, FillState, Order, Purpose
from domain.policy import DUST
from domain.trade import Phase, TradeStatus
from domain.venue import Action, Mode, Venue
from store.arbitrages import ArbitrageState
from store.tally import Tally

RESTING = frozenset({Phase.HOLDING, Phase.NEEDS_OPERATOR, Phase.FLAT, Phase.SETTLED})
REMEMBERED = 5_000
US_PER_MS = 1_000


@dataclass(slots=True)
class _Counted:
    """What was counted of one arbitrage already: it may rest more than once."""

    said: set[TradeStatus] = field(default_factory=set)
    fills: set[tuple[str, FillState]] = field(default_factory=set)
    naked_ms: int = 0
    naked_usd_ms: Decimal = ZERO
    flat: bool = False


class Measured:
    """Arbitrages that were opened since `since_ms`, and of those that were open already what comes
    from then on: what another process may have counted is not counted again. What an alert waits
    for is there from the start, at zero."""

    def __init__(self, since_ms: int, mode: Mode) -> None:
        self._since_ms = since_ms
        self._counted: dict[str, _Counted] = {}
        self.tally = Tally()
        for status in TradeStatus:
            self.tally.count("arb_executions", 0, outcome=status.value, mode=mode.value)
        for venue in Venue:
            for name in ("arb_voided_fills", "arb_entry_paid_usd", "arb_entry_planned_usd"):
                self.tally.count(name, 0, venue=venue.value)
        self.tally.count("arb_rollback_loss_usd", 0)

    def learn(self, arb_id: str, state: ArbitrageState | None) -> None:
        """One that is open at the start. Where it rests, what it says was counted before; where
        it moves, or says nothing yet, all of it counts once it rests: rather twice than never."""
        counting, self.tally = self.tally, Tally()
        self._counted.setdefault(arb_id, _Counted())
        if state is not None:
            self.take(state)
        self.tally = counting

    def take(self, state: ArbitrageState) -> None:
        """How it stands now; nothing of one that still moves, or again of what was counted."""
        new = state.arb_id not in self._counted
        if state.phase not in RESTING or (new and state.opened_at_ms < self._since_ms):
            return
        counted = self._counted.setdefault(state.arb_id, _Counted())
        if not counted.said:
            self._skew(state)
        if state.status is not None and state.status not in counted.said:
            counted.said.add(state.status)
            self.tally.count("arb_executions", outcome=state.status.value, mode=state.mode.value)
        self._naked(state, counted)
        self._flat(state, counted)
        self._fills(state, counted)
        while len(self._counted) > REMEMBERED:
            del self._counted[next(iter(self._counted))]

    def _skew(self, state: ArbitrageState) -> None:
        """How far the entries were apart, by their first bytes and by their answers."""
        entries = [one for one in state.intents if one.order.purpose is Purpose.ENTRY]
        sent = [one.sent_at_ms for one in entries]
        answered = [one.answered_at_ms for one in entries]
        for name, found in (
            ("arb_leg_skew_seconds", sent),
            ("arb_leg_answer_skew_seconds", answered),
        ):
            times = [at_ms for at_ms in found if at_ms is not None]
            if len(times) == len(Venue):
                self.tally.took(name, (max(times) - min(times)) * US_PER_MS)

    def _naked(self, state: ArbitrageState, counted: _Counted) -> None:
        naked_ms, naked_usd_ms = 0, ZERO
        for began_ms, ended_ms, usd in _stretches(state):
            if ended_ms is not None:
                naked_ms += ended_ms - began_ms
                naked_usd_ms += (ended_ms - began_ms) * usd
        if naked_ms > counted.naked_ms:
            self.tally.took("arb_naked_seconds", (naked_ms - counted.naked_ms) * US_PER_MS)
            more = (naked_usd_ms - counted.naked_usd_ms) / 1_000
            self.tally.count("arb_naked_usd_seconds", max(_micro(Usd(more)), 0))
            counted.naked_ms, counted.naked_usd_ms = naked_ms, naked_usd_ms

    def _flat(self, state: ArbitrageState, counted: _Counted) -> None:
        """Sold back: from the first fill to the last one, and what it cost."""
        if counted.flat or state.phase is not Phase.FLAT:
            return
        times = [fill.at_ms for fill in state.fills]
        if state.status is TradeStatus.ROLLED_BACK and times:
            counted.flat = True
            self.tally.took("arb_time_to_flat_seconds", (max(times) - min(times)) * US_PER_MS)
            lost = max(-(state.realised or Usd(ZERO)), ZERO)
            self.tally.count("arb_rollback_loss_usd", _micro(Usd(lost)))

    def _fills(self, state: ArbitrageState, counted: _Counted) -> None:
        """Fees as booked beside what each venue's formula says, and fills that were voided."""
        orders = {one.order.intent_id: one.order for one in state.intents}
        known = {trade_id for trade_id, _ in counted.fills}
        for fill in state.fills:
            venue = fill.venue.value
            if fill.state is FillState.VOIDED:
                if (fill.trade_id, fill.state) not in counted.fills:
                    counted.fills.add((fill.trade_id, fill.state))
                    self.tally.count("arb_voided_fills", venue=venue)
                    market = orders[fill.intent_id].instrument.market
                    self.tally.count("arb_ghost_fills", venue=venue, market=market)
            elif fill.trade_id not in known:
                counted.fills.add((fill.trade_id, fill.state))
                self._price(state, orders[fill.intent_id], fill)
                fee, price = orders[fill.intent_id].instrument.fee, fill.notional / fill.size
                formula = fee.trade_fee if isinstance(fee, KalshiFee) else fee.charge
                self.tally.count("arb_fees_usd", to_micro(fill.fee), venue=venue)
                expected = _micro(formula(fill.size, Price(price)))
                self.tally.count("arb_fees_by_formula_usd", expected, venue=venue)

    def _price(self, state: ArbitrageState, order: Order, fill: Fill) -> None:
        """What an entry cost without fees, beside what its books had promised for that size."""
        if order.purpose is Purpose.ENTRY:
            plan, venue = state.opportunity.leg(fill.venue), fill.venue.value
            promised = Usd(fill.size * plan.expected / plan.size)
            self.tally.count("arb_entry_paid_usd", to_micro(fill.notional), venue=venue)
            self.tally.count("arb_entry_planned_usd", _micro(promised), venue=venue)


def naked_since_ms(state: ArbitrageState) -> int | None:
    """When what is naked now became so; None where both legs are equal."""
    since_ms = until_ms = None
    for began_ms, ended_ms, _ in _stretches(state):
        if since_ms is None or began_ms != until_ms:
            since_ms = began_ms
        until_ms = ended_ms
    return since_ms if until_ms is None else None


def _stretches(state: ArbitrageState) -> Iterator[tuple[int, int | None, Decimal]]:
    """Each time between two fills in which one leg was held beyond the other: from, until (None:
    still so), and what the excess cost at its planned limit (dollars). A voided fill never hedged
    anything; what a better price gave on top of a whole hedge is no gap."""
    held = dict.fromkeys(Venue, ZERO)
    before_ms, naked = 0, ZERO
    for at_ms, venue, size in sorted(_moves(state), key=lambda move: move[0]):
        if naked > 0:
            yield before_ms, at_ms, naked
        held[venue] += size
        before_ms, naked = at_ms, _naked_usd(state, held)
    if naked > 0:
        yield before_ms, None, naked


def _naked_usd(state: ArbitrageState, held: dict[Venue, Decimal]) -> Decimal:
    whole = {venue: held[venue] - _on_top(state, venue, held[venue]) for venue in Venue}
    more = max(Venue, key=lambda venue: whole[venue])
    excess = whole[more] - whole[more.sibling]
    return excess * state.opportunity.leg(more).limit if excess > DUST else ZERO


def _on_top(state: ArbitrageState, venue: Venue, held: Decimal) -> Decimal:
    """Contracts beyond the planned size that a better price gave."""
    beyond, surplus = max(held - state.opportunity.size, ZERO), state.leg(venue).surplus
    return beyond if surplus is None else min(beyond, surplus)


def _moves(state: ArbitrageState) -> Iterator[tuple[int, Venue, Decimal]]:
    opposite = state.opposite_intents
    for fill in state.fills:
        if fill.state is not FillState.VOIDED:
            lessens = fill.action is Action.SELL or fill.intent_id in opposite
            yield fill.at_ms, fill.venue, Decimal(-fill.size if lessens else fill.size)


def _micro(amount: Usd) -> int:
    """Whole micro-dollars for a graph, rounded down."""
    return int(amount * 1_000_000)
