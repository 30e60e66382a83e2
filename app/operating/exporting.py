"""The trade log as a file for other programs: one row per trade, every cent attributed."""

import csv
import io
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import TypeVar

from sqlmodel import Session

from api.wire import iso, text
from app.config import Config
from app.errors import LockstepError
from app.operating.office import opened
from app.parquet import Column, Kind, Value
from domain.attribution import Attribution, attribute
from domain.money import NO_SIZE, NO_USD, Usd, exact
from domain.order import Fill, FillState, Purpose
from domain.venue import Action, Venue
from store import arbitrages, trade_log, views
from store.arbitrages import ArbitrageState
from store.lifecycle import moved_by_hand
from store.trade_log import LoggedTrade

Row = Mapping[str, Value]
T = TypeVar("T")
PAGE = 500
CURRENCY = {Venue.POLYMARKET: "pUSD", Venue.KALSHI: "USD"}
_LEG = {
    "market": Kind.TEXT,
    "token": Kind.TEXT,
    "outcome": Kind.TEXT,
    "bought": Kind.DECIMAL,
    "sold": Kind.DECIMAL,
    "cost": Kind.DECIMAL,
    "fee": Kind.DECIMAL,
    "slippage": Kind.DECIMAL,
    "currency": Kind.TEXT,
    "order_id": Kind.TEXT,
    "trade_ids": Kind.TEXT,
    "submitted_at": Kind.TIME,
    "acked_at": Kind.TIME,
    "matched_at": Kind.TIME,
    "settled_at": Kind.TIME,
}
_TRADE = {
    "schema_version": Kind.WHOLE,
    "id": Kind.TEXT,
    "mode": Kind.TEXT,
    "pair_id": Kind.TEXT,
    "title": Kind.TEXT,
    "status": Kind.TEXT,
    "final": Kind.FLAG,
    "opened_at": Kind.TIME,
    "closed_at": Kind.TIME,
    "planned": Kind.DECIMAL,
    "payout": Kind.DECIMAL,
    "gross_edge": Kind.DECIMAL,
    "unwind": Kind.DECIMAL,
    "by_hand": Kind.DECIMAL,
    "net": Kind.DECIMAL,
    "expected_net": Kind.DECIMAL,
    "settings_version": Kind.WHOLE,
    "code_version": Kind.TEXT,
}
COLUMNS = tuple(
    Column(name, kind)
    for name, kind in (
        *_TRADE.items(),
        *((f"{venue}_{name}", kind) for venue in Venue for name, kind in _LEG.items()),
    )
)


class Unexplained(LockstepError):
    """A result that is not the sum of its parts: nothing is exported that does not add up."""


async def rows(config: Config, told: Callable[[int], None]) -> list[Row]:
    """Every trade of the mode, the oldest first; `told` hears how many there are so far."""
    return await each(config, _row, told)


async def each(
    config: Config, read: Callable[[Session, LoggedTrade], T], told: Callable[[int], None]
) -> list[T]:
    """What `read` makes of every trade of the mode, the oldest first."""
    found: list[T] = []
    async with opened(config) as journal:
        before: int | None = None
        while True:
            page = await journal.read(partial(_page, read, config=config, before=before))
            if not page:
                return found[::-1]
            found += [one for _, one in page]
            before = page[-1][0]
            told(len(found))


