"""`lockstep audit`: who did what from where, and whether that is still as it was written."""

import typer

from app.commands.frame import AsJson, ConfigFile, emit, group, load, run, verb, working
from app.errors import LockstepError
from app.operating import outputs_journal


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    audit = group(app, "audit", "Who did what from where.")
    verb(
        audit,
        "verify",
        "audit verify: every seal of the trail, and its end",
        "audit verify --json | jq -r .head: the head of its chain, to be kept elsewhere",
    )(verify)


def verify(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check every seal of the audit trail, and that nothing was cut off its end.

    Exits with 1 where a row was changed, removed or put in.
    """
    from app.auditing import examine

    with working("checking every seal"):
        told = outputs_journal.AuditVerified.model_validate(run(examine(load(config))))
    emit(told, as_json, f"{told.rows} rows, head {told.head}")
    if told.problem:
        raise LockstepError(told.problem)
