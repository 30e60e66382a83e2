"""The trade log in the columns of Koinly's universal CSV: one row per fill, payout and correction.

A contract is a token of its own that is bought, sold, and given up for what its venue pays; a fee
stands in the row of its fill. All cash of a trade that ended, added up, is its booked result.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlmodel import Session

from api.wire import text
from app.config import Config
from app.operating.exporting import CURRENCY, each
from domain.money import NO_SIZE, NO_USD, ZERO, Size, Usd
from domain.order import Fill, FillState
from domain.venue import Action, Instrument, Outcome, Venue
from store import arbitrages, events
from store.arbitrages import ArbitrageState
from store.lifecycle import moved_by_hand
from store.trade_log import LoggedTrade

COLUMNS = (
    "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount",
    "Fee Currency", "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
)  # fmt: skip
BY_HAND = "USD"
MARKET_LETTERS = 12
Amount = tuple[Decimal, str]
"""How much, and of which currency or token."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One row: what left, what came, and the fee beside both."""

    at_ms: int
    sent: Amount | None
    received: Amount | None
    fee: Amount | None
    said: str


async def rows(config: Config, told: Callable[[int], None]) -> list[Movement]:
    """Every movement of the mode's trades, the oldest first; `told` hears how many trades were
    read so far."""
    found = await each(config, _of_one, told)
    return sorted((one for trade in found for one in trade), key=lambda one: one.at_ms)


def as_csv(found: Iterable[Movement]) -> str:
    """The file, with its heading. Times are UTC to the second, as the importer wants them."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in found:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        amounts = (cell for amount in (one.sent, one.received, one.fee) for cell in _cells(amount))
        # Neither venue's trade id is the hash of a transaction, so that column stays empty.
        writer.writerow([at, *amounts, "", "", "", one.said, ""])
    return out.getvalue()


def movements(
    state: ArbitrageState, paid_at: dict[Venue, int], by_hand: Usd = Usd(ZERO)
) -> list[Movement]:
    """What one trade moved. `paid_at` says when each payout was booked (wall-clock ms).

    A provisional fill is left out: it may yet be void, and an importer does not take back.
    """
    final = [fill for fill in state.fills if fill.state is FillState.CONFIRMED]
    told = [_filled(state, fill) for fill in final]
    for venue, amount in state.payouts.items():
        told += _settled(state, venue, amount, paid_at[venue])
    if by_hand:
        assert state.closed_at_ms is not None, f"{state.arb_id} was resolved by hand, so it ended"
        cash = (abs(by_hand), BY_HAND)
        sent, received = (None, cash) if by_hand > ZERO else (cash, None)
        said = _said(state, "moved by a person outside of our orders")
        told.append(Movement(state.closed_at_ms, sent, received, None, said))
    return told


def token(instrument: Instrument, outcome: Outcome) -> str:
    """The name of a contract: its market and its outcome."""
    if instrument.venue is Venue.KALSHI:
        return f"{instrument.market}-{outcome.upper()}"
    return f"PM-{instrument.market.removeprefix('0x')[:MARKET_LETTERS]}-{outcome.upper()}"


def _of_one(session: Session, logged: LoggedTrade) -> list[Movement]:
    state = arbitrages.load(session, logged.arb_id)
    paid_at = {
        Venue(str(event.detail["venue"])): event.at_ms
        for event in events.of_arbitrage(session, state.arb_id)
        if event.kind == "payout"
    }
    return movements(state, paid_at, moved_by_hand(session, state.arb_id) or NO_USD)


def _filled(state: ArbitrageState, fill: Fill) -> Movement:
    own = state.opportunity.leg(fill.venue).instrument
    other = fill.intent_id in state.opposite_intents
    outcome = own.outcome.complement if other else own.outcome
    cash: Amount = (fill.notional, CURRENCY[fill.venue])
    contracts: Amount = (fill.size, token(own, outcome))
    buys = fill.action is Action.BUY
    sent, received = (cash, contracts) if buys else (contracts, cash)
    fee = (fill.fee, CURRENCY[fill.venue]) if fill.fee else None
    said = _said(state, f"{fill.venue} {fill.action} {fill.trade_id}")
    return Movement(fill.at_ms, sent, received, fee, said)


def _settled(state: ArbitrageState, venue: Venue, amount: Usd, at_ms: int) -> list[Movement]:
    """Contracts given up for what their venue paid; those of the losing outcome for nothing."""
    leg, own = state.leg(venue), state.opportunity.leg(venue).instrument
    owned: dict[Outcome, Size] = {
        own.outcome: leg.owned,
        own.outcome.complement: leg.opposite,
    }
    paid = own.outcome
    if amount == leg.opposite != leg.owned:
        paid = own.outcome.complement
    return [
        Movement(
            at_ms,
            (count, token(own, outcome)),
            (amount if outcome is paid else Usd(ZERO), CURRENCY[venue]),
            None,
            _said(state, f"{venue} settled {outcome.upper()}"),
        )
        for outcome, count in owned.items()
        if count > NO_SIZE or (outcome is paid and amount > ZERO)
    ]


def _said(state: ArbitrageState, what: str) -> str:
    return f"{state.mode} {state.arb_id} {state.opportunity.title}: {what}"


def _cells(amount: Amount | None) -> tuple[str, str]:
    return ("", "") if amount is None else (text(amount[0]), amount[1])
