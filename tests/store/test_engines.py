"""The same acts on a file and on a PostgreSQL server: the same answers, and the same rows."""

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from domain.venue import Mode, Venue
from store import adoptions, exposure, outbox, reconciliation, trade_log, views
from store.journal import Journal
from store.place import Place, SchemaAddress
from store.tables import Base
from tests.store.acts import FATES, STEPS, perform
from tests.store.builders import NOW, a_request, an_opportunity, ready_at

pytestmark = pytest.mark.postgres
DAY = "2026-09-21"
# A number that the database counts up: a transaction that was undone leaves a gap in one engine and
# none in the other. What counts is the order of the rows.
COUNTED = {("deliveries", "outbox_id"), ("chats", "since_id")}

ASKED = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["0.50 0.40", "0.55 0.44", "0.30 0.30", "0.50 0.49"]),
    st.sampled_from(["1", "2.5", "4"]),
    st.sampled_from([0, 10, 61_000]),
    st.sampled_from(["1", "10", "400"]),
)


def rows_of(journal: Journal) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the order of its key."""
    found = {}
    with journal.database.reader.connect() as connection:
        for table in Base.metadata.sorted_tables:
            serial = [c for c in table.primary_key if c.name == "id" and c.type.python_type is int]
            shown = [c for c in table.c if c not in serial and (table.name, c.name) not in COUNTED]
            query = sa.select(*shown).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


async def answers(journal: Journal) -> list[object]:
    """What the readers of the journal say."""
    told: list[object] = [
        await journal.read(lambda s: trade_log.stats(s, Mode.SIM, DAY)),
        await journal.read(lambda s: exposure.silent(s, Mode.SIM, NOW + 1_000)),
        await journal.read(lambda s: adoptions.forsaken(s, Mode.SIM)),
        await journal.read(lambda s: views.equity(s, Mode.SIM, 0)),
        await journal.read(lambda s: views.latencies(s, Mode.SIM, 0)),
        await journal.read(lambda s: views.fees_on(s, Mode.SIM, DAY)),
        await journal.read(lambda s: views.executed(s, Mode.SIM, 0)),
        await journal.read(outbox.backlog),
        await journal.read(_books),
        await journal.refusals(Mode.SIM, 0),
        [one.arb_id for one in await journal.unfinished()],
        await journal.run_state(),
    ]
    for venue in Venue:
        told.append(await journal.free_cash(venue, Mode.SIM))
        told.append(await journal.read(partial(views.balance, venue=venue, mode=Mode.SIM)))
    return told


def _books(session: Session) -> object:
    """The journal as the venues' records are held against it; its orders are a set."""
    view = reconciliation.view(session, Mode.SIM, (), 0, 0)
    return replace(view, orders=tuple(sorted(view.orders, key=lambda one: one.key)))


async def answer(asked: Any) -> object:
    """What comes of it: a value, or the kind of error."""
    try:
        return await asked
    except Exception as problem:  # noqa: BLE001 - the other engine has to raise the same
        return type(problem).__name__


async def lived(
    where: Place,
    asked: Iterable[tuple[int, str, str, int, str]],
    entries: list[tuple[str, str]],
    steps: list[tuple[str, int, Venue, str]],
) -> tuple[list[object], dict[str, list[tuple[Any, ...]]]]:
    """All that is told on the way, and every row at the end."""
    journal = await ready_at(where, max_bet="20", max_daily_trades=6, cash="60")
    told: list[object] = []
    for number, fates in enumerate(entries):
        told.append(await answer(perform(journal, "ask", number, Venue.KALSHI, "0.45")))
        for venue, fate in zip(Venue, fates, strict=True):
            told.append(await answer(perform(journal, fate, number, venue, "0.45")))
    for act, number, venue, limit in steps:
        told.append(await answer(perform(journal, act, number, venue, limit)))
    for number, (pair, limits, worst, later, contracts) in enumerate(asked):
        plan = an_opportunity(f"g{number}", pair=f"pair-{pair}", contracts=contracts, limits=limits)
        request = a_request(plan, worst_loss=worst, now_ms=NOW + later)
        told.append(await answer(journal.reserve(request)))
        told.append(await answer(journal.reserve(request)))
    told.append(await answers(journal))
    rows = rows_of(journal)
    journal.close()
    return told, rows


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    asked=st.lists(ASKED, max_size=8),
    entries=st.lists(st.tuples(FATES, FATES), min_size=3, max_size=3),
    steps=st.lists(STEPS, max_size=25),
)
def test_both_engines_answer_and_keep_the_same(
    postgres_url: str,
    asked: list[tuple[int, str, str, int, str]],
    entries: list[tuple[str, str]],
    steps: list[tuple[str, int, Venue, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        on_file = asyncio.run(lived(Path(folder) / "journal.db", asked, entries, steps))
    schema = f"d_{uuid4().hex[:16]}"
    on_server = asyncio.run(lived(SchemaAddress(postgres_url, schema), asked, entries, steps))
    for here, there in zip(on_file[0], on_server[0], strict=True):
        assert here == there
    assert on_file[1] == on_server[1]
