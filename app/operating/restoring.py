"""A backup put in the journal's place, halted until both venues were read and a person confirms."""

from datetime import UTC, datetime
from pathlib import Path

from app.config import Config
from app.errors import GuardError, UsageError
from app.links import database_trouble, journal_exists, wall_ms
from app.operating import dumps
from app.operating.office import act, whereabouts
from app.operating.outputs_journal import Restored
from app.operating.steps import Steps
from store import restoring
from store.errors import CannotRestore
from store.place import SchemaAddress


def restore(config: Config, copy: Path, steps: Steps) -> Restored:
    """Put `copy` in the place of the mode's journal; what was there is kept beside it. UsageError
    where `copy` is no journal, GuardError while anything is at work."""
    place = config.journal
    if not copy.is_file():
        raise UsageError(f"FILE: expected a backup of the journal, found no file at {copy}")
    if isinstance(place, Path) and place.exists() and copy.samefile(place):
        raise UsageError(f"FILE: {copy} is the journal itself")
    if whereabouts(config) is not None:
        raise GuardError(f"`lockstep run` is at work on {config.data_dir}: stop it, then restore")
    steps.next("looking whether anybody is at work on the journal")
    there, by = journal_exists(config), act()
    second = datetime.fromtimestamp(by.at_ms // 1_000, UTC).strftime("%Y%m%dT%H%M%S")
    stamp = f"{second}{by.at_ms % 1_000:03}Z"
    why = f"{by.actor} put {copy.name} in its place"

    def alone() -> None:
        restoring.refuse_living(place, wall_ms())

    with database_trouble():
        try:
            if there:
                alone()
            if isinstance(place, SchemaAddress):
                # PostgreSQL cuts a name off after 63 characters.
                aside = f"{place.schema[:40]}_{stamp.lower()}" if there else None
                steps.next("loading the backup beside the journal")
                ready = SchemaAddress(place.url, f"{place.schema[:40]}_restoring")
                dumps.load(place, copy, ready.schema, there=there)
                steps.next("halting it and putting it in the journal's place")
                restoring.put_schema_back(ready, place, aside, why, by, alone)
                return Restored(path=str(place), copied_from=str(copy), aside=aside)
            kept = place.with_name(f"{place.name}.replaced-{stamp}")
            place.parent.mkdir(parents=True, exist_ok=True)
            restoring.put_back(copy, place, kept, why, by, steps.next, alone)
        except CannotRestore as refused:
            raise GuardError(str(refused)) from None
        except OSError as trouble:
            raise UsageError(f"FILE: {copy}: {trouble}") from None
    return Restored(path=str(place), copied_from=str(copy), aside=str(kept) if there else None)
