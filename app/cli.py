"""The `lockstep` command. Data goes to stdout, talk to stderr, and every error has an exit code.

A new command is a function under `@app.command()`; it raises LockstepError to fail.
"""

import asyncio
import importlib
import json
import sys
import traceback
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from app.auditing import audit_app
from app.config_sources import is_secret, known_keys, load_config
from app.errors import ExitCode, GuardError, LockstepError, UsageError
from app.leave import leave
from domain.venue import Mode
from store.credentials import Scope

EXAMPLES = """Both legs, or neither: arbitrage between Polymarket and Kalshi.

Examples:

  lockstep demo                      watch real arbitrages on two simulated exchanges

  lockstep run                       trade; in the default mode `sim` without keys or money

  lockstep sim --seed 7              run only the two exchanges

  lockstep config show --origin      every setting, its value and where it comes from
"""


@dataclass(slots=True)
class _Talk:
    """How much to say when a command fails."""

    verbose: bool = False


_talk = _Talk()
app = typer.Typer(
    help=EXAMPLES, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
config_app = typer.Typer(help="Look at the static configuration.", no_args_is_help=True)
app.add_typer(config_app, name="config")
token_app = typer.Typer(help="Bearer tokens for scripts.", no_args_is_help=True)
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Both legs, or neither."""
    _talk.verbose = verbose


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(package_version("lockstep"))


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def sim(context: typer.Context) -> None:
    """Run both exchanges, simulated; --help lists their ports, seed and feeds."""
    from sim.main import main as run_sim

    raise typer.Exit(run_sim(context.args))


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(min=1, help="Play at least this long.")] = 60,
    seed: Annotated[int, typer.Option(help="What everything random follows from.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    stay: Annotated[bool, typer.Option(help="Keep trading until interrupted.")] = False,
    kalshi_frames: Annotated[
        Path | None, typer.Option(help="Play this recording of Kalshi's order books.")
    ] = None,
) -> None:
    """Watch real arbitrages with every ending on two simulated exchanges; no keys, no network.

    Exits with 0 only if both exchanges' ledgers agree with the journal to the micro-dollar and
    no order was sent twice.
    """
    from app.demo.main import DemoOptions, print_summary, run_demo

    options = DemoOptions(seconds, seed, as_json, stay, kalshi_frames)
    summary = asyncio.run(run_demo(load_config().config, options))
    if as_json:
        print_summary(summary)
    if summary.violations:
        raise typer.Exit(ExitCode.FAILURE)


@app.command()
def run(
    process: Annotated[
        str | None, typer.Argument(help="One process alone: executor, api or sim.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
    seed: Annotated[int, typer.Option(help="In mode sim: what the exchanges quote.")] = 7,
    arm: Annotated[str, typer.Option(help="In mode live: the word `live`, typed out.")] = "",
) -> None:
    """Trade: start what the mode needs, watch over it, stop it in order on Ctrl-C or SIGTERM.

    Nothing is traded before trading is enabled in the settings.
    """
    from app.process import PROCESSES
    from app.run import RunOptions, run_all
    from sim.main import main as run_sim

    if process == "sim":
        raise typer.Exit(run_sim(["--seed", str(seed), "--makers"]))
    if process is not None and process not in PROCESSES:
        known = ", ".join([*PROCESSES, "sim"])
        raise UsageError(f"process: expected one of {known}, found {process!r}")
    settings = load_config(config_file=config).config
    check_armed(settings.mode, arm)
    if process is None:
        asyncio.run(run_all(settings, RunOptions(seed=seed)))
    else:
        uvloop.run(PROCESSES[process](settings))


def check_armed(mode: Mode, word: str) -> None:
    """Refuse what would move real money without the typed word, and what does not exist yet."""
    if mode is Mode.LIVE and word != Mode.LIVE:
        raise GuardError("mode live moves real money: arm it with `--arm live`, typed out")
    if mode is Mode.PAPER:
        raise GuardError(
            'mode paper (real market data, simulated fills) cannot run yet: use `mode = "sim"`'
        )


@app.command()
def chaos(
    seed: Annotated[int, typer.Option(help="What every case follows from.")] = 7,
    runs: Annotated[int, typer.Option(min=1, help="How many cases.")] = 60,
    points: Annotated[
        str, typer.Option(help="all, merge, or places to fall at, such as P7,P8.")
    ] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep journals and logs here.")] = None,
    virtual: Annotated[
        bool, typer.Option(help="Modelled venues and a virtual clock: one seed per case.")
    ] = False,
    trace: Annotated[bool, typer.Option(help="With --virtual: print the first case.")] = False,
) -> None:
    """Break a whole system on purpose, then judge it by the exchanges' own books; in a clone only.

    Exits with 1 on any violation; every one names its case and the seed.
    """
    root = Path(__file__).resolve().parents[1]
    if not (root / "tests" / "chaos").is_dir():
        raise UsageError("chaos is part of the tests: run it in a clone of the repository")
    sys.path.insert(0, str(root))
    if virtual:
        code = importlib.import_module("tests.virtual.__main__").play(seed, runs, as_json, trace)
    else:
        play = importlib.import_module("tests.chaos.__main__").play
        code = asyncio.run(play(seed, runs, points, as_json, keep))
    if code:
        raise typer.Exit(code)


@app.command()
def kill(
    reason: Annotated[str, typer.Option(help="Why, for the record and the dashboard.")],
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """Stop every entry at the last gate, now and after restarts; unwinds go on.

    A file named KILL in the data directory does the same without this command.
    """
    from app.stopping import kill as act

    typer.echo(asyncio.run(act(load_config(config_file=config).config, reason)), err=True)


@app.command()
def unkill(
    word: Annotated[str, typer.Option(help="The word `unkill`, typed out.")] = "",
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """Let entries leave again: release the halt and remove the kill file."""
    from app.stopping import unkill as act

    typer.echo(asyncio.run(act(load_config(config_file=config).config, word)), err=True)


@app.command("confirm-restore")
def confirm_restore(
    word: Annotated[str, typer.Option(help="The word `restored`, typed out.")] = "",
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """Go on with a journal that was put back from a backup, once both venues have been read."""
    from app.stopping import confirm_restore as act

    typer.echo(asyncio.run(act(load_config(config_file=config).config, word)), err=True)


@config_app.command()
def show(
    origin: Annotated[bool, typer.Option(help="Also say where each value comes from.")] = False,
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print every setting; secrets only say whether they are set."""
    loaded = load_config(config_file=config)
    tree = loaded.config.model_dump(mode="json")
    rows = {}
    for key in known_keys():
        value: object = tree
        for part in key.split("."):
            value = value[part] if isinstance(value, dict) else None
        shown = ("set" if value else "not set") if is_secret(key) else value
        rows[key] = {"value": shown, "origin": loaded.origins.get(key, "default")}
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "settings": rows}, indent=2))
        return
    for key, row in rows.items():
        typer.echo(f"{key} = {row['value']}" + (f"  ({row['origin']})" if origin else ""))


