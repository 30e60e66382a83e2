"""The file that stops every entry: `KILL` in the data directory. Its first line says why."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from store.errors import JournalBusy, StoppedByFile
from store.run_state import STOPPED_AFTER_MS

T = TypeVar("T")
NAME = "KILL"
REASON_CHARACTERS = 200
PATIENCE_S = 1
"""How long the journal may take to stop entries before the file does."""


class KillFile:
    """While the file exists no entry leaves; where it cannot be looked for, none leaves either."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / NAME

    def reason(self) -> str | None:
        """Why entries are stopped; None only where it is certain that there is no such file."""
        try:
            self.path.lstat()
        except FileNotFoundError:
            return None if self.path.parent.is_dir() else f"{self.path.parent} is gone"
        except OSError as trouble:
            return f"{self.path} cannot be looked for: {trouble}"
        return f"{NAME} in {self.path.parent}: {self._words()}"

    def put(self, reason: str) -> None:
        """Stop all entries."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(reason + "\n", encoding="utf-8")

    def remove(self) -> bool:
        """Allow entries again as far as the file goes; False where there was none."""
        found = self.path.exists()
        self.path.unlink(missing_ok=True)
        return found

    async def stop_surely(self, stopping: Coroutine[Any, Any, T], reason: str) -> T:
        """Await what stops entries by the journal, and until the last one on its way has left.
        From PATIENCE_S on the file stops them as well, and goes again once the journal has; where
        the journal stays busy the file stays, and StoppedByFile says so."""
        task = asyncio.ensure_future(stopping)
        await asyncio.wait({task}, timeout=PATIENCE_S)
        mine = not task.done() and self.reason() is None
        if mine:
            self.put(reason)
        try:
            stopped = await task
        except JournalBusy as busy:
            if self.reason() is None:
                self.put(reason)
            await asyncio.sleep(STOPPED_AFTER_MS / 1000)
            raise StoppedByFile(f"halted by {self.path}: {busy}") from busy
        if mine:
            self.remove()
        await asyncio.sleep(STOPPED_AFTER_MS / 1000)
        return stopped

    async def release(self, resuming: Callable[[], Awaitable[object]]) -> bool:
        """Allow entries again: as far as the file goes, then by `resuming` in the journal. Where
        that fails the file is put back, so that half a release is none. False: there was none."""
        words = self._words() if self.path.exists() else ""
        found = self.remove()
        try:
            await resuming()
        except BaseException:
            if found:
                self.put(words)
            raise
        return found

    def _words(self) -> str:
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                return file.readline(REASON_CHARACTERS).strip() or "no reason given"
        except OSError as trouble:
            return f"its reason cannot be read ({trouble})"
