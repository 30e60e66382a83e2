"""`lockstep retry`, `trace` and `replay-open`: set a stuck arbitrage going, tell how one came
about, and whether all could go on under this version."""

import typer

from app.commands.frame import (
    ArbId,
    AsJson,
    ConfigFile,
    DryRun,
    Yes,
    confirm,
    emit,
    load,
    run,
    say,
    table,
    verb,
    working,
)
from app.config import Config
from app.errors import DependencyError, ExitCode, GuardError, NeedsHumanError
from app.operating.outputs import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "retry",
        "retry 3fa2 --dry-run: what is stuck, and what would set it going",
        "retry 3fa2: the same, then asks and does it",
        "retry 3fa2 --yes --json: for a script",
    )(retry)
    verb(
        app,
        "trace",
        "trace 3fa2: who, when, what was sent, what came back, why it decided",
        "trace 3fa2 --json | jq -r '.lines[].said': for a script",
    )(trace)
    verb(
        app,
        "replay-open",
        "replay-open: before a new version trades, whether every open arbitrage can go on under it",
        "replay-open --json | jq -r '.differing[].workflow_id': those that cannot",
    )(replay_open)


def retry(
    name: ArbId,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find out what an arbitrage waits for, and do what sets it going again.

    That is an update to its workflow, a reset of an activity that sits out a pause, or a new
    workflow for one that was lost. No order that was sent is ever sent again by it.
    """
    settings = load(config)
    with working("looking what it waits for"):
        told = run(_diagnose(settings, name, act=False))
    lines = [
        f"{told.id} is {told.phase} (workflow {told.workflow_id})",
        f"stuck: {told.stuck}",
        f"remedy: {told.remedy}: {told.what}",
    ]
    acts = told.remedy in ("update", "reset", "adopt")
    if acts and not dry_run:
        for line in lines:
            say(line)
        confirm("Do it?", yes=yes)
        with working("setting it going"):
            told = run(_diagnose(settings, told.id, act=True))
        lines = [f"{told.id}: {told.what}"]
    emit(told, as_json, *lines)
    if told.remedy == "start":
        raise DependencyError(f"{told.stuck}: {told.what}")
    if told.remedy == "person":
        raise NeedsHumanError(f"{told.stuck}: {told.what}")
    if told.remedy == "none" and told.phase in ("REFUSED", "FLAT", "SETTLED"):
        raise GuardError(f"{told.id} is {told.phase}: there is nothing to retry")


async def _diagnose(config: Config, name: str, *, act: bool) -> Diagnosis:
    """What is stuck is looked at anew before anything is done about it."""
    from app.operating import diagnosis, staff

    async with staff.staffed(config) as office:
        told, found = await diagnosis.diagnose(office, name)
        return await diagnosis.set_going(office, told, found) if act else told


def trace(name: ArbId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Tell the story of one arbitrage in plain words, from Temporal's history and the journal.

    Where Temporal no longer has the history, the journal's part of the story remains.
    """
    from app.operating import history

    with working("reading its history"):
        told = run(history.trace(load(config), name))
    shown = table("at", "who", "")
    for line in told.lines:
        shown.add_row(line.at, line.who, line.said)
    emit(told, as_json, f"{told.id}  {told.title}", shown)


def replay_open(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Replay the history of every open arbitrage on this version of the program.

    Run it with the new version, beside the old one that trades: it reads and touches nothing. Exit
    code 1 where one differs. Then let the old version run until that one has ended.
    """
    from app.operating import replaying

    with working("replaying what is open"):
        told = run(replaying.replay_open(load(config)))
    lines = [f"{one.workflow_id} cannot go on here: {one.why}" for one in told.differing]
    fit = told.checked - len(told.differing)
    emit(told, as_json, f"{fit} of {told.checked} open arbitrages replay on this version", *lines)
    if told.differing:
        raise typer.Exit(ExitCode.FAILURE)
