"""The journal's side of a comparison with the venues, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session, and_, case, col, func, or_, select

from domain.money import Size, Usd, from_micro, to_micro
from domain.order import FillState, Rejection
from domain.policy import DUST
from domain.reconcile import (
    AccountView,
    Finding,
    JournalView,
    KnownOrder,
    cash_key,
    net,
    position_key,
)
from domain.trade import Phase
from domain.venue import Action, Instrument, Mode, Outcome, Venue
from store import fills
from store.codec import instrument_from
from store.states import IntentState
from store.tables import (
    ArbitrageRow,
    FillRow,
    IntentRow,
    KnownDifferenceRow,
    PayoutRow,
    ReconciliationRow,
)

WATCH_MS = 24 * 3_600_000
"""How long an order that was concluded never to have arrived is watched."""
OVERLAP_MS = 60_000
"""How far before the last report a list is read again."""
_SIGNED = case(
    (col(FillRow.action) == Action.BUY, col(FillRow.size_micro)), else_=-col(FillRow.size_micro)
)

_MOVES = text(
    """
    SELECT venue, market, max(at_ms), max(waiting) FROM (
        SELECT venue, market, coalesce(answered_ms, sent_ms, 0) AS at_ms,
            CASE WHEN state IN ('sent', 'unknown') THEN 1 ELSE 0 END AS waiting FROM intents
        UNION ALL SELECT intents.venue, market, fills.state_ms,
            CASE WHEN fills.state = 'provisional' AND arbitrages.closed_ms IS NULL
                THEN 1 ELSE 0 END
            FROM fills JOIN intents ON intents.id = fills.intent_id
            JOIN arbitrages ON arbitrages.id = intents.arb_id
        UNION ALL SELECT venue, '', at_ms, 0 FROM payouts) AS moves
    GROUP BY venue, market
    """
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the comparison stands; times are wall-clock ms of the start of a report."""

    whole_ms: int | None
    clean_ms: int | None
    rejected: str | None
    restored: str | None
    restored_ms: int | None

    @property
    def read_since_restored(self) -> bool:
        """Whether both venues were read since the journal was found restored."""
        return self.whole_ms is not None and self.whole_ms >= (self.restored_ms or 0)


def read(session: Session) -> Standing:
    """How the comparison stands."""
    row = session.get_one(ReconciliationRow, 1)
    why = row.restored_why if row.restored else None
    return Standing(row.whole_ms, row.clean_ms, row.rejected, why, row.restored_ms)


def report(session: Session, asked_ms: int, *, clean: bool) -> None:
    """Both venues were read whole."""
    row = session.get_one(ReconciliationRow, 1)
    row.whole_ms, row.rejected = asked_ms, None
    row.first_ms = row.first_ms or asked_ms
    if clean:
        row.clean_ms = asked_ms


def reject(session: Session, why: str) -> None:
    """Something could not be read: nothing of the report counts."""
    session.get_one(ReconciliationRow, 1).rejected = why


def mark_restored(session: Session, why: str, now_ms: int) -> None:
    """The journal is older than it once was; the first reason stays until a person confirms."""
    row = session.get_one(ReconciliationRow, 1)
    if not row.restored:
        row.restored, row.restored_why, row.restored_ms = True, why, now_ms


def confirm_restored(session: Session) -> None:
    """A person has looked at what the venues say and goes on from it."""
    row = session.get_one(ReconciliationRow, 1)
    row.restored, row.restored_why, row.restored_ms = False, None, None


def accept(session: Session, finding: Finding, by: str, now_ms: int) -> None:
    """What was found is known from now on and no difference any more."""
    session.merge(
        KnownDifferenceRow(
            key=finding.key,
            venue=finding.venue or Venue.POLYMARKET,
            micro=finding.micro,
            detail=finding.detail,
            at_ms=now_ms,
            accepted_by=by,
        )
    )


def known(session: Session) -> dict[str, Decimal]:
    """Every known difference: its offset in contracts or dollars, by key."""
    return {row.key: from_micro(row.micro) for row in session.exec(select(KnownDifferenceRow))}


def is_untouched(session: Session) -> bool:
    """Whether nothing was ever traded with this journal."""
    return session.exec(select(IntentRow.id).limit(1)).first() is None


def list_since(session: Session, now_ms: int) -> int:
    """From when on the venues' lists are to be read: the last report, every order without an
    answer, and those that never arrived within WATCH_MS."""
    watched = session.exec(
        select(func.min(IntentRow.sent_ms)).where(
            or_(
                col(IntentRow.state).in_((IntentState.SENT, IntentState.UNKNOWN)),
                (col(IntentRow.rejection) == Rejection.NEVER_ARRIVED)
                & (col(IntentRow.sent_ms) >= now_ms - WATCH_MS),
            )
        )
    ).one()
    last = session.get_one(ReconciliationRow, 1).whole_ms or now_ms
    return min(last, watched or last) - OVERLAP_MS


def busy(session: Session, mode: Mode) -> bool:
    """Whether anything is not final: an arbitrage that moves, an order without an answer."""
    moving = (
        select(ArbitrageRow.id)
        .where(ArbitrageRow.mode == mode, col(ArbitrageRow.closed_ms).is_(None))
        .where(ArbitrageRow.phase != Phase.HOLDING)
    )
    return session.exec(moving.limit(1)).first() is not None


