"""`lockstep demo`, `run`, `sim` and `chaos`: commands that stay until they are done."""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from app.commands.frame import ConfigFile, load, verb
from app.errors import ExitCode, GuardError, UsageError
from domain.venue import Mode


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "demo",
        "demo: a minute of real arbitrages, then both ledgers are checked",
        "demo --seed 11 --json: another world, one JSON object at the end",
        "demo --stay: go on trading until Ctrl-C, to try the other commands on",
    )(demo)
    verb(
        app,
        "run",
        "run: trade; in the default mode sim without keys or money",
        "run --seed 11: with other quotes",
        "run executor: one more executor beside a run",
    )(run)
    verb(
        app,
        "sim",
        "sim --seed 7: both exchanges on this machine",
        "sim --makers: with market makers who quote",
        "sim --help: its ports, seed and feeds",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(sim)
    verb(
        app,
        "chaos",
        "chaos --seed 7 --runs 60: break a whole system sixty times",
        "chaos --points P7,P8: only at these places",
        "chaos --virtual --runs 2000: with modelled venues and a virtual clock",
    )(chaos)


def sim(context: typer.Context) -> None:
    """Run both exchanges, simulated; --help lists their ports, seed and feeds."""
    from sim.main import main as run_sim

    raise typer.Exit(run_sim(context.args))


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
    summary = asyncio.run(run_demo(load(None), options))
    if as_json:
        print_summary(summary)
    if summary.violations:
        raise typer.Exit(ExitCode.FAILURE)


def run(
    process: Annotated[
        str | None, typer.Argument(help="One process alone: executor, api, notifier or sim.")
    ] = None,
    config: ConfigFile = None,
    seed: Annotated[int, typer.Option(help="In mode sim: what the exchanges quote.")] = 7,
    arm: Annotated[str, typer.Option(help="In mode live: the word `live`, typed out.")] = "",
) -> None:
    """Trade: start what the mode needs, watch over it, stop it in order on Ctrl-C or SIGTERM.

    Nothing is traded before trading is enabled in the settings.
    """
    from app.process import PROCESSES, TRADES
    from app.responsive import stay_responsive
    from app.run import RunOptions, run_all
    from sim.main import main as run_sim

    if process == "sim":
        raise typer.Exit(run_sim(["--seed", str(seed), "--makers"]))
    if process is not None and process not in PROCESSES:
        known = ", ".join([*PROCESSES, "sim"])
        raise UsageError(f"process: expected one of {known}, found {process!r}")
    settings = load(config, trades=process is None or process in TRADES)
    check_armed(settings.mode, arm)
    if process is None:
        asyncio.run(run_all(settings, RunOptions(seed=seed)))
    else:
        stay_responsive()
        uvloop.run(PROCESSES[process](settings))


def check_armed(mode: Mode, word: str) -> None:
    """Refuse what would move real money without the typed word, and what does not exist yet."""
    if mode is Mode.LIVE and word != Mode.LIVE:
        raise GuardError("mode live moves real money: arm it with `--arm live`, typed out")
    if mode is Mode.PAPER:
        raise GuardError(
            'mode paper (real market data, simulated fills) cannot run yet: use `mode = "sim"`'
        )


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
    root = Path(__file__).resolve().parents[2]
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
