"""The database, opened: one writing connection on one thread, a few reading ones.

What an engine does in its own way is behind `store.backend`; the rest is plain SQLAlchemy.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from store.backend import backend
from store.errors import JournalConflict, Overtaken
from store.place import Place
from store.writing import Turn, WritingThread

T = TypeVar("T")
Work = Callable[[Session], T]

ATTEMPTS = 4
"""How often a transaction runs that the engine undoes for another's sake."""


class Database:
    """One journal's database. `write` and `read` run a function of a Session off the event loop.

    All writes of this process queue for one thread; a write that was begun is finished even if
    the task that asked for it is cancelled.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.backend = backend(place)
        self.writer = self.backend.writer()
        self.reader = self.backend.reader()
        self._writing = WritingThread("journal-write")
        self._reading = ThreadPoolExecutor(self.backend.readers, thread_name_prefix="journal-read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction with the write lock held; commit, or roll all back."""
        return await self.on_writer(lambda: self.write_here(work))

    async def on_writer(self, act: Callable[[], T], turn: Turn = Turn.USUAL) -> T:
        """Run `act` on the writing thread, when it is its turn."""
        return await asyncio.wrap_future(self._writing.submit(act, turn))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent state of the database."""
        return await asyncio.wrap_future(self._reading.submit(self.read_here, work))

    def write_here(self, work: Work[T]) -> T:
        """As `write`, on the calling thread. `work` may run more than once: it does nothing but
        read and write the session."""
        for _ in range(ATTEMPTS - 1):
            with suppress(Overtaken):
                return self._run(self.writer, work)
        return self._run(self.writer, work)

    def read_here(self, work: Work[T]) -> T:
        """As `read`, on the calling thread."""
        return self._run(self.reader, work)

    def close(self) -> None:
        """Finish what was begun and let go of the database."""
        self._writing.close()
        self._reading.shutdown(wait=True)
        self.writer.dispose()
        self.reader.dispose()

    def _run(self, engine: Engine, work: Work[T]) -> T:
        try:
            with (
                self.backend.naming_trouble(),
                Session(engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                return work(session)
        except IntegrityError as error:
            raise JournalConflict(f"the database refuses it: {error.orig}") from error
