"""Whether this machine may let entries leave: room for the journal, a disk that keeps what is
written to it, a clock that agrees with a venue's and with that of the journal's server, and a
Temporal server that does what we ask.
What stops them here stops no unwind, and is over by itself."""

import logging
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlmodel import Session

from activities.desk import Desk
from app.links import wall_ms
from domain.venue import Venue
from store import alarms, clock, lease
from store.alarms import Alarm
from store.errors import JournalBusy
from store.states import Severity
from venues.kalshi.client import KalshiClient

SKEW_MS_MAX = 2_000
AHEAD_MS_MAX = lease.SKEW_MS // 2
"""How far our clock may be from that of the journal's server: two machines may be as far to either
side of it."""
MEGABYTE = 1_000_000
SOUND_AFTER_MS = 60_000
"""How long after its last failure a disk is believed again."""

log = logging.getLogger(__name__)


def problem(
    free_mb: int, free_mb_min: int, skew_ms: int | None, ahead_ms: int | None = None
) -> str | None:
    """Why no entry may leave; None where nothing is wrong. `skew_ms` is a venue's clock minus
    ours, `ahead_ms` ours minus that of the journal's server; None where none was told."""
    if free_mb < free_mb_min:
        return f"{free_mb} MB are free for the journal, {free_mb_min} are needed"
    if skew_ms is not None and abs(skew_ms) > SKEW_MS_MAX:
        return f"Kalshi's clock and ours are {abs(skew_ms) / 1000:.1f} s apart"
    if ahead_ms is not None and abs(ahead_ms) > AHEAD_MS_MAX:
        way = "ahead of" if ahead_ms > 0 else "behind"
        return (
            f"our clock is {abs(ahead_ms) / 1000:.1f} s {way} that of the journal's server: mend "
            "the time synchronisation of whichever is wrong, since leases are judged by the clock"
        )
    return None


class Fitness:
    """Looked at every second; the alarm is one per machine, so that whoever runs here next closes
    what the last one opened."""

    def __init__(self, desk: Desk, folders: Sequence[Path], free_mb_min: int) -> None:
        """Each of `folders` must have `free_mb_min` megabytes free on its disk."""
        self._desk = desk
        self._folders = folders
        self._free_mb_min = free_mb_min
        self._key = f"machine:{socket.gethostname()}"
        self._ahead_ms: int | None = None
        self._failed: tuple[int, str] | None = None
        self._told: bool | None = None
        self.unfit: str | None = None
        self.lacking: str | None = None
        """What the Temporal server does not do."""

    def journal_failed(self, how: str) -> None:
        """The journal was not written, for the sake of its disk. It is told once that is possible,
        and no entry leaves before a while has passed without another one."""
        self._failed = wall_ms(), how
        self.unfit = how

    async def look(self) -> None:
        """Look again, and tell where that changed."""
        tally, skew_ms = self._desk.tally, self._skew_ms()
        await self._look_at_clock()
        if skew_ms is not None:
            tally.gauge("arb_clock_skew_seconds", skew_ms * 1_000, venue=Venue.KALSHI.value)
        try:
            free = min(shutil.disk_usage(folder).free for folder in self._folders)
            tally.gauge("arb_disk_free_bytes", free)
            self.unfit = problem(free // MEGABYTE, self._free_mb_min, skew_ms, self._ahead_ms)
            self.unfit = self.unfit or self._failing() or self.lacking
        except OSError as trouble:
            self.unfit = f"{trouble.filename} cannot be looked at: {trouble}"
        if self._told is (self.unfit is not None):
            return
        if self.unfit is not None:
            log.error("no entry leaves: %s", self.unfit)
        now_ms = wall_ms()
        await self._desk.journal.write(now_ms, lambda s: self._tell(s, now_ms))
        self._told = self.unfit is not None

    async def _look_at_clock(self) -> None:
        """A server that does not answer keeps what it said last: nothing leaves without it."""
        with suppress(JournalBusy):
            self._ahead_ms = await self._desk.journal.read(lambda s: clock.ahead_ms(s, wall_ms))

    def _tell(self, session: Session, now_ms: int) -> None:
        if self.unfit is None:
            alarms.close(session, self._key, "the machine is fit again", now_ms)
            return
        found = Alarm(
            self._key, "MACHINE_UNFIT", Severity.RED, f"{socket.gethostname()}: {self.unfit}"
        )
        alarms.raise_alarm(session, found, now_ms)

    def _failing(self) -> str | None:
        if self._failed is not None and wall_ms() - self._failed[0] > SOUND_AFTER_MS:
            self._failed = None
        return None if self._failed is None else self._failed[1]

    def _skew_ms(self) -> int | None:
        port = self._desk.venues.get(Venue.KALSHI)
        return port.clock_skew_ms if isinstance(port, KalshiClient) else None