def as_csv(found: list[Row]) -> str:
    """RFC 4180 with a heading; an absent value is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in COLUMNS])
    for row in found:
        shown = as_text(row)
        writer.writerow(["" if shown[c.name] is None else shown[c.name] for c in COLUMNS])
    return out.getvalue()


def as_text(row: Row) -> dict[str, str | int | bool | None]:
    """A row for CSV and JSON: amounts as exact strings, times as ISO 8601 UTC."""
    told: dict[str, str | int | bool | None] = {}
    for column in COLUMNS:
        value = row[column.name]
        if column.kind is Kind.TIME:
            assert value is None or isinstance(value, int), f"{column.name} is a time in ms"
            told[column.name] = iso(value)
        elif column.kind is Kind.DECIMAL:
            told[column.name] = None if value is None else text(exact(value))
        else:
            assert value is None or isinstance(value, str | int), f"{column.name}: {value!r}"
            told[column.name] = value
    return told


def _page(
    read: Callable[[Session, LoggedTrade], T],
    session: Session,
    config: Config,
    before: int | None,
) -> list[tuple[int, T]]:
    logged = trade_log.trades(session, config.mode, PAGE, before_id=before)
    return [(one.id, read(session, one)) for one in logged]


def _row(session: Session, logged: LoggedTrade) -> Row:
    state = arbitrages.load(session, logged.arb_id)
    by_hand = moved_by_hand(session, logged.arb_id) or NO_USD
    parts, payout, net = attributed(state, by_hand)
    row: dict[str, Value] = {
        "schema_version": 1,
        "id": state.arb_id,
        "mode": state.mode.value,
        "pair_id": state.opportunity.pair_id,
        "title": state.opportunity.title,
        "status": logged.status.value,
        "final": logged.final,
        "opened_at": state.opened_at_ms,
        "closed_at": state.closed_at_ms,
        "planned": state.opportunity.size,
        "payout": payout,
        "gross_edge": parts.gross_edge,
        "unwind": parts.unwind,
        "by_hand": by_hand,
        "net": net,
        "expected_net": state.opportunity.profit,
        "settings_version": state.settings_version,
        "code_version": version("lockstep"),
    }
    times = views.leg_times(session, state.arb_id)
    for venue in Venue:
        leg = _leg(state, venue, parts)
        if venue in times:
            stamps = times[venue]
            leg |= {
                "submitted_at": stamps.sent_ms,
                "acked_at": stamps.answered_ms,
                "matched_at": stamps.matched_ms,
                "settled_at": stamps.settled_ms,
            }
        row |= {f"{venue}_{name}": leg.get(name) for name in _LEG}
    return row


def attributed(state: ArbitrageState, by_hand: Usd) -> tuple[Attribution, Usd, Usd]:
    """The parts of a result, the payout they count with, and the result: realised once it ended,
    else the least it ends with. Raises Unexplained where the parts do not make the result."""
    if state.realised is not None:
        payout = Usd(sum(state.payouts.values(), start=NO_USD))
        net = state.realised
    else:
        payout = Usd(min(_payouts(state)))
        net = Usd(payout + state.polymarket.received + state.kalshi.received - state.paid)
    opposite = state.opposite_intents
    parts = attribute(state.opportunity, state.fills, payout, by_hand, opposite)
    if parts.net != net:
        raise Unexplained(
            f"{state.arb_id}: its parts make {parts.net}, its result is {net}: nothing was "
            "exported; `lockstep show` has every fill of it"
        )
    return parts, payout, net


def _payouts(state: ArbitrageState) -> tuple[Usd, Usd]:
    """What is held pays under either answer: each leg pays under one of them, what it has of the
    other outcome under the other."""
    here, there = state.polymarket, state.kalshi
    return Usd(here.owned + there.opposite), Usd(there.owned + here.opposite)


def _leg(state: ArbitrageState, venue: Venue, parts: Attribution) -> dict[str, Value]:
    instrument = state.opportunity.leg(venue).instrument
    own = [f for f in state.fills if f.venue is venue and f.state is not FillState.VOIDED]
    opposite = state.opposite_intents
    bought = [f for f in own if f.action is Action.BUY and f.intent_id not in opposite]
    entry = next(
        (
            one
            for one in state.intents
            if one.order.venue is venue and one.order.purpose is Purpose.ENTRY
        ),
        None,
    )
    return {
        "market": instrument.market,
        "token": instrument.token,
        "outcome": instrument.outcome.upper(),
        "bought": _sizes(bought),
        "sold": _sizes([fill for fill in own if fill.action is Action.SELL]),
        "cost": Usd(sum((fill.notional for fill in bought), start=NO_USD)),
        "fee": parts.fees[venue],
        "slippage": parts.slippage[venue],
        "currency": CURRENCY[venue],
        "order_id": getattr(entry.answer, "order_id", None) if entry else None,
        "trade_ids": " ".join(fill.trade_id for fill in own) or None,
    }


def _sizes(fills: list[Fill]) -> Value:
    return sum((fill.size for fill in fills), start=NO_SIZE)
