"""The cash a venue last reported, and how much of it is not promised to orders."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import text
from sqlmodel import Session

from domain.money import Usd, from_micro, to_micro
from domain.venue import Mode, Venue
from store import rows
from store.tables import VenueBalanceRow

# Outlays of a mode that a balance read at :as_of_ms cannot show as gone: those still held, those of
# arbitrages that were locked or ended since, and those of fills that were not final at that time.
_PROMISED = {
    venue: text(
        f"""
        SELECT coalesce(sum({venue}_outlay_micro), 0) FROM reservations
        WHERE mode = :mode AND state <> 'released' AND arb_id IN (
            SELECT arb_id FROM reservations WHERE mode = :mode AND ended_ms IS NULL
            UNION SELECT arb_id FROM reservations WHERE mode = :mode AND ended_ms >= :as_of_ms
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state = 'provisional'
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state_ms >= :as_of_ms)
        """  # noqa: S608 - the only name put in is that of a venue
    )
    for venue in Venue
}

_BALANCES = rows.table(VenueBalanceRow)
_CASH = sa.select(_BALANCES.c.venue, _BALANCES.c.cash_micro, _BALANCES.c.as_of_ms).where(
    _BALANCES.c.mode == sa.bindparam("mode")
)


def free_cash(session: Session, venue: Venue, mode: Mode) -> Usd | None:
    """The venue's last reported cash less what is promised to orders; None if never reported."""
    return free(session, venue, mode, reported(session, mode).get(venue))


def record_balance(session: Session, venue: Venue, mode: Mode, cash: Usd, as_of_ms: int) -> bool:
    """Keep the cash a venue reported; `as_of_ms` is when the read was begun. An older read than
    the one known is dropped (False)."""
    row = session.get(VenueBalanceRow, (venue, mode))
    if row is not None and row.as_of_ms > as_of_ms:
        return False
    session.merge(
        VenueBalanceRow(venue=venue, mode=mode, cash_micro=to_micro(cash), as_of_ms=as_of_ms)
    )
    return True


def reported(session: Session, mode: Mode) -> dict[Venue, sa.Row[Any]]:
    """The cash each venue last reported, and when its read was begun."""
    return {Venue(row.venue): row for row in rows.all_of(session, _CASH, mode=mode)}


def free(session: Session, venue: Venue, mode: Mode, balance: sa.Row[Any] | None) -> Usd | None:
    """As `free_cash`, of a row of `reported`."""
    if balance is None:
        return None
    promised = _promised(session, venue, mode, balance.as_of_ms)
    return Usd(from_micro(balance.cash_micro - promised))


def _promised(session: Session, venue: Venue, mode: Mode, as_of_ms: int) -> int:
    """Micro-dollars that the balance read at `as_of_ms` does not show as gone yet."""
    at = {"mode": mode, "venue": venue, "as_of_ms": as_of_ms}
    return int(session.connection().execute(_PROMISED[venue], at).scalar_one())
