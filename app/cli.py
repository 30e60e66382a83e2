"""The `lockstep` command: the frame. Data goes to stdout, talk to stderr, every error has an exit
code. The verbs are in `app.commands`, one file per family; each raises LockstepError to fail.
"""

import asyncio
import traceback
from importlib.metadata import version as package_version
from typing import Annotated

import typer

from app.commands import (
    access,
    alarms,
    auditing,
    capturing,
    closing,
    config,
    database,
    exporting,
    keeping,
    markets,
    reading,
    retrying,
    running,
    settings,
    switching,
    watching,
)
from app.commands.frame import AsJson, emit, talk, verb
from app.errors import ExitCode, LockstepError
from app.leave import leave

HELP = """Both legs, or neither: arbitrage between Polymarket and Kalshi.

\b
Examples:
  lockstep demo               watch real arbitrages on two simulated exchanges
  lockstep run                trade; in mode `sim` without keys or money
  lockstep positions          what is open now
  lockstep doctor             what is missing, and the command that mends it
  lockstep kill --reason "…"  stop every entry at once
"""
FAMILIES = (
    running,
    reading,
    markets,
    capturing,
    alarms,
    retrying,
    closing,
    keeping,
    switching,
    settings,
    watching,
    exporting,
    config,
    database,
    auditing,
    access,
)

app = typer.Typer(
    help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but data and errors.")
    ] = False,
) -> None:
    """Both legs, or neither."""
    talk.verbose, talk.quiet = verbose, quiet


def version(as_json: AsJson = False) -> None:
    """Print the version."""
    from app.operating.outputs import Version

    found = package_version("lockstep")
    emit(Version(version=found), as_json, found)


for family in FAMILIES:
    family.register(app)
verb(app, "version", "version: such as 0.1.0")(version)


def main() -> None:
    """Entry point: run the command, turn what it raises into a line and an exit code."""
    try:
        app()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else ExitCode.OK)
    except LockstepError as error:
        _report(str(error))
        leave(error.exit_code)
    except (KeyboardInterrupt, asyncio.CancelledError):
        leave(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001  the last stop: say it, fail, hide no exit code
        _report(f"{type(error).__name__}: {error} (-v shows the traceback)")
        leave(ExitCode.FAILURE)


def _report(message: str) -> None:
    if talk.verbose:
        traceback.print_exc()
    for line in message.splitlines():
        typer.echo(f"error: {line}", err=True)
