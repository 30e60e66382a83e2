"""A new life of the simulated exchanges: their ledgers are in memory, so the journal of an earlier
life speaks of a world that is gone. It is put aside; the settings a person saved go on."""

from pathlib import Path

from app.config import Config
from app.links import open_journal, wall_ms
from store.audit import Act
from store.settings import as_text

TEMPORAL_FILE = "temporal-1.29.1.sqlite3"
ASIDE = "previous"


async def put_aside(config: Config) -> None:
    """Move the journal and Temporal's file to `data_dir/previous` and begin anew with the same
    settings. Nothing is done where there is no journal yet."""
    if not config.database_path.exists():
        return
    before = open_journal(config)
    saved = (await before.settings.load()).settings
    before.close()
    for path in (config.database_path, config.data_dir / TEMPORAL_FILE):
        _move(path, config.data_dir / ASIDE)
    journal = open_journal(config)
    try:
        fresh = await journal.settings.load()
        if fresh.settings != saved:
            act = Act("lockstep run", "restart", wall_ms())
            await journal.settings.update(as_text(saved), fresh.version, act)
    finally:
        journal.close()


def _move(path: Path, folder: Path) -> None:
    """The file and what SQLite keeps beside it; an older one put aside is replaced."""
    folder.mkdir(exist_ok=True)
    for part in path.parent.glob(path.name + "*"):
        part.replace(folder / part.name)
