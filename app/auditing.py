"""`lockstep audit verify`: does the trail of who did what still hold together, to its last row?"""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session, col, func, select

from app.anchor import Anchor
from app.config import Config
from app.config_sources import load_config
from app.errors import ExitCode
from app.wiring import open_journal
from store import audit
from store.audit import BrokenSeal
from store.tables import AuditRow

audit_app = typer.Typer(help="Who did what from where.", no_args_is_help=True)


@audit_app.callback()
def _group() -> None:
    """Who did what from where."""


@audit_app.command()
def verify(
    config: Annotated[Path | None, typer.Option(help="The TOML file to read.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check every seal of the audit trail, and that nothing was cut off its end.

    Exits with 1 where a row was changed, removed or put in.

    Examples:

      lockstep audit verify

      lockstep audit verify --json | jq -r .head
    """
    told = asyncio.run(examine(load_config(config_file=config).config))
    problem = told["problem"]
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, **told}))
    else:
        typer.echo(f"{told['rows']} rows, head {told['head']}")
        if problem:
            typer.echo(f"error: {problem}", err=True)
    if problem:
        raise typer.Exit(ExitCode.FAILURE)


async def examine(config: Config) -> dict[str, object]:
    """The number of rows, the newest hash, and what is wrong (None where all is well)."""

    def work(session: Session) -> tuple[int, str, BrokenSeal | None]:
        rows = session.exec(select(func.count(col(AuditRow.id)))).one()
        return rows, audit.head(session), audit.verify(session)

    journal = await asyncio.to_thread(open_journal, config)
    try:
        rows, head, broken = await journal.read(work)
        cut_off = await Anchor(config.data_dir, config.mode).older(journal)
    finally:
        journal.close()
    problem = None
    if broken is not None:
        problem = f"audit row {broken.id}: {broken.message}"
    elif cut_off is not None:
        problem = f"the trail ends before what was seen of it: {cut_off}"
    return {"rows": rows, "head": head, "problem": problem}
