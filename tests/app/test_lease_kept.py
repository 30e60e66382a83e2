"""A lease that is not renewed is given up here as it runs out there, whatever the journal does."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlmodel import Session

from app.links import wall_ms
from app.sender import RENEW_SECONDS, Sender
from domain.venue import Venue
from store.journal import Journal
from store.lease import LEASE_MS
from tests.support.places import place

ACCOUNTS = {Venue.POLYMARKET: "polymarket/0xa", Venue.KALSHI: "kalshi/key"}
LATE_S = 3.0
"""What a busy machine may be late by."""


@asynccontextmanager
async def kept(folder: Path, name: str) -> AsyncIterator[tuple[Journal, Sender]]:
    """One process's journal and its lease, as far as it has it."""
    journal = Journal.open(place(folder / "journal.db"), wall_ms())
    try:
        sender = Sender(journal, name, ACCOUNTS, wall_ms)
        async with sender.kept():
            yield journal, sender
    finally:
        journal.close()


@contextmanager
def silent(journal: Journal) -> Iterator[None]:
    """Within the block no write of this process is answered, as on a connection that is dead
    without a word; the journal itself is free for others."""
    over, begun = threading.Event(), threading.Event()

    def stands_still(_: Session) -> None:
        begun.set()
        over.wait()

    journal.database._writing.submit(lambda: journal.database.write_here(stands_still))
    begun.wait()
    try:
        yield
    finally:
        over.set()


async def until(holds: Callable[[], bool], seconds: float) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_lease_that_is_not_renewed_is_given_up_as_another_may_take_it(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path, "one") as (journal, one), kept(tmp_path, "two") as (_, two):
        assert (one.holds, two.holds) == (True, False)

        def given_up() -> bool:
            assert not (one.holds and two.holds), "both send"
            return not one.holds

        with silent(journal):
            turned = asyncio.create_task(one.turn(True))
            await until(given_up, LEASE_MS / 1_000 + LATE_S)
            await asyncio.wait_for(turned, 1)
            await until(lambda: two.holds, LEASE_MS / 1_000 + RENEW_SECONDS + LATE_S)
        await asyncio.sleep(2 * RENEW_SECONDS)
        assert (one.holds, two.holds) == (False, True)


async def test_who_finds_its_lease_free_again_goes_on(tmp_path: Path) -> None:
    async with kept(tmp_path, "one") as (journal, one):
        with silent(journal):
            await until(lambda: not one.holds, LEASE_MS / 1_000 + LATE_S)
        await until(lambda: one.holds, 2 * RENEW_SECONDS + LATE_S)


async def test_a_journal_that_is_silent_for_less_costs_nothing(tmp_path: Path) -> None:
    async with kept(tmp_path, "one") as (journal, one):
        turned = asyncio.create_task(one.turn(True))
        with silent(journal):
            await asyncio.sleep(RENEW_SECONDS + 0.1)
        await asyncio.sleep(2 * RENEW_SECONDS)
        assert not turned.done()
        turned.cancel()
