"""The embedded Temporal server is watched: when it ends unasked, it is started again as it was.

Without it no workflow moves: nothing new is traded, and nothing that is naked is sold back.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from app.children import RESTART_SECONDS
from app.config import Config
from app.errors import DependencyError, LockstepError
from app.links import open_journal, wall_ms
from app.temporal import Server, ServerOptions, open_server, start_server, stop_server
from store.alarms import Alarm
from store.errors import JournalBusy
from store.states import Severity

LOOK_SECONDS = 0.1
TRIES = 12
"""Starts in a row that fail before a run ends: with other ports, or after a person looked, the
next one may do better."""
KEY = "temporal"
EMBEDDED = "LOCKSTEP_TEMPORAL_EMBEDDED"
"""Set for the processes of a run whose server is kept here."""
Tell = Callable[[str | None, bool], Awaitable[None]]
"""Says what is wrong, and whether it stays so; None once all is well."""


class Keeper:
    """One embedded server. `server` is the one that runs now, or ran last."""

    def __init__(self, server: Server, options: ServerOptions, tell: Tell) -> None:
        self.server = server
        self._options = replace(
            options,
            port=_port(server.address),
            ui_port=_port(server.ui_url) if options.ui else None,
        )
        self._tell = tell

    async def run(self) -> None:
        """Until it is cancelled. Raises DependencyError where the server does not come back."""
        while True:
            code = await self._ended()
            await self._tell(f"the Temporal server ended unasked (code {code})", False)
            await self._bring_back()
            await self._tell(None, False)

    async def _ended(self) -> int:
        process = self.server.process
        assert process is not None, "an embedded server is a process of ours"
        while True:
            code = process.poll()
            if code is not None:
                return code
            await asyncio.sleep(LOOK_SECONDS)

    async def _bring_back(self) -> None:
        for tried in range(TRIES):
            await asyncio.sleep(RESTART_SECONDS[min(tried, len(RESTART_SECONDS) - 1)])
            try:
                self.server = await start_server(self._options)
            except DependencyError as error:
                lost = error
                await self._tell(f"the Temporal server does not come back: {error}", True)
            else:
                return
        raise DependencyError(f"Temporal: started {TRIES} times in vain; the last time: {lost}")


@asynccontextmanager
async def kept_server(
    options: ServerOptions, address: str | None, tell: Tell
) -> AsyncIterator[Server]:
    """As `open_server`; an embedded server is brought back whenever it ends unasked, and where
    that cannot be, the block is cancelled and DependencyError raised."""
    if address:
        async with open_server(options, address) as server:
            yield server
        return
    keeper = Keeper(await start_server(options), options, tell)
    owner, lost = asyncio.current_task(), []
    assert owner is not None, "called from a task"

    async def keep() -> None:
        try:
            await keeper.run()
        except DependencyError as error:
            lost.append(error)
            owner.cancel()

    keeping = asyncio.create_task(keep())
    try:
        yield keeper.server
    except asyncio.CancelledError:
        if not lost:
            raise
        owner.uncancel()
        raise lost[0] from None
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await stop_server(keeper.server)


async def tell_of_server(config: Config, trouble: str | None, stays: bool) -> None:
    """On stderr, and as an alarm of the journal, which closes once all is well. A journal that
    cannot be written now keeps no server from coming back."""
    sys.stderr.write(f"temporal: {trouble or 'answers again'}\n")
    try:
        journal = await asyncio.to_thread(open_journal, config)
    except LockstepError as error:
        sys.stderr.write(f"temporal: no alarm: {error}\n")
        return
    try:
        if trouble is None:
            await journal.close_alarm(KEY, "Temporal answers again", wall_ms())
        else:
            severity = Severity.RED if stays else Severity.AMBER
            await journal.raise_alarm(Alarm(KEY, "TEMPORAL_DOWN", severity, trouble), wall_ms())
    except JournalBusy as busy:
        sys.stderr.write(f"temporal: no alarm: {busy}\n")
    finally:
        journal.close()


def _port(address: str | None) -> int:
    assert address is not None, "a server that has started has its ports"
    return int(address.rpartition(":")[2])
