"""Stopping and going on: by command, by file, and after a journal was put back from a backup."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from app.anchor import Anchor
from app.config import Config
from app.config_sources import load_config
from app.errors import GuardError, UsageError
from app.operating.switching import pause
from app.stopping import confirm_restore, kill, unkill
from domain.venue import Mode
from store import anchors, reconciliation
from store.audit import Act
from store.errors import JournalBusy
from store.journal import Journal
from store.kill_file import KillFile
from store.run_state import STOPPED_AFTER_MS
from tests.store.builders import NOW, admitted, an_opportunity, ready
from tests.support.holder import LOCKS, stopped_holder
from tests.support.waiting import until

ACT = Act("ann", "test", NOW)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration on an empty data directory."""
    return load_config(env={"LOCKSTEP_DATA_DIR": str(tmp_path)}, folder=tmp_path).config


@pytest.fixture
async def journal(config: Config) -> AsyncIterator[Journal]:
    """The journal of that configuration, open beside the command."""
    opened = await ready(config.database_path)
    yield opened
    opened.close()


async def test_a_kill_stays_until_the_typed_word(config: Config, journal: Journal) -> None:
    await kill(config, "the books look wrong")
    state = await journal.run_state()
    assert (state.halted, state.reason) == (True, "the books look wrong")
    with pytest.raises(GuardError, match="--word unkill"):
        await unkill(config, "yes")
    assert (await journal.run_state()).halted
    await unkill(config, "unkill")
    assert not (await journal.run_state()).halted


async def test_going_on_says_whether_entries_leave_then(config: Config, journal: Journal) -> None:
    await kill(config, "the books look wrong")
    assert await unkill(config, "unkill") == "resumed: entries may leave again"
    await pause(config, "pause")
    await Anchor(config.data_dir, Mode.SIM).report(journal, "expected order x, found none", ACT)
    await journal.write(NOW, lambda s: reconciliation.report(s, NOW + 1, clean=False))
    paused = "entries stay paused as before; `lockstep resume` switches them on"
    assert (await confirm_restore(config, "restored")).endswith(f" UTC: {paused}")
    await kill(config, "the books look wrong")
    assert await unkill(config, "unkill") == f"resumed: {paused}"


async def test_half_a_release_is_none(config: Config, journal: Journal) -> None:
    file = KillFile(config.data_dir)
    file.put("the books look wrong")

    async def busy() -> None:
        raise JournalBusy("held by a test")

    with pytest.raises(JournalBusy):
        await file.release(busy)
    assert "the books look wrong" in str(file.reason())


async def test_a_kill_is_acknowledged_once_nothing_can_leave_any_more(
    config: Config, journal: Journal
) -> None:
    await kill(config, "the books look wrong")
    acknowledged_ms = time.time_ns() // 1_000_000
    since_ms = (await journal.run_state()).since_ms
    assert since_ms is not None
    assert acknowledged_ms - since_ms >= STOPPED_AFTER_MS


async def test_a_stop_by_the_file_is_acknowledged_once_nothing_can_leave_any_more(
    config: Config,
) -> None:
    config.database_path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    await kill(config, "the books look wrong")
    acknowledged_s = time.time()
    assert acknowledged_s - KillFile(config.data_dir).path.stat().st_mtime >= (
        STOPPED_AFTER_MS / 1000
    )


async def test_a_pause_is_acknowledged_once_nothing_can_leave_any_more(
    config: Config, journal: Journal
) -> None:
    await pause(config, "pause")
    acknowledged_ms = time.time_ns() // 1_000_000
    saved_at = datetime.fromisoformat((await journal.settings.load()).updated_at)
    assert acknowledged_ms - saved_at.timestamp() * 1_000 >= STOPPED_AFTER_MS


async def test_a_kill_needs_a_reason(config: Config) -> None:
    with pytest.raises(UsageError, match="expected why"):
        await kill(config, " ")


@pytest.mark.parametrize("lock", LOCKS)
async def test_a_kill_works_while_a_stopped_process_holds_the_journal(
    config: Config, journal: Journal, lock: str
) -> None:
    file = KillFile(config.data_dir)
    with stopped_holder(config.database_path, lock):
        killing = asyncio.create_task(kill(config, "the books look wrong"))
        await until(lambda: file.reason() is not None, "the file does not stop entries")
        assert not killing.done(), "the journal is still waited for"
        assert file.reason() == f"KILL in {config.data_dir}: the books look wrong"
        said = await killing
    assert str(file.path) in said
    assert "stayed locked" in said
    assert file.reason() is not None
    assert not (await journal.run_state()).halted
    assert await unkill(config, "unkill") == (
        "resumed, and the kill file is gone: entries may leave again"
    )