def view(
    session: Session, mode: Mode, keys: Iterable[str], since_ms: int, settle_ms: int
) -> JournalView:
    """The journal as it is to be compared. `keys` are those that the venues' lists name."""
    first_ms = session.get_one(ReconciliationRow, 1).first_ms
    return JournalView(
        orders=_orders(session, set(keys), since_ms),
        holdings={venue: _holdings(session, venue) for venue in Venue},
        flows={venue: _flow(session, venue) for venue in Venue},
        moved_ms=_moved(session),
        payable={venue: _payable(session, venue, mode) for venue in Venue},
        arbitrages=frozenset(session.exec(select(ArbitrageRow.id))),
        known=known(session),
        since_ms=since_ms + OVERLAP_MS if first_ms is None else first_ms,
        settle_ms=settle_ms,
    )


def instruments(session: Session, venue: Venue, market: str) -> list[Instrument]:
    """One instrument of the market that was ever ordered, none for a stranger's."""
    rows = select(IntentRow.instrument).where(IntentRow.venue == venue, IntentRow.market == market)
    return [instrument_from(text) for text in session.exec(rows.limit(1))]


def first_offsets(session: Session, account: AccountView) -> list[Finding]:
    """What an account holds beyond the journal, to be accepted before the first trade: its own
    cash, and positions that were there before us."""
    venue = account.venue
    own = account.cash - _flow(session, venue)
    detail = f"{account.cash} dollars, {own} of them its own"
    offsets = [Finding("CASH", cash_key(venue), venue, detail, to_micro(own))]
    if is_untouched(session):
        for name, size in net(venue, account.positions).items():
            key, said = position_key(venue, name), f"{size} {name[1]} were there before us"
            offsets.append(Finding("POSITION", key, venue, said, to_micro(size)))
    return offsets


def _orders(session: Session, keys: set[str], since_ms: int) -> tuple[KnownOrder, ...]:
    recent = select(IntentRow).where(col(IntentRow.sent_ms) >= since_ms)
    rows = {row.id: row for row in session.exec(recent)}
    listed = sorted(keys)
    for start in range(0, len(listed), 500):
        named = select(IntentRow).where(col(IntentRow.key).in_(listed[start : start + 500]))
        rows |= {row.id: row for row in session.exec(named)}
    return tuple(
        KnownOrder(
            intent_id=row.id,
            arb_id=row.arb_id,
            venue=Venue(row.venue),
            key=row.key,
            filled=row.state == IntentState.FILLED,
            rejection=Rejection(row.rejection) if row.rejection else None,
            fills=fills.of_intent(session, row.id),
        )
        for row in rows.values()
    )


def _holdings(session: Session, venue: Venue) -> dict[tuple[str, Outcome], Size]:
    rows = session.exec(
        select(IntentRow.market, IntentRow.outcome, func.sum(_SIGNED))
        .join(FillRow, col(FillRow.intent_id) == col(IntentRow.id))
        .join(ArbitrageRow, col(ArbitrageRow.id) == col(IntentRow.arb_id))
        .where(FillRow.venue == venue, FillRow.state != FillState.VOIDED)
        .where(ArbitrageRow.phase != Phase.SETTLED)
        .group_by(col(IntentRow.market), col(IntentRow.outcome))
    )
    return {
        (market, Outcome(outcome)): Size(from_micro(int(total)))
        for market, outcome, total in rows
        if total
    }


def _flow(session: Session, venue: Venue) -> Usd:
    sign = case((col(FillRow.action) == Action.SELL, 1), else_=-1)
    moved = func.coalesce(func.sum(sign * FillRow.notional_micro - FillRow.fee_micro), 0)
    traded = session.exec(
        select(moved).where(FillRow.venue == venue, FillRow.state != FillState.VOIDED)
    ).one()
    paid = session.exec(
        select(func.coalesce(func.sum(PayoutRow.amount_micro), 0)).where(PayoutRow.venue == venue)
    ).one()
    return Usd(from_micro(int(traded) + int(paid)))


def _moved(session: Session) -> dict[tuple[Venue, str], int | None]:
    """When each market, and each venue under "", last changed; None while something is open."""
    moved: dict[tuple[Venue, str], int | None] = {}
    latest: dict[Venue, list[int | None]] = defaultdict(list)
    for venue, market, at_ms, waiting in session.connection().execute(_MOVES):
        moved[Venue(venue), market] = None if waiting else int(at_ms)
        latest[Venue(venue)].append(None if waiting else int(at_ms))
    for name, times in latest.items():
        ended = [at_ms for at_ms in times if at_ms is not None]
        moved[name, ""] = max(ended) if len(ended) == len(times) else None
    return moved


def _payable(session: Session, venue: Venue, mode: Mode) -> Usd:
    """A dollar for every contract that the venue may still pay: of an arbitrage that has not
    ended, and the dust that one ended with, whose payout is booked nowhere."""
    held, is_open = func.sum(_SIGNED), col(ArbitrageRow.closed_ms).is_(None)
    kept = session.exec(
        select(held)
        .join(IntentRow, col(FillRow.intent_id) == col(IntentRow.id))
        .join(ArbitrageRow, col(ArbitrageRow.id) == col(IntentRow.arb_id))
        .where(FillRow.venue == venue, FillRow.state != FillState.VOIDED)
        .where(ArbitrageRow.mode == mode, or_(is_open, col(ArbitrageRow.phase) == Phase.FLAT))
        .group_by(col(ArbitrageRow.id), col(ArbitrageRow.closed_ms))
        .having(and_(held > 0, or_(is_open, held <= to_micro(DUST))))
    )
    return Usd(from_micro(sum(int(micro) for micro in kept)))
