"""The last thing this machine has seen of the journal, kept beside it: a journal that lacks it was
restored from an older copy."""

import json
import os
from pathlib import Path

from domain.venue import Mode
from store import anchors
from store.anchors import Seen
from store.audit import Act
from store.journal import Journal


class Anchor:
    """One small file per money mode, replaced in one step."""

    def __init__(self, data_dir: Path, mode: Mode) -> None:
        self.path = data_dir / f"journal-{mode.value}.anchor.json"

    async def older(self, journal: Journal) -> str | None:
        """Why the journal is older than the anchor; None where it holds what was seen, or where
        nothing was ever seen. An anchor that cannot be read says nothing good."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as trouble:
            return f"{self.path} cannot be read: {trouble}"
        try:
            body = json.loads(text)
            seen = Seen(body["audit_id"], body["audit_hash"], body["intent"])
        except (ValueError, TypeError, KeyError) as trouble:
            return f"{self.path} is not an anchor: {trouble!r}"
        return await journal.read(lambda s: anchors.missing(s, seen))

    def put_aside(self, folder: Path) -> None:
        """Forget what was seen: the journal that comes next is another one, and no older copy."""
        if self.path.exists():
            folder.mkdir(exist_ok=True)
            self.path.replace(folder / self.path.name)

    async def report(self, journal: Journal, why: str, act: Act) -> None:
        """Halt, and ask for a person's word."""
        await journal.write(act.at_ms, lambda s: anchors.restored(s, why, act))

    async def write(self, journal: Journal) -> None:
        """Keep what the journal holds now, unless it is under suspicion itself."""
        seen = await journal.read(anchors.newest)
        if seen is None:
            return
        body = {"audit_id": seen.audit_id, "audit_hash": seen.audit_hash, "intent": seen.intent}
        partial = self.path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
