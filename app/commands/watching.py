"""`lockstep doctor`, `top` and `logs`: is it well, what does it do, what does it say."""

import asyncio
import json
import sys
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from app.commands.frame import (
    AsJson,
    ConfigFile,
    emit,
    load,
    run,
    say,
    table,
    verb,
    working,
)
from app.commands.reading import position_table
from app.config import Config
from app.errors import DependencyError, LockstepError, UsageError
from app.operating import outputs

MARKS = {"ok": "✓", "warn": "!", "bad": "✗"}


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "doctor",
        "doctor: every part, and the command that mends what is not well",
        "doctor --fix: the same, after mending what is safe to mend",
        "doctor --json | jq '.checks[] | select(.state != \"ok\")': for a script",
        "doctor --config live.toml: for another configuration",
    )(doctor)
    verb(
        app,
        "top",
        "top: state, positions, alarms and events, every second, until Ctrl-C",
        "top --once: one look",
        "top --json: one look, for a script",
    )(top)
    verb(
        app,
        "logs",
        "logs: the last fifty lines of every process",
        "logs -f --process executor: what the executor says from now on",
        "logs --level error --json | jq -r .said: for a script",
    )(logs)


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is safe to mend.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look at every part of the system; each line that is not well names what mends it.

    Changes nothing without --fix. That closes files with secrets to others, makes the data folder
    writable and registers search attributes; what lets entries leave or starts a process is left
    to you. Exit code 0 where all is well or only worth a look, 1 where something is missing, 3
    where the configuration cannot be read.
    """
    from app.operating import doctor as surgery
    from app.operating import repairs

    loaded, repaired = repairs.load(config, fix=fix)
    with working("looking at every part"):
        checks = run(surgery.examine(loaded.config, loaded.origins))
        if fix and (more := run(repairs.mend(loaded.config, checks))):
            repaired += more
            checks = run(surgery.examine(loaded.config, loaded.origins))
    shown = table("", "part", "found", "mend it with")
    for one in checks:
        shown.add_row(MARKS[one.state], one.name, one.detail, one.repair)
    told = [f"{'mended' if one.done else 'not mended'}: {one.said}" for one in repaired]
    if fix and not told:
        told = ["nothing here is mended by itself"]
    emit(outputs.Doctor(checks=checks, repairs=repaired), as_json, shown, *told)
    missing = [one.name for one in checks if one.state == "bad"]
    if missing:
        raise LockstepError(f"not well: {', '.join(missing)}; the last column says what mends it")


def top(
    once: Annotated[bool, typer.Option(help="One look, then end.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the system live in the terminal: state, balances, positions, alarms, what happened."""
    static = load(config)
    if as_json or once or not sys.stdout.isatty():
        told = run(_look(static))
        emit(told, as_json, *_screen(told))
        return
    run(_watch(static))


async def _look(config: Config) -> outputs.Status:
    from app.operating import office, watching

    async with office.opened(config) as journal:
        return await watching.status(config, journal)


async def _watch(config: Config) -> None:
    from app.operating import office, watching

    async with office.opened(config) as journal:
        with Live(console=Console(), screen=True, auto_refresh=False) as live:
            while True:
                told = await watching.status(config, journal)
                live.update(Group(*_screen(told)), refresh=True)
                await asyncio.sleep(1)


def _screen(told: outputs.Status) -> list[Table | str]:
    """What one look shows."""
    day = told.today
    not_final = day["not_final"]
    kept = "" if not_final is None else f", {not_final} of it guaranteed and not final"
    parts: list[Table | str] = [
        f"{told.mode.upper()}  {told.run_state} since {told.since} by {told.by}"
        + (f": {told.reason}" if told.reason else ""),
        f"{told.at}  {told.executors} executors · today {day['trades']} trades, {day['pnl']}{kept}",
        f"fees {day['fees']}, at risk {day['at_risk']}, lost {day['realised_loss']}",
    ]
    parts += [
        f"{venue}: {cash['cash']} cash, {cash['free']} free, {cash['in_positions']} in positions"
        for venue, cash in told.balances.items()
    ]
    parts += ["", f"{len(told.positions)} open", position_table(told.positions), ""]
    for alarm in told.alarms:
        parts.append(f"ALARM {alarm['code']}: {alarm['detail']}")
    return [*parts, *told.happened]


def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of before.")] = 50,
    process: Annotated[str | None, typer.Option(help="Only executor, api, sim...")] = None,
    level: Annotated[str | None, typer.Option(help="Only this level: error, warning...")] = None,
    arb: Annotated[str | None, typer.Option(help="Only lines that name this arbitrage.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print what the processes of a run on this data folder have written."""
    from app.operating import logs as files

    folder = load(config).data_dir
    known = files.processes(folder)
    if not known:
        raise DependencyError(f"no logs in {folder / files.FOLDER}: `lockstep run` writes them")
    if process is not None and process not in known:
        raise UsageError(f"--process: expected one of {', '.join(known)}, found {process!r}")
    names = [process] if process else known

    def wanted(line: outputs.LogLine) -> bool:
        quiet = level is not None and line.level != level.lower()
        return not quiet and (arb is None or arb in _json(line))

    for line in files.recent(folder, names, lines, wanted):
        sys.stdout.write((_json(line) if as_json else _plain(line)) + "\n")
    sys.stdout.flush()
    if follow:
        coming = files.follow(folder, names)
        say("following; Ctrl-C ends it")
        for line in filter(wanted, coming):
            sys.stdout.write((_json(line) if as_json else _plain(line)) + "\n")
            sys.stdout.flush()


def _json(line: outputs.LogLine) -> str:
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=False)


def _plain(line: outputs.LogLine) -> str:
    fields = " ".join(f"{name}={value}" for name, value in line.fields.items() if name != "logger")
    head = f"{line.at or ''} {line.process} {line.level or ''}".strip()
    return f"{head}  {line.said}  {fields}".rstrip()