@app.command(name="login-url")
def login_url(
    base_url: Annotated[
        str | None, typer.Option(help="The dashboard's address, where api.port does not say it.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """Print a link that logs into the dashboard once, within ten minutes."""
    from app import access

    typer.echo(access.login_link(load_config(config_file=config).config, base_url))


@app.command(name="hash-password")
def hash_password() -> None:
    """Ask for a password and print its hash for api.password_hash."""
    if not sys.stdin.isatty():
        raise UsageError("hash-password: expected a terminal to ask for the password")
    from app import access

    typer.echo(access.password_hash(typer.prompt("Password", hide_input=True, err=True)))


@token_app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose token it is, for the audit trail.")],
    scope: Annotated[Scope, typer.Option(help="What its bearer may do.")] = Scope.READ,
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """Print a new bearer token for scripts; it is shown this once."""
    from app import access

    typer.echo(access.add_token(load_config(config_file=config).config, name, scope))


@token_app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose tokens and sessions end.")],
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
) -> None:
    """End every token and session of a name."""
    from app import access

    number = access.revoke(load_config(config_file=config).config, name)
    typer.echo(f"ended {number}", err=True)


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
    if _talk.verbose:
        traceback.print_exc()
    for line in message.splitlines():
        typer.echo(f"error: {line}", err=True)
