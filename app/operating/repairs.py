"""What `lockstep doctor --fix` does by itself: only what loses nothing and lets nothing leave."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from app.config import Config
from app.config_sources import LoadedConfig, load_config
from app.errors import LockstepError, SharedFileError
from app.operating.machine import DATA_FOLDER, existing
from app.operating.outputs import Check, Repair
from app.operating.staff import temporal_address
from app.temporal import register_search_attributes

SEARCH_ATTRIBUTES = "search attributes"
FILES_MAX = 20

Mend = Callable[[Config], Awaitable[str]]


def load(config_file: Path | None, *, fix: bool) -> tuple[LoadedConfig, list[Repair]]:
    """The configuration; with `fix` after files of ours with secrets were closed to others."""
    done: list[Repair] = []
    while True:
        try:
            return load_config(config_file=config_file), done
        except SharedFileError as shared:
            if not (fix and shared.ours) or len(done) == FILES_MAX:
                raise
            shared.path.chmod(0o600)
            said = f"{shared.path} is mode 600 now: it holds secrets and others could read it"
            done.append(Repair(name="secret files", done=True, said=said))


async def mend(config: Config, checks: list[Check]) -> list[Repair]:
    """Repair what can be repaired safely; the rest is left to a person."""
    found = []
    for one in checks:
        act = MENDS.get(one.name)
        if one.state == "ok" or act is None:
            continue
        try:
            found.append(Repair(name=one.name, done=True, said=await act(config)))
        except (LockstepError, OSError) as trouble:
            found.append(Repair(name=one.name, done=False, said=str(trouble)))
    return found


async def _open_folder(config: Config) -> str:
    folder = existing(config.data_dir)
    folder.chmod(folder.stat().st_mode | 0o700)
    return f"{folder} can be written by its owner now"


async def _register(config: Config) -> str:
    await register_search_attributes(temporal_address(config), config.temporal.namespace)
    return "Temporal knows every search attribute now"


MENDS: Mapping[str, Mend] = {DATA_FOLDER: _open_folder, SEARCH_ATTRIBUTES: _register}
"""By the name of the check. What starts processes, lets entries leave or writes to the journal is
not among them."""
