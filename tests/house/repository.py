"""What is in the repository: committed files, and new ones that git does not ignore."""

import subprocess
from functools import cache
from pathlib import Path

from tests.house.rules import ROOMS, Source

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Every file that is committed or would be, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file())


@cache
def texts() -> dict[Path, str]:
    """The text files among them."""
    found = {}
    for path in files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found[path] = content.decode("utf-8")
    return found


@cache
def own_texts() -> dict[Path, str]:
    """The text files that we wrote: all but the vendored packages of the front end."""
    return {path: text for path, text in texts().items() if "vendor" not in path.parent.parts}


@cache
def sources() -> tuple[Source, ...]:
    """The Python files of all rooms and the tests."""
    return tuple(
        Source.parse(str(path), text)
        for path, text in texts().items()
        if path.suffix == ".py" and path.parts[0] in ROOMS
    )
