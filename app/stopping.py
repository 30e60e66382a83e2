"""`lockstep kill`, `unkill` and `confirm-restore`: a person's word on whether entries may leave."""

import asyncio
import getpass
from datetime import UTC, datetime

from sqlmodel import Session

from app.config import Config
from app.errors import ConfigError, DependencyError, GuardError, UsageError
from app.links import open_journal, wall_ms
from store import anchors, reconciliation, run_state
from store.alarms import close
from store.audit import Act
from store.errors import JournalBusy, StoppedByFile
from store.journal import Journal
from store.kill_file import KillFile

UNKILL_WORD = "unkill"
RESTORE_WORD = "restored"


async def kill(config: Config, reason: str) -> str:
    """Stop every entry at the last gate. Where the journal cannot be written, the kill file does
    it, and does it within a second of waiting."""
    if not reason.strip():
        raise UsageError("--reason: expected why, found nothing")
    file = KillFile(config.data_dir)
    try:
        await file.stop_surely(_halt(config, reason), reason)
    except StoppedByFile as stopped:
        return f"{stopped}. Unwinds go on; entries stay stopped until `lockstep unkill`"
    return f"halted: {reason}. Unwinds go on; entries stay stopped until `lockstep unkill`"


async def _halt(config: Config, reason: str) -> None:
    """Halt by the journal; JournalBusy where it cannot be opened or written."""
    try:
        journal = await asyncio.to_thread(open_journal, config)
    except (DependencyError, ConfigError) as trouble:
        raise JournalBusy(str(trouble)) from trouble
    try:
        await journal.halt(reason, _act())
    finally:
        journal.close()


async def unkill(config: Config, word: str) -> str:
    """Release the halt and remove the kill file. A journal that was restored needs more."""
    if word != UNKILL_WORD:
        raise GuardError(f"entries may leave again after this: add `--word {UNKILL_WORD}`")
    journal = open_journal(config)
    try:
        if (suspicion := await journal.read(anchors.suspicion)) is not None:
            raise GuardError(suspicion)
        removed = await KillFile(config.data_dir).release(lambda: journal.resume(_act()))
        entries = await _entries(config, journal)
    finally:
        journal.close()
    return f"resumed{', and the kill file is gone' if removed else ''}: {entries}"


async def confirm_restore(config: Config, word: str) -> str:
    """Go on from what the venues say, once they have been read since."""
    journal = open_journal(config)
    try:
        standing = await journal.read(reconciliation.read)
        if standing.restored is None:
            return "the journal is not under suspicion: nothing to confirm"
        if not standing.read_since_restored:
            raise GuardError(
                "both venues have not been read since the journal was found to be restored: let "
                "an executor run until its first whole report"
            )
        if word != RESTORE_WORD:
            raise GuardError(
                f"{standing.restored}. Compare the alarms with both venues' own pages, then add "
                f"`--word {RESTORE_WORD}`"
            )
        await _go_on(journal)
        entries = await _entries(config, journal)
    finally:
        journal.close()
    read = datetime.fromtimestamp((standing.whole_ms or 0) / 1000, UTC)
    return f"confirmed on the report of {read:%Y-%m-%d %H:%M:%S} UTC: {entries}"


async def _entries(config: Config, journal: Journal) -> str:
    """Whether entries may leave now, or what still keeps them and what lifts it."""
    file, state = KillFile(config.data_dir).reason(), await journal.run_state()
    if file is not None:
        return f"entries stay stopped by {file}; `lockstep unkill` removes it"
    if state.halted:
        return f"entries stay {state.stopped}; `lockstep unkill` releases it"
    return (
        "entries may leave again"
        if state.enabled
        else "entries stay paused as before; `lockstep resume` switches them on"
    )


async def _go_on(journal: Journal) -> None:
    act = _act()

    def work(session: Session) -> None:
        reconciliation.confirm_restored(session)
        close(session, anchors.ALARM, f"confirmed by {act.actor}", act.at_ms)
        run_state.resume(session, act)

    await journal.write(act.at_ms, work)


def _act() -> Act:
    return Act(getpass.getuser(), "cli", wall_ms())
