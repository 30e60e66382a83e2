"""Writers touch integers and text only, on the writing thread only, and finish what they begin."""

import asyncio
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, text

from domain.money import usd
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from store.errors import JournalConflict
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import NOW, admitted, an_act, an_opportunity, ready
from tests.store.test_schema import READING_COLUMNS
from tests.store.test_trade_logger import locked, roll_back
from tests.support.places import REFUSED, plain


async def test_no_write_names_a_real_column_or_carries_anything_but_integers_and_text(
    journal: Journal,
) -> None:
    written: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        written.append((statement, values))

    event.listen(journal.database.writer, "before_cursor_execute", keep)
    await journal.settings.update({"max_bet": "12.5"}, 2, an_act())
    await roll_back(journal, await admitted(journal, an_opportunity("a")), "0.45")
    request = await locked(journal, "b")
    await journal.set_phase(request.arb_id, Phase.SETTLING, NOW + 70)
    await journal.record_payout(request.arb_id, Venue.KALSHI, usd("10"), NOW + 80)
    await journal.conclude(
        Conclusion(request.arb_id, Phase.SETTLED, TradeStatus.SUCCESS, "", {}, NOW + 90)
    )

    writes = [(s, v) for s, v in written if s.startswith(("INSERT", "UPDATE"))]
    tables = {statement.split()[2 if statement[0] == "I" else 1] for statement, _ in writes}
    assert {"executor_settings", "executor_trades", "executor_positions"} <= tables
    real = {name for names in READING_COLUMNS.values() for name in names}
    for statement, values in writes:
        words = set(statement.replace("(", " ").replace(")", " ").replace(",", " ").split())
        assert not words & real, statement
        rows = values if isinstance(values, list) else [values]
        for value in (value for row in rows for value in row):
            assert value is None or isinstance(value, int | str), (statement, value)
            assert not isinstance(value, Decimal), statement


FORBIDDEN = [
    "UPDATE audit SET actor = 'eve'",
    "DELETE FROM audit",
    "UPDATE events SET kind = 'x'",
    "DELETE FROM settings_history",
    "DELETE FROM intents",
    "UPDATE intents SET size_micro = 1",
    "UPDATE intents SET key = 'x'",
    "DELETE FROM fills",
    "UPDATE fills SET size_micro = 1",
    "UPDATE fills SET fee_micro = 0",
    "DELETE FROM arbitrages",
    "DELETE FROM executor_trades",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_what_was_journaled_cannot_be_rewritten_by_anybody(
    journal: Journal, statement: str
) -> None:
    await locked(journal)
    raw = plain(journal.database.place)
    with pytest.raises(REFUSED, match=r"rows stay|keep their facts"):
        raw.execute(statement)
    raw.close()


BROKEN = [
    "UPDATE risk_days SET reserved_loss_micro = -1",
    "UPDATE arbitrages SET phase = 'MAYBE'",
    "UPDATE arbitrages SET phase = 'FLAT'",
    "UPDATE reservations SET state = 'held'",
    "UPDATE intents SET state = 'not_filled', rejection = NULL",
    "UPDATE executor_settings SET max_bet_micro = 1",
    "UPDATE executor_trades SET status = 'WON'",
    "UPDATE run_state SET halted = 1",
    "INSERT INTO payouts VALUES ('arb-unknown', 'kalshi', 1, 1)",
]


@pytest.mark.parametrize("statement", BROKEN)
async def test_a_row_that_breaks_a_rule_is_a_conflict_and_halts(
    journal: Journal, statement: str
) -> None:
    await locked(journal)

    def corrupt(session: Session) -> None:
        session.connection().execute(text(statement))

    with pytest.raises(JournalConflict, match="constraint"):
        await journal.write(NOW, corrupt)
    assert (await journal.run_state()).halted


async def test_a_cancelled_caller_does_not_undo_a_write(journal: Journal) -> None:
    release = threading.Event()
    begun = threading.Event()

    def slow(session: Session) -> None:
        begun.set()
        release.wait(timeout=10)
        session.connection().execute(text("UPDATE run_state SET epoch = 77"))

    task = asyncio.create_task(journal.write(NOW, slow))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()

    await journal.write(NOW, lambda _: None)
    assert (await journal.run_state()).epoch == 77


async def test_writes_leave_the_event_loop_free(tmp_path: Path) -> None:
    journal = await ready(tmp_path / "journal.db")
    release = threading.Event()
    task = asyncio.create_task(journal.write(NOW, lambda _: release.wait(timeout=10)))

    assert (await journal.run_state()).enabled

    release.set()
    assert await task
    journal.close()
