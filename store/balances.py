"""The cash a venue last reported, and how much of it is not promised to orders."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import text
from sqlmodel import Session

from domain.funds import Funds
from domain.money import NO_USD, Usd, from_micro, to_micro
from domain.trade import Phase
from domain.venue import Instrument, Mode, Venue
from store import rows
from store.tables import VenueBalanceRow


def _outlays(venue: Venue, more: str = "") -> sa.TextClause:
    """Outlays of a mode that a balance read at :as_of_ms cannot show as gone: those of arbitrages
    that still trade, or were locked or ended since, and those of fills that were not final at that
    time."""
    return text(
        f"""
        SELECT coalesce(sum({venue}_outlay_micro), 0) FROM reservations
        WHERE mode = :mode AND state <> 'released' {more} AND arb_id IN (
            SELECT arb_id FROM reservations JOIN arbitrages ON arbitrages.id = arb_id
                WHERE reservations.mode = :mode AND ended_ms IS NULL
                    AND (phase <> '{Phase.HOLDING}' OR updated_ms >= :as_of_ms)
            UNION SELECT arb_id FROM reservations WHERE mode = :mode AND ended_ms >= :as_of_ms
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state = 'provisional'
            UNION SELECT arb_id FROM intents JOIN fills ON intents.id = fills.intent_id
                WHERE fills.venue = :venue AND fills.state_ms >= :as_of_ms)
        """  # noqa: S608 - the names put in are ours
    )


_PROMISED = {venue: _outlays(venue) for venue in Venue}
_ON_SHARD = _outlays(Venue.KALSHI, "AND (kalshi_shard IS NULL OR kalshi_shard = :shard)")

_BALANCES = rows.table(VenueBalanceRow)
_CASH = sa.select(
    _BALANCES.c.venue, _BALANCES.c.cash_micro, _BALANCES.c.as_of_ms, _BALANCES.c.shards
).where(_BALANCES.c.mode == sa.bindparam("mode"))


def free_cash(session: Session, venue: Venue, mode: Mode) -> Usd | None:
    """The venue's last reported cash less what is promised to orders; None if never reported."""
    balance = reported(session, mode).get(venue)
    return None if balance is None else _left(session, venue, mode, balance)


def free_funds(session: Session, venue: Venue, mode: Mode) -> Funds | None:
    """As `free_cash`, and on each shard what the orders there are not promised."""
    balance = reported(session, mode).get(venue)
    if balance is None:
        return None
    free, shards = _left(session, venue, mode, balance), _shards(balance)
    if shards is None:
        return Funds(free)
    left = {shard: _left_on(session, mode, balance, shard, cash) for shard, cash in shards.items()}
    return Funds(free, left)


def record_balance(session: Session, venue: Venue, mode: Mode, funds: Funds, as_of_ms: int) -> bool:
    """Keep the cash a venue reported; `as_of_ms` is when the read was begun. An older read than
    the one known is dropped (False)."""
    row = session.get(VenueBalanceRow, (venue, mode))
    if row is not None and row.as_of_ms > as_of_ms:
        return False
    shards = funds.shards
    session.merge(
        VenueBalanceRow(
            venue=venue,
            mode=mode,
            cash_micro=to_micro(funds.total),
            as_of_ms=as_of_ms,
            shards=None
            if shards is None
            else json.dumps({s: to_micro(c) for s, c in shards.items()}),
        )
    )
    return True


def reported(session: Session, mode: Mode) -> dict[Venue, sa.Row[Any]]:
    """The cash each venue last reported, and when its read was begun."""
    return {Venue(row.venue): row for row in rows.all_of(session, _CASH, mode=mode)}


def usable(
    session: Session, instrument: Instrument, mode: Mode, balance: sa.Row[Any] | None
) -> Usd | None:
    """What an order for the instrument can use of a row of `reported`, not promised to others:
    the cash of its own shard where the venue has several."""
    if balance is None:
        return None
    shards = _shards(balance)
    if shards is None:
        return _left(session, instrument.venue, mode, balance)
    shard = instrument.exchange_index
    return _left_on(session, mode, balance, shard, shards.get(shard, NO_USD))


def _shards(balance: sa.Row[Any]) -> dict[int, Usd] | None:
    if balance.shards is None:
        return None
    return {int(s): Usd(from_micro(micro)) for s, micro in json.loads(balance.shards).items()}


def _left(session: Session, venue: Venue, mode: Mode, balance: sa.Row[Any]) -> Usd:
    """Dollars at the venue that are not promised to orders."""
    at = {"mode": mode, "venue": venue, "as_of_ms": balance.as_of_ms}
    promised = int(session.connection().execute(_PROMISED[venue], at).scalar_one())
    return Usd(from_micro(balance.cash_micro - promised))


def _left_on(session: Session, mode: Mode, balance: sa.Row[Any], shard: int, cash: Usd) -> Usd:
    """Dollars of the `cash` on one of Kalshi's shards that are not promised to orders there."""
    at = {"mode": mode, "venue": Venue.KALSHI, "as_of_ms": balance.as_of_ms, "shard": shard}
    promised = int(session.connection().execute(_ON_SHARD, at).scalar_one())
    return Usd(cash - from_micro(promised))
