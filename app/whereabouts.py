"""Where a run of this machine answers: a file in the data directory, for commands beside it.

The embedded Temporal server and the dashboard may take any free port; whoever opens another
terminal on the same data directory finds them here. The file goes with the run.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "running.json"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Addresses of one run: Temporal as host:port, the others by name as URLs."""

    pid: int
    temporal: str
    urls: dict[str, str]


@contextmanager
def told(data_dir: Path, temporal: str, urls: Mapping[str, str]) -> Iterator[None]:
    """Say within the block where this process's run answers."""
    path = data_dir / FILE
    here = Whereabouts(os.getpid(), temporal, dict(urls))
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(here)), encoding="utf-8")
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find(data_dir: Path) -> Whereabouts | None:
    """The run on this data directory; None where there is none, or it died without a word."""
    try:
        raw = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        here = Whereabouts(int(raw["pid"]), str(raw["temporal"]), dict(raw["urls"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return here if _lives(here.pid) else None


def _lives(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
