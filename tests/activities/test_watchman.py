"""What is naked in silence gets its alarm from the journal alone."""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session, select

from activities.desk import Desk
from activities.watchman import NAKED_MS, UNANSWERED_MS, look, look_for_answers
from domain.order import Answer, Filled, FillState, Purpose, Unknown
from domain.venue import Action, Mode, Venue
from store.tables import AlarmRow
from tests.store.builders import (
    NOW,
    a_fill,
    admitted,
    an_identity,
    an_instrument,
    an_order,
    plan_unwind,
    ready,
)

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
        await plan_unwind(journal, other, an_identity(other), NOW)
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


@pytest.mark.parametrize("entry", ["10", "10.5"])
async def test_a_leg_that_was_bought_twice_is_naked_beside_a_whole_one(
    tmp_path: Path, entry: str
) -> None:
    """What one order gave beyond its size is no hedge's gap; a second order's contracts are."""
    journal = await ready(tmp_path / "journal.sqlite3")
    try:
        request = await admitted(journal)
        plan = request.opportunity
        again = an_order(plan, Venue.POLYMARKET, purpose=Purpose.COMPLETE, limit="0.45")
        again = replace(again, action=Action.BUY, reduce_only=False)
        await plan_unwind(journal, again, an_identity(again), NOW)
        sizes = {Venue.POLYMARKET: entry, Venue.KALSHI: "10"}
        bought = [(one, sizes[one.venue]) for one, _ in request.orders]
        for order, contracts in (*bought, (again, "10")):
            await journal.mark_sent(order.intent_id, NOW)
            fill = a_fill(order, contracts=contracts)
            await journal.record_answer(order.intent_id, Filled("order", (fill,)), NOW)
        desk = Desk(journal, {}, lambda: NOW + NAKED_MS, lambda: None, lambda: None)
        assert await look(desk, Mode.SIM) == (request.arb_id,)
        (detail,) = await journal.read(_alarms)
        twice = f"{Decimal(entry) + 10:f}"
        assert detail.startswith(f"polymarket holds {twice}"), detail
    finally:
        journal.close()


UNANSWERED = """
    answer   later  alarm
    -        2999   none
    -        3000   amber
    unknown  3000   amber
    unknown  10000  amber
    unknown  10001  red
    filled   10001  none
    unsent   10001  none
"""


@pytest.mark.parametrize(
    ("answer", "later", "alarm"), [line.split() for line in UNANSWERED.strip().splitlines()[1:]]
)
async def test_an_order_without_an_answer_is_alarmed_whoever_asks_its_venue(
    tmp_path: Path, answer: str, later: str, alarm: str
) -> None:
    assert UNANSWERED_MS == 3_000
    journal = await ready(tmp_path / "journal.sqlite3")
    try:
        request = await admitted(journal)
        order = request.orders[0][0]
        if answer != "unsent":
            await journal.mark_sent(order.intent_id, NOW)
        said: dict[str, Answer] = {
            "unknown": Unknown("timed out"),
            "filled": Filled("order", (a_fill(order),)),
        }
        if answer in said:
            await journal.record_answer(order.intent_id, said[answer], NOW)
        desk = Desk(journal, {}, lambda: NOW + int(later), lambda: None, lambda: None)
        expected = () if alarm == "none" else (order.intent_id,)
        assert await look_for_answers(desk, Mode.SIM) == expected
        assert await look_for_answers(desk, Mode.SIM) == (), "what is open is not opened again"
        seen = await journal.read(_open)
        assert [(one.code, one.severity, one.arb_id) for one in seen] == (
            [("UNKNOWN_LEG", alarm, order.arb_id)] if expected else []
        )
    finally:
        journal.close()


async def test_an_alarm_turns_red_in_time_and_closes_with_the_answer(tmp_path: Path) -> None:
    """Whoever the answer comes to: also to the sender itself, later than the alarm."""
    journal = await ready(tmp_path / "journal.sqlite3")
    try:
        order = (await admitted(journal)).orders[0][0]
        await journal.mark_sent(order.intent_id, NOW)
        for later, severity in ((3_000, "amber"), (9_000, "amber"), (11_000, "red")):
            desk = Desk(journal, {}, partial(int, NOW + later), lambda: None, lambda: None)
            await look_for_answers(desk, Mode.SIM)
            assert [one.severity for one in await journal.read(_open)] == [severity]
        await journal.record_answer(order.intent_id, Unknown("timed out"), NOW + 12_000)
        assert len(await journal.read(_open)) == 1
        await journal.record_answer(
            order.intent_id, Filled("order", (a_fill(order),)), NOW + 13_000
        )
        assert await journal.read(_open) == []
    finally:
        journal.close()


def _open(session: Session) -> list[AlarmRow]:
    return [row for row in session.exec(select(AlarmRow)) if row.closed_ms is None]
