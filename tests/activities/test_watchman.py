"""What is naked in silence gets its alarm from the journal alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, select

from activities.desk import Desk
from activities.watchman import NAKED_MS, look
from domain.order import Filled, FillState, Purpose
from domain.venue import Action, Mode, Venue
from store.tables import AlarmRow
from tests.store.builders import NOW, a_fill, admitted, an_identity, an_instrument, an_order, ready

TABLE = """
    polymarket  kalshi  state      later  alarm
    10          -       confirmed  3000   polymarket holds 10.000000, kalshi holds 0.000000
    -           10      confirmed  3000   polymarket holds 0.000000, kalshi holds 10.000000
    10          4       confirmed  3000   polymarket holds 10.000000, kalshi holds 4.000000
    10          -       confirmed  2999   none
    10          -       voided     3000   none
    10          10      confirmed  3000   none
    10.5        10      confirmed  3000   none
    10          9.96    confirmed  3000   none
    -           -       confirmed  3000   none
"""
ROWS = [line.split(maxsplit=4) for line in TABLE.strip().splitlines()[1:]]


@pytest.mark.parametrize(("polymarket", "kalshi", "state", "later", "alarm"), ROWS)
async def test_one_leg_that_is_held_alone_in_silence_is_alarmed(
    tmp_path: Path, polymarket: str, kalshi: str, state: str, later: str, alarm: str
) -> None:
    assert NAKED_MS == 3_000
    journal = await ready(tmp_path / "journal.sqlite3")
    try:
        request = await admitted(journal)
        for order, _ in request.orders:
            held = polymarket if order.venue is Venue.POLYMARKET else kalshi
            assert order.purpose is Purpose.ENTRY
            if held != "-":
                await journal.mark_sent(order.intent_id, NOW)
                fill = a_fill(order, contracts=held, state=FillState(state))
                await journal.record_answer(order.intent_id, Filled("order", (fill,)), NOW)
        desk = Desk(journal, {}, lambda: NOW + int(later), lambda: None, lambda: None)
        expected = () if alarm == "none" else (request.arb_id,)
        assert await look(desk, Mode.SIM) == expected
        assert await look(desk, Mode.SIM) == (), "an alarm that is open is not opened again"
        details = await journal.read(_alarms)
        assert [detail.partition(":")[0] for detail in details] == ([alarm] if expected else [])
    finally:
        journal.close()


def _alarms(session: Session) -> list[str]:
    return [row.detail for row in session.exec(select(AlarmRow))]


@pytest.mark.parametrize(
    ("opposite", "alarm"),
    [
        ("10", None),
        ("10.6", None),
        ("9.96", None),
        ("4", "polymarket holds 6.000000, kalshi holds 0.000000"),
    ],
)
async def test_what_was_neutralised_is_not_naked(
    tmp_path: Path, opposite: str, alarm: str | None
) -> None:
    journal = await ready(tmp_path / "journal.sqlite3")
    try:
        request = await admitted(journal)
        entry = next(one for one, _ in request.orders if one.venue is Venue.POLYMARKET)
        held = an_instrument(Venue.POLYMARKET, entry.instrument.outcome.complement)
        other = replace(
            an_order(request.opportunity, Venue.POLYMARKET, purpose=Purpose.UNWIND),
            instrument=held,
            action=Action.BUY,
        )
        await journal.plan_unwind(other, an_identity(other), NOW)
        for order, contracts in ((entry, "10"), (other, opposite)):
            await journal.mark_sent(order.intent_id, NOW)
            fill = a_fill(order, contracts=contracts)
            await journal.record_answer(order.intent_id, Filled("order", (fill,)), NOW)
        desk = Desk(journal, {}, lambda: NOW + NAKED_MS, lambda: None, lambda: None)
        assert await look(desk, Mode.SIM) == (() if alarm is None else (request.arb_id,))
        details = await journal.read(_alarms)
        assert [detail.partition(":")[0] for detail in details] == ([alarm] if alarm else [])
    finally:
        journal.close()
