"""`lockstep pause`, `resume`, `arm`, `disarm`, `kill`, `unkill`, `confirm-restore`.

What stops entries never asks; what lets them leave says first what that means.
"""

from typing import Annotated

import typer

from app.commands.frame import (
    AsJson,
    ConfigFile,
    DryRun,
    Yes,
    confirm,
    confirm_word,
    emit,
    load,
    run,
    say,
    verb,
    working,
)
from app.errors import GuardError
from app.operating.outputs import Done
from domain.venue import Mode

Word = Annotated[str, typer.Option("--word", help="The word that is asked for, typed out.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app, "pause", "pause: no new entry; what is open stays open", "pause --json: for a script"
    )(pause)
    verb(
        app,
        "resume",
        "resume: says what may leave, and asks",
        "resume --dry-run: only says it",
        "resume --yes: without asking; not in mode live, see arm",
    )(resume)
    verb(
        app,
        "arm",
        "arm --dry-run: what real money could leave",
        "arm: the same, then asks for the word LIVE",
        "arm --word LIVE: for a script that was reviewed",
    )(arm)
    verb(app, "disarm", "disarm: no entry leaves any more, in any mode")(disarm)
    verb(
        app,
        "kill",
        'kill --reason "the books look wrong": halt, also after restarts',
        "kill --reason fire && lockstep flatten: then sell what is open",
    )(kill)
    verb(
        app,
        "unkill",
        "unkill: asks for the word",
        "unkill --word unkill: release the halt and remove the file KILL",
    )(unkill)
    verb(
        app,
        "confirm-restore",
        "confirm-restore: says what is suspected",
        "confirm-restore --word restored: go on with a journal from a backup",
    )(confirm_restore)


def pause(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Let no new entry leave. Never asks. Positions stay open, unwinds go on."""
    from app.operating import switching

    with working("pausing: until the last entry on its way has left"):
        told = run(switching.pause(load(config), "pause"))
    emit(told, as_json, told.said)


def disarm(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Take real money's leave back: no entry leaves. Never asks, works in every mode."""
    from app.operating import switching

    with working("disarming: until the last entry on its way has left"):
        told = run(switching.pause(load(config), "disarm"))
    emit(told, as_json, told.said)


def resume(
    dry_run: DryRun = False, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Let entries leave again after a pause. Refused while halted: see unkill."""
    from app.operating import switching

    settings = load(config)
    if settings.mode is Mode.LIVE:
        raise GuardError("mode live: real money is let out by `lockstep arm`, with its word")
    meaning = run(switching.what_resuming_means(settings))
    if dry_run:
        emit(Done(action="resume", done=False, said=meaning), as_json, meaning)
        return
    say(meaning)
    confirm("Resume?", yes=yes)
    told = run(switching.resume(settings, "resume", None))
    emit(told, as_json, told.said)


def arm(
    word: Word = "", dry_run: DryRun = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Let real money leave. Needs mode live in the configuration and the word LIVE."""
    from app.operating import switching

    settings = load(config)
    switching.refuse_to_arm(settings)
    meaning = run(switching.what_resuming_means(settings))
    if dry_run:
        emit(Done(action="arm", done=False, said=meaning), as_json, meaning)
        return
    say(meaning)
    confirm_word("Real money will leave.", switching.LIVE_WORD, word)
    told = run(switching.resume(settings, "arm", switching.LIVE_WORD))
    emit(told, as_json, told.said)


def kill(
    reason: Annotated[str, typer.Option(help="Why, for the record and the dashboard.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Stop every entry at the last gate, now and after restarts; unwinds go on.

    A file named KILL in the data directory does the same without this command.
    """
    from app.stopping import kill as act

    with working("halting: until the last entry on its way has left"):
        said = run(act(load(config), reason))
    emit(Done(action="kill", done=True, said=said, run_state="HALTED"), as_json, said)


def unkill(word: Word = "", config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Let entries leave again: release the halt and remove the kill file."""
    from app.stopping import UNKILL_WORD
    from app.stopping import unkill as act

    confirm_word("Entries may leave again after this.", UNKILL_WORD, word)
    with working("releasing the halt"):
        said = run(act(load(config), UNKILL_WORD))
    emit(Done(action="unkill", done=True, said=said), as_json, said)


def confirm_restore(word: Word = "", config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Go on with a journal that was put back from a backup, once both venues have been read."""
    from app.stopping import confirm_restore as act

    said = run(act(load(config), word))
    emit(Done(action="confirm-restore", done=True, said=said), as_json, said)
