"""`lockstep export`: the trade log for spreadsheets, notebooks and tax programs."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.commands.frame import ConfigFile, emit, group, load, run, say, verb, working
from app.errors import UsageError


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


class Profile(StrEnum):
    """Whom an export is for: anybody, or a program with columns of its own."""

    GENERIC = "generic"
    KOINLY = "koinly"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    export = group(app, "export", "Write what happened to a file.")
    verb(
        export,
        "trades",
        "export trades > trades.csv: every trade, for a spreadsheet",
        "export trades --format parquet --output trades.parquet: for a notebook",
        "export trades --profile koinly -o koinly.csv: every fill and payout, for a tax program",
        "export trades --format json | jq '.rows[] | .net': for a script",
    )(trades)


def trades(
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    profile: Annotated[
        Profile, typer.Option(help="koinly: one row per fill and payout, as CSV.")
    ] = Profile.GENERIC,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")
    ] = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
) -> None:
    """Write every trade of the mode, oldest first, with where its result comes from.

    For each row gross_edge − fees − slippages − unwind = net, exactly; net is realised where
    final is true, else the least it ends with. Amounts are dollars, times UTC. Not tax advice.
    A tax program's profile has one row per final fill and payout instead.
    """
    from app.operating import exporting, outputs
    from app.parquet import parquet

    if as_json:
        form = Format.JSON
    if profile is Profile.KOINLY:
        _koinly(form, output, config)
        return
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError("--output: expected a file, Parquet is not for a terminal")
    with working("reading trades") as status:
        found = run(exporting.rows(load(config), lambda n: status.update(f"read {n} trades")))
    if form is Format.JSON and output is None:
        emit(outputs.Exported(rows=[exporting.as_text(row) for row in found]), True)
        return
    match form:
        case Format.CSV:
            raw = exporting.as_csv(found).encode()
        case Format.PARQUET:
            raw = parquet(exporting.COLUMNS, found)
        case Format.JSON:
            told = outputs.Exported(rows=[exporting.as_text(row) for row in found])
            raw = told.model_dump_json().encode()
    _deliver(output, raw, f"{len(found)} trades")


def _koinly(form: Format, output: Path | None, config: Path | None) -> None:
    from app.operating import koinly

    if form is not Format.CSV:
        raise UsageError(f"--format: expected csv, found {form}: that profile is a CSV file")
    with working("reading trades") as status:
        found = run(koinly.rows(load(config), lambda n: status.update(f"read {n} trades")))
    _deliver(output, koinly.as_csv(found).encode(), f"{len(found)} movements")


def _deliver(output: Path | None, raw: bytes, what: str) -> None:
    if output is None:
        sys.stdout.buffer.write(raw)
        return
    write_file(output, raw)
    say(f"wrote {what} to {output}")


def write_file(path: Path, raw: bytes, option: str = "--output") -> None:
    """All of it or nothing: a reader never finds half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(raw)
        draft.replace(path)
    except OSError as trouble:
        draft.unlink(missing_ok=True)
        raise UsageError(f"{option}: {path} cannot be written: {trouble.strerror}") from None
