"""The newest trades and lines of the story, for the state that the first page finds."""

from dataclasses import dataclass

from sqlmodel import Session

from api import story, trade_rows
from api.wire import Json
from domain.venue import Mode
from store import trade_log, views

TRADES_KEPT = 50
EVENTS_KEPT = 200


@dataclass(frozen=True, slots=True)
class FirstPage:
    """Trades and events, newest first; `numbers` are the trades' places in the log by id, `next`
    is the cursor of older trades."""

    trades: list[Json]
    numbers: dict[str, int]
    next: str | None
    events: list[Json]


def first_page(session: Session, mode: Mode, message: int, audited: int) -> FirstPage:
    """Up to the message and the audit row with these ids."""
    found = trade_log.trades(session, mode, TRADES_KEPT)
    planned = views.planned_profits(session, [row.arb_id for row in found])
    last = views.pulse(session, mode, message - EVENTS_KEPT, audited - EVENTS_KEPT)
    said = [story.of_message(told) for told in last.told]
    said += [story.of_audit(row) for row in last.audited]
    lines = [line for line in said if line is not None]
    return FirstPage(
        [trade_rows.trade(row, planned.get(row.arb_id), numbers=True) for row in found],
        {row.arb_id: row.id for row in found},
        str(found[-1].id) if len(found) == TRADES_KEPT else None,
        sorted(lines, key=lambda line: str(line["at"]))[: -EVENTS_KEPT - 1 : -1],
    )
