"""`lockstep replay`: captured order books through the scanner."""

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.commands.exporting import write_file
from app.commands.frame import AsJson, ConfigFile, emit, load, run, say, table, talk, verb
from app.commands.settings import parsed
from app.errors import UsageError
from app.operating.outputs_markets import ReplayedCapture
from domain.money import NotMoney, Usd, usd
from store.errors import InvalidSettings
from store.settings_values import parse

SAID_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    """Add the verb."""
    verb(
        app,
        "replay",
        "replay books.jsonl: what would have been seen and taken at these order books",
        "replay books.jsonl --set min_roi=2 --cash 500: under other settings, with less cash",
        "replay books.jsonl --parquet found.parquet: every opportunity, for a notebook",
        "replay books.jsonl --json | jq .at_least: for a script",
    )(replay)


def replay(
    capture: Annotated[Path, typer.Argument(metavar="CAPTURE", help="A file of order books.")],
    cash: Annotated[str, typer.Option(help="Dollars at each venue to begin with.")] = "1000",
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A setting to try, such as min_roi=2.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Write every opportunity to this file.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Run captured order books through the scanner and say what would have been seen and taken.

    It is the code that trades, with the clock of the capture, under the settings in force. It does
    not say what would have been filled: no capture knows that. A pair that was taken is held to
    the end; the limits of a day are not applied. An executor with `capture.folder` set writes
    captures. Interrupted, it goes on where it was when it is called again in the same way.
    """
    from app.operating import captured
    from app.operating.captured_summary import COLUMNS
    from app.parquet import parquet as as_parquet

    static = load(config, trades=False)
    if parquet is not None and not os.access(parquet.parent, os.W_OK):
        raise UsageError(f"--parquet: {parquet} cannot be written: no folder that we may write to")
    with Bar() as bar:
        by = run(captured.rules(static, *_wanted(cash, changes or [])))
        try:
            told, rows = run(captured.replay(static, capture, by, parquet or capture, bar.told))
        except KeyboardInterrupt:
            say("interrupted: the same command goes on from here")
            raise
    if parquet is not None:
        write_file(parquet, as_parquet(COLUMNS, rows), "--parquet")
        say(f"wrote {len(rows)} opportunities to {parquet}")
    emit(told, as_json, *_shown(told))


def _wanted(cash: str, changes: list[str]) -> tuple[Usd, dict[str, Any]]:
    """The cash and the settings that were typed."""
    try:
        return usd(cash), parse(parsed(changes))
    except NotMoney as wrong:
        raise UsageError(f"--cash: {wrong}") from None
    except InvalidSettings as wrong:
        raise UsageError(f"--set {wrong}") from None


class Bar:
    """How far it is, on stderr: a bar with rate and time to go, or now and then a line."""

    def __init__(self) -> None:
        console = Console(stderr=True, quiet=talk.quiet)
        self._drawn = console.is_terminal
        self._bar = Progress(
            TextColumn("replaying"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]} lines/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._drawn,
        )
        self._task = self._bar.add_task("replaying", total=None, rate=0)
        self._began = self._said = time.monotonic()
        self._first: tuple[int, int] | None = None

    def __enter__(self) -> "Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def told(self, done: int, total: int, lines: int) -> None:
        """So many bytes and lines are done."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = (done, lines), now
        seconds = max(now - self._began, 0.001)
        rate = int((lines - self._first[1]) / seconds)
        self._bar.update(self._task, completed=done, total=total, rate=rate)
        if not self._drawn and now - self._said > SAID_SECONDS:
            self._said = now
            left = (total - done) * seconds / max(done - self._first[0], 1)
            say(f"{done * 100 // max(total, 1)} %, {rate} lines/s, {left:.0f} s to go")


def _shown(told: ReplayedCapture) -> list[Table | str]:
    shown = table(
        "pair", "", "found", "taken", "edge", "fees", "expected", "least",
        right="found taken edge fees expected least",
    )  # fmt: skip
    for one in told.pairs:
        shown.add_row(
            one.pair_id, one.title, str(one.found), str(one.taken),
            one.edge, one.fees, one.expected_net, one.at_least,
        )  # fmt: skip
    sums = (
        f"edge ${told.edge}, fees ${told.fees}, expected ${told.expected_net}, "
        f"at least ${told.at_least}"
    )
    lines = [
        f"{told.began_at} to {told.ended_at}: {told.lines} lines, {told.looks} looks",
        f"{told.found} found, {told.taken} taken with ${told.cash} at each venue: {sums}",
        "What would have been seen and taken at these books, not what would have been filled.",
        *(f"refused {reason.replace('_', ' ')}: {n}" for reason, n in told.refused.items()),
    ]
    if told.cut:
        lines.append("The last line is not whole and was left out.")
    return [shown, "", *lines]
