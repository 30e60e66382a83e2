"""Whatever happens to several arbitrages, the day's account equals the rows it sums up."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.trade import IllegalStep
from domain.venue import Venue
from store.errors import NotJournaled, StillOpen
from tests.store.acts import FATES, STEPS, perform
from tests.store.builders import ready
from tests.support.places import place, plain

ACCOUNTS = """
    SELECT
        (SELECT coalesce(sum(reserved_loss_micro), 0) FROM risk_days),
        (SELECT coalesce(sum(worst_loss_micro), 0) FROM reservations WHERE state = 'held'),
        (SELECT coalesce(sum(trades), 0) FROM risk_days),
        (SELECT count(*) FROM arbitrages WHERE phase <> 'REFUSED'),
        (SELECT coalesce(sum(realised_loss_micro), 0) FROM risk_days),
        (SELECT coalesce(sum(lost_micro), 0) FROM reservations),
        (SELECT coalesce(sum(lost_micro), 0) FROM reservations),
        (SELECT -coalesce(sum(pnl_micro), 0) FROM executor_trades t
            JOIN arbitrages a ON a.id = t.arb_id
            WHERE pnl_micro < 0 AND phase IN ('HOLDING', 'SETTLING', 'FLAT', 'SETTLED')),
        (SELECT -coalesce(sum(realised_micro), 0) FROM arbitrages WHERE realised_micro < 0),
        (SELECT -coalesce(sum(pnl_micro), 0) FROM executor_trades t
            JOIN arbitrages a ON a.id = t.arb_id
            WHERE pnl_micro < 0 AND phase IN ('FLAT', 'SETTLED')),
        (SELECT count(*) FROM executor_positions WHERE status = 'open'),
        (SELECT count(*) FROM executor_positions p JOIN arbitrages a ON a.id = p.event_key
            WHERE a.closed_ms IS NULL)
"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    entries=st.lists(st.tuples(FATES, FATES), min_size=3, max_size=3),
    steps=st.lists(STEPS, min_size=5, max_size=30),
)
def test_the_day_sums_up_what_the_arbitrages_say(
    entries: list[tuple[str, str]], steps: list[tuple[str, int, Venue, str]]
) -> None:
    async def live(path: Path) -> None:
        journal = await ready(path)
        raw = plain(place(path))
        for number, fates in enumerate(entries):
            await perform(journal, "ask", number, Venue.KALSHI, "0.45")
            for venue, fate in zip(Venue, fates, strict=True):
                await perform(journal, fate, number, venue, "0.45")
        for act, number, venue, limit in steps:
            # A step that is not allowed here must leave the accounts as they were.
            with suppress(IllegalStep, StillOpen, NotJournaled):
                await perform(journal, act, number, venue, limit)
            found = raw.execute(ACCOUNTS).fetchone()
            assert found[0::2] == found[1::2], (act, number, found)
        assert not (await journal.run_state()).halted
        raw.close()
        journal.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder) / "journal.db"))
