"""What the processes of a run have written, as lines for a person or for a script."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.operating.outputs import LogLine

FOLDER = "logs"
POLL_SECONDS = 0.2
TAIL_BYTES = 4_000_000
KNOWN = ("timestamp", "level", "event")


def processes(data_dir: Path) -> list[str]:
    """Who has written something."""
    return sorted(path.stem for path in (data_dir / FOLDER).glob("*.log"))


def recent(
    data_dir: Path, names: list[str], number: int, wanted: Callable[[LogLine], bool]
) -> list[LogLine]:
    """The last lines that are wanted of these processes together, oldest first; undated ones stay
    where they are in their file."""
    found: list[tuple[str, int, LogLine]] = []
    for name in names:
        at = ""
        for place, raw in enumerate(_tail(data_dir / FOLDER / f"{name}.log")):
            line = parsed(name, raw)
            at = line.at or at
            if wanted(line):
                found.append((at, place, line))
    found.sort(key=lambda one: one[:2])
    return [line for _, _, line in found[-number:]] if number else []


def follow(data_dir: Path, names: list[str]) -> Iterator[LogLine]:
    """Every new line from now on, for ever; a file that was begun anew is read from its start.
    Now is when this is called, not when the first line is asked for."""
    places = {name: _size(data_dir / FOLDER / f"{name}.log") for name in names}
    return _new_lines(data_dir, names, places)


def _new_lines(data_dir: Path, names: list[str], places: dict[str, int]) -> Iterator[LogLine]:
    while True:
        for name in names:
            path = data_dir / FOLDER / f"{name}.log"
            if (size := _size(path)) < places[name]:
                places[name] = 0
            if size == places[name]:
                continue
            with path.open("rb") as file:
                file.seek(places[name])
                raw = file.read()
            whole, newline, _ = raw.rpartition(b"\n")
            places[name] += len(whole) + len(newline)
            for line in whole.decode(errors="replace").splitlines():
                yield parsed(name, line)
        time.sleep(POLL_SECONDS)


def parsed(process: str, raw: str) -> LogLine:
    """A line of JSON by its fields; any other line as it is."""
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return LogLine(process=process, at=None, level=None, said=raw, fields={})
    at, level, said = (found.get(name) for name in KNOWN)
    rest = {name: value for name, value in found.items() if name not in KNOWN}
    return LogLine(
        process=process,
        at=None if at is None else str(at),
        level=None if level is None else str(level),
        said=str(said or ""),
        fields=rest,
    )


def _tail(path: Path) -> list[str]:
    """The lines of the last megabytes."""
    with path.open("rb") as file:
        begin = max(_size(path) - TAIL_BYTES, 0)
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()
    return lines[1:] if begin else lines


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
