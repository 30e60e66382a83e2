"""What the journal knows of an arbitrage: its orders, its fills, both legs as folds over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, and_, col, func, or_, select

from domain.leg import LegState, fold
from domain.money import NO_USD, Size, Usd, from_micro
from domain.opportunity import Opportunity
from domain.order import Fill, Order
from domain.payout import Locked, judge
from domain.policy import Refusal
from domain.trade import Phase, TradeStatus
from domain.venue import Instrument, Mode, Venue
from store import fills, intents, rows
from store.codec import opportunity_from
from store.errors import NotJournaled
from store.intents import StoredIntent
from store.states import IntentState
from store.tables import ArbitrageRow, IntentRow, PayoutRow

_OPEN = [phase for phase in Phase if not phase.ended]
_ARBITRAGES, _INTENTS = rows.table(ArbitrageRow), rows.table(IntentRow)
_ON_MARKET = (
    sa.select(_ARBITRAGES.c.id, _ARBITRAGES.c.phase, _ARBITRAGES.c.pair_id, _INTENTS.c.market)
    .join(_INTENTS, _INTENTS.c.arb_id == _ARBITRAGES.c.id)
    .where(
        _ARBITRAGES.c.phase.in_(_OPEN),
        _ARBITRAGES.c.mode == sa.bindparam("mode"),
        _INTENTS.c.market.in_(sa.bindparam("markets", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True)
class ArbitrageState:
    """Everything the journal knows of one arbitrage; both legs are folds over its fills.

    An order without a definite answer, PLANNED ones too, makes its leg unknown. `realised` is
    the booked profit once it ended.
    """

    arb_id: str
    mode: Mode
    phase: Phase
    status: TradeStatus | None
    reason: str | None
    detail: str | None
    opportunity: Opportunity
    settings_version: int
    revision: int
    opened_at_ms: int
    updated_at_ms: int
    closed_at_ms: int | None
    intents: tuple[StoredIntent, ...]
    fills: tuple[Fill, ...]
    polymarket: LegState
    kalshi: LegState
    payouts: dict[Venue, Usd]
    realised: Usd | None
    adopted: int = 0

    def leg(self, venue: Venue) -> LegState:
        """The leg at `venue`."""
        return self.polymarket if venue is Venue.POLYMARKET else self.kalshi

    def buys_opposite(self, order: Order) -> bool:
        """Whether the order is for the other outcome of its leg's market."""
        return buys_opposite(self.opportunity, order)

    def other_instrument(self, venue: Venue) -> Instrument | None:
        """The other outcome of a leg's market, None where no order was ever for it."""
        orders = (one.order for one in self.intents if one.order.venue is venue)
        return next((o.instrument for o in orders if self.buys_opposite(o)), None)

    @property
    def opposite_intents(self) -> frozenset[str]:
        """The orders that bought the other outcome of their leg's market."""
        return opposite_intents(self.opportunity, (one.order for one in self.intents))

    @property
    def paid(self) -> Usd:
        """Dollars spent on both legs, fees included."""
        return Usd(self.polymarket.paid + self.kalshi.paid)

    @property
    def cash_result(self) -> Usd:
        """What came back less what was spent so far: sales and payouts less purchases."""
        received = self.polymarket.received + self.kalshi.received
        return Usd(received + sum(self.payouts.values(), start=NO_USD) - self.paid)

    @property
    def guaranteed(self) -> Usd:
        """The least it ends with if what is held now is held until the question resolves."""
        verdict = judge(
            self.polymarket,
            self.opportunity.polymarket.instrument.outcome,
            self.kalshi,
            dust=Size(NO_USD),
        )
        return verdict.profit if isinstance(verdict, Locked) else Usd(-verdict.loss)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An arbitrage that has not ended, with the time of its last event (wall-clock ms); `adopted`
    counts the workflows that took it over."""

    arb_id: str
    pair_id: str
    title: str
    mode: Mode
    phase: Phase
    opened_at_ms: int
    updated_at_ms: int
    adopted: int = 0


_PAYOUT_TABLE = rows.table(PayoutRow)
_PAYOUTS = sa.select(_PAYOUT_TABLE).where(_PAYOUT_TABLE.c.arb_id == sa.bindparam("arb_id"))


def load(session: Session, arb_id: str) -> ArbitrageState:
    """The arbitrage as journaled; NotJournaled where there is none."""
    row = row_of(session, arb_id)
    plan = opportunity_from(row.opportunity)
    filled = fills.of_arbitrage(session, arb_id)
    stored = intents.of_arbitrage(session, arb_id, filled)
    legs = {venue: _leg(venue, plan, stored, filled) for venue in Venue}
    payouts = rows.all_of(session, _PAYOUTS, arb_id=arb_id)
    realised = row.realised_micro
    return ArbitrageState(
        arb_id=row.id,
        mode=Mode(row.mode),
        phase=Phase(row.phase),
        status=TradeStatus(row.status) if row.status else None,
        reason=row.reason,
        detail=row.detail,
        opportunity=plan,
        settings_version=row.settings_version,
        revision=row.revision,
        opened_at_ms=row.opened_ms,
        updated_at_ms=row.updated_ms,
        closed_at_ms=row.closed_ms,
        intents=stored,
        fills=filled,
        polymarket=legs[Venue.POLYMARKET],
        kalshi=legs[Venue.KALSHI],
        payouts={Venue(p.venue): Usd(from_micro(p.amount_micro)) for p in payouts},
        realised=None if realised is None else Usd(from_micro(realised)),
        adopted=row.adopted,
    )


def on_market(session: Session, mode: Mode, markets: Iterable[str]) -> sa.Row[Any] | None:
    """An open arbitrage with an order on one of these markets, whatever its pair was called then:
    `id`, `phase`, `pair_id` and `market`."""
    return rows.first_of(session, _ON_MARKET, mode=mode, markets=list(markets))


def unfinished(session: Session, quiet_since_ms: int | None = None) -> list[Unfinished]:
    """Every arbitrage that has not ended, oldest first; with `quiet_since_ms` those without an
    event since then: what a reconciler has to look for a workflow of."""
    rows = (
        select(ArbitrageRow)
        .where(col(ArbitrageRow.closed_ms).is_(None))
        .order_by(col(ArbitrageRow.opened_ms), col(ArbitrageRow.id))
    )
    if quiet_since_ms is not None:
        rows = rows.where(ArbitrageRow.updated_ms <= quiet_since_ms)
    return [
        Unfinished(
            row.id,
            row.pair_id,
            row.title,
            Mode(row.mode),
            Phase(row.phase),
            row.opened_ms,
            row.updated_ms,
            row.adopted,
        )
        for row in session.exec(rows)
    ]


def admitted(session: Session, mode: Mode, pair_id: str | None = None) -> list[str]:
    """Every arbitrage that the gate admitted (of one pair, if named), the newest first."""
    rows = (
        select(ArbitrageRow.id)
        .where(ArbitrageRow.mode == mode, ArbitrageRow.phase != Phase.REFUSED)
        .order_by(col(ArbitrageRow.opened_ms).desc(), col(ArbitrageRow.id))
    )
    if pair_id is not None:
        rows = rows.where(ArbitrageRow.pair_id == pair_id)
    return list(session.exec(rows))


def ids(session: Session, mode: Mode) -> list[str]:
    """Every arbitrage that the journal names, refused ones too, the newest first."""
    rows = select(ArbitrageRow.id).where(ArbitrageRow.mode == mode)
    return list(session.exec(rows.order_by(col(ArbitrageRow.opened_ms).desc())))


def resting_pairs(session: Session, mode: Mode, cooling_since_ms: int) -> dict[str, Refusal]:
    """The pairs that the gate would refuse, by id: one that is open, or that failed or was rolled
    back since `cooling_since_ms`."""
    closed = col(ArbitrageRow.closed_ms)
    rows = session.exec(
        select(ArbitrageRow.pair_id, ArbitrageRow.closed_ms).where(
            ArbitrageRow.mode == mode,
            ArbitrageRow.phase != Phase.REFUSED,
            or_(
                closed.is_(None),
                and_(closed > cooling_since_ms, ArbitrageRow.status != TradeStatus.SUCCESS),
            ),
        )
    ).all()
    resting = {pair_id: Refusal.PAIR_COOLING_DOWN for pair_id, _ in rows}
    return resting | {
        pair_id: Refusal.PAIR_ALREADY_OPEN for pair_id, closed_ms in rows if closed_ms is None
    }


def indefinite_intents(session: Session, sent_before_ms: int) -> list[str]:
    """Orders that were sent before then and have no definite answer yet, oldest first."""
    rows = (
        select(IntentRow.id)
        .where(col(IntentRow.state).in_((IntentState.SENT, IntentState.UNKNOWN)))
        .where(col(IntentRow.sent_ms) < sent_before_ms)
        .order_by(col(IntentRow.sent_ms))
    )
    return list(session.exec(rows))


def refusals(session: Session, mode: Mode, since_ms: int) -> dict[str, int]:
    """How many arbitrages the gate refused since then, by reason."""
    rows = (
        select(ArbitrageRow.reason, func.count())
        .where(ArbitrageRow.mode == mode, ArbitrageRow.phase == Phase.REFUSED)
        .where(ArbitrageRow.opened_ms >= since_ms)
        .group_by(col(ArbitrageRow.reason))
    )
    return {str(reason): number for reason, number in session.exec(rows)}


def buys_opposite(plan: Opportunity, order: Order) -> bool:
    """Whether the order is for the other outcome of its leg's market."""
    return order.instrument.outcome is not plan.leg(order.venue).instrument.outcome


def opposite_intents(plan: Opportunity, orders: Iterable[Order]) -> frozenset[str]:
    """Those of the orders that are for the other outcome of their leg's market."""
    return frozenset(order.intent_id for order in orders if buys_opposite(plan, order))


def _leg(
    venue: Venue, plan: Opportunity, stored: tuple[StoredIntent, ...], filled: tuple[Fill, ...]
) -> LegState:
    own = [one for one in stored if one.order.venue is venue]
    unknown = tuple(one.order.intent_id for one in own if not one.state.definite)
    opposite = opposite_intents(plan, (one.order for one in own))
    fills_here = [fill for fill in filled if fill.venue is venue]
    ordered = {one.order.intent_id: one.order.size for one in own}
    return fold(venue, plan.size, fills_here, unknown, opposite, ordered)


def row_of(session: Session, arb_id: str) -> ArbitrageRow:
    """The row of an arbitrage; NotJournaled where there is none."""
    row = session.get(ArbitrageRow, arb_id)
    if row is None:
        raise NotJournaled(f"expected an arbitrage of the journal, found no {arb_id}")
    return row