async def test_a_kill_that_only_waited_leaves_no_file(config: Config, journal: Journal) -> None:
    file = KillFile(config.data_dir)
    with stopped_holder(config.database_path, "IMMEDIATE"):
        killing = asyncio.create_task(kill(config, "the books look wrong"))
        await until(lambda: file.reason() is not None, "the file does not stop entries")
    assert (await killing).startswith("halted: the books look wrong")
    assert (await journal.run_state()).reason == "the books look wrong"
    assert file.reason() is None


async def test_a_kill_works_on_a_damaged_journal(config: Config) -> None:
    config.database_path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    assert "not a sound database" in await kill(config, "the books look wrong")
    assert KillFile(config.data_dir).reason() is not None


async def test_an_unkill_removes_the_kill_file(config: Config, journal: Journal) -> None:
    file = KillFile(config.data_dir)
    file.put("by hand")
    assert file.reason() == f"KILL in {config.data_dir}: by hand"
    assert await unkill(config, "unkill") == (
        "resumed, and the kill file is gone: entries may leave again"
    )
    assert file.reason() is None


def test_whatever_is_not_certainly_absent_stops(tmp_path: Path) -> None:
    file = KillFile(tmp_path)
    assert file.reason() is None
    file.path.symlink_to(tmp_path / "nowhere")
    assert "KILL in" in str(file.reason()), "a dangling link is a file, too"
    file.path.unlink()
    file.path.mkdir()
    assert "its reason cannot be read" in str(file.reason())
    assert "is gone" in str(KillFile(tmp_path / "missing").reason())
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()
    assert "cannot be looked for" in str(KillFile(not_a_folder).reason())


async def test_a_journal_that_lacks_its_newest_order_was_restored(
    config: Config, journal: Journal, tmp_path: Path
) -> None:
    anchor = Anchor(config.data_dir, Mode.SIM)
    assert await anchor.older(journal) is None, "nothing was ever seen"
    await admitted(journal, an_opportunity())
    await anchor.write(journal)
    assert await anchor.older(journal) is None

    older = await ready(tmp_path / "yesterday.sqlite3")
    try:
        why = await anchor.older(older)
        assert why is not None
        await anchor.report(older, why, ACT)
        assert (await older.run_state()).halted
        await anchor.write(older)
        assert await anchor.older(older) == why, "a suspect journal does not become the anchor"
    finally:
        older.close()


async def test_an_anchor_that_cannot_be_read_is_no_good_news(
    config: Config, journal: Journal
) -> None:
    anchor = Anchor(config.data_dir, Mode.SIM)
    anchor.path.write_text('{"audit_id": 1}')
    assert "is not an anchor" in str(await anchor.older(journal))
    anchor.path.unlink()
    os.mkdir(anchor.path)
    assert "cannot be read" in str(await anchor.older(journal))


async def test_a_restored_journal_needs_the_venues_read_and_a_typed_word(
    config: Config, journal: Journal
) -> None:
    await Anchor(config.data_dir, Mode.SIM).report(journal, "expected order x, found none", ACT)
    with pytest.raises(GuardError, match="confirm-restore"):
        await unkill(config, "unkill")
    with pytest.raises(GuardError, match="have not been read"):
        await confirm_restore(config, "restored")
    await journal.write(NOW, lambda s: reconciliation.report(s, NOW + 1, clean=False))
    with pytest.raises(GuardError, match="--word restored"):
        await confirm_restore(config, "")
    assert (await journal.run_state()).halted
    KillFile(config.data_dir).put("by hand")
    said = await confirm_restore(config, "restored")
    assert said.startswith("confirmed on the report of ")
    assert said.endswith(
        f"entries stay stopped by KILL in {config.data_dir}: by hand; `lockstep unkill` removes it"
    )
    assert not (await journal.run_state()).halted
    assert "nothing to confirm" in await confirm_restore(config, "restored")


async def test_a_resume_before_the_venues_were_read_is_taken_back(journal: Journal) -> None:
    await journal.write(NOW, lambda s: anchors.restored(s, "expected order x", ACT))
    await journal.resume(ACT)
    await journal.write(NOW, lambda s: anchors.resumed(s, NOW))
    state = await journal.run_state()
    assert "resumed before both venues were read" in str(state.reason)
    await journal.write(NOW, lambda s: reconciliation.report(s, NOW + 1, clean=False))
    await journal.resume(ACT)
    await journal.write(NOW, lambda s: anchors.resumed(s, NOW))
    assert not (await journal.run_state()).halted
    assert (await journal.read(reconciliation.read)).restored is None
