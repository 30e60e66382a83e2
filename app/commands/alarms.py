"""`lockstep alarms`: what is wrong, and a person's word that it was seen or settled."""

from typing import Annotated

import typer

from app.commands.frame import AsJson, ConfigFile, Yes, confirm, emit, group, load, run, table, verb
from app.errors import UsageError
from app.operating.outputs_journal import Acknowledged, Alarm

NEWEST = 50
Number = Annotated[int, typer.Argument(metavar="ALARM", min=1, max=2**63 - 1, help="Its number.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    alarms = group(app, "alarms", "What is wrong, and who has seen it.")
    verb(
        alarms,
        "list",
        "alarms list: what is wrong now",
        f"alarms list --all: the newest {NEWEST}, those that are over too",
        "alarms list --json | jq '.alarms[].code': for a script",
    )(listed)
    verb(
        alarms,
        "ack",
        "alarms ack 12: seen; it stays open and rings no more",
        'alarms ack 12 --evidence "claim 7 was paid": settled; asks, then closes it',
        "alarms ack 12 --json: for a script",
    )(ack)


def listed(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the open alarms, the oldest first, and who has seen which.

    docs/operating.md says what each code wants of you.
    """
    from app.operating import alarms

    told = run(alarms.listed(load(config), NEWEST if everything else None))
    shown = table("alarm", "code", "", "since", "about", "what", "state", right="alarm")
    for one in told.alarms:
        about = one.arb_id or ""
        shown.add_row(
            str(one.id), one.code, one.severity, one.opened_at, about, one.detail, _state(one)
        )
    emit(told, as_json, shown if told.alarms else f"no alarm is open in mode {told.mode}")


def ack(
    number: Number,
    evidence: Annotated[
        str, typer.Option(help="What settled it, where the alarm waits for a person's word.")
    ] = "",
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say that an alarm was seen: it stays open until it is over, and rings no more.

    Alarms close by themselves on evidence. A RESOLUTION_MISMATCH, or a LATE_FILL of an arbitrage
    that was settled before, waits for yours: `--evidence` closes it. Both are in the audit trail.
    """
    from api.steering import EVIDENCE_MAX
    from app.operating import alarms

    said = evidence.strip()
    if len(said) > EVIDENCE_MAX or bool(said) is not bool(evidence):
        raise UsageError(f"--evidence: expected what settled it, at most {EVIDENCE_MAX} letters")
    settings = load(config)
    if said:
        one = run(alarms.one(settings, number))
        confirm(f"Alarm {number}, {one.code}: {one.detail}. Close it on your word?", yes=yes)
    told = run(alarms.acknowledge(settings, number, said or None))
    emit(Acknowledged(alarm=told), as_json, f"alarm {number} ({told.code}) is {_state(told)}")


def _state(one: Alarm) -> str:
    if one.closed_at is not None:
        return f"over: {one.evidence}"
    return f"seen by {one.acknowledged_by}" if one.acknowledged_by else "not seen"
