"""`lockstep hold`, `take-over` and `mark-resolved`: a person's word about a leg that nothing
hedges; a preview in numbers and a question first."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.frame import (
    ArbId,
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
from app.config import Config
from app.errors import DependencyError, GuardError, UsageError
from app.operating.outputs import Kept
from domain.money import NotMoney
from domain.money import usd as exact_usd

if TYPE_CHECKING:
    from app.operating.staff import Office

RESOLVED_WORD = "resolved"
Act = Callable[["Office", Kept], Awaitable[Kept]]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "hold",
        "hold 3fa2 --dry-run: what keeping an uneven pair may pay and lose",
        "hold 3fa2: the same, then asks and keeps it until the question resolves",
        "hold 3fa2 --yes --json: for a script",
    )(hold)
    verb(
        app,
        "take-over",
        "take-over 3fa2 --dry-run: which leg is naked, and what it is worth",
        "take-over 3fa2: the same, then asks; nothing more is sold here, you sell at the venue",
        "take-over 3fa2 --yes --json: for a script",
    )(take_over)
    verb(
        app,
        "mark-resolved",
        'mark-resolved 3fa2 --evidence "sold at the venue, order 4711" --cash 3.25 --dry-run: '
        "the result that it books",
        'mark-resolved 3fa2 --evidence "sold, order 4711" --cash 3.25: '
        "the same, then asks for the word and ends it",
        'mark-resolved 3fa2 --evidence "bought back" --cash -0.40 --word resolved: for a script',
    )(mark_resolved)


def hold(
    name: ArbId,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep an uneven pair as it is until the question resolves, instead of selling it back.

    Exit code 5 where nothing is uneven, or no sale is being tried.
    """
    _keep(load(config), name, "hold", "Keep it?", as_json, dry_run=dry_run, yes=yes)


def take_over(
    name: ArbId,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Have nothing more sold here: you sell at the venue, and say so with mark-resolved.

    Exit code 5 where nothing is uneven, or no sale is being tried.
    """
    _keep(load(config), name, "take-over", "Take it over?", as_json, dry_run=dry_run, yes=yes)


def _keep(
    config: Config,
    name: str,
    action: str,
    question: str,
    as_json: bool,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    from app.operating import keeping

    seen = _seen(config, name, action, None, as_json, dry_run=dry_run)
    if not dry_run:
        confirm(question, yes=yes)
        _conclude(run(_act(config, seen, keeping.keep)), as_json)


def mark_resolved(
    name: ArbId,
    evidence: Annotated[str, typer.Option(help="What was done, and where it can be seen.")],
    cash: Annotated[
        str, typer.Option(metavar="DOLLARS", help="What it brought; negative where it cost.")
    ],
    word: Annotated[str, typer.Option(help="The word `resolved`, typed out.")] = "",
    dry_run: DryRun = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """End an arbitrage on your word: what was left was dealt with outside of our orders.

    The evidence and the cash go into the result and the audit trail; nothing is checked at the
    venue before. Exit code 5 where there is nothing to resolve by hand; take-over comes first.
    """
    from app.operating import keeping

    if not evidence.strip():
        raise UsageError("--evidence: expected what was done and where it can be seen")
    try:
        brought = exact_usd(cash)
    except NotMoney as wrong:
        raise UsageError(f"--cash: {wrong}") from None
    settings = load(config)
    seen = _seen(settings, name, "mark-resolved", brought, as_json, dry_run=dry_run)
    if dry_run:
        return
    confirm_word("It ends on your word and cannot be re-opened.", RESOLVED_WORD, word)
    act = partial(keeping.mark_resolved, evidence=evidence, cash=cash)
    _conclude(run(_act(settings, seen, act)), as_json)


def _seen(
    config: Config,
    name: str,
    action: str,
    cash: Decimal | None,
    as_json: bool,
    *,
    dry_run: bool,
) -> Kept:
    """The preview: printed as the answer of a dry run, else said before the question."""
    from app.operating import keeping

    with working("looking what it holds"):
        told = run(_preview(config, name, action, cash))
    lines = _lines(told)
    if dry_run:
        emit(told, as_json, *lines)
        return told
    keeping.refuse_the_impossible(told)
    for line in lines:
        say(line)
    return told


async def _preview(config: Config, name: str, action: str, cash: Decimal | None) -> Kept:
    from app.operating import keeping, staff

    async with staff.staffed(config) as office:
        return await keeping.preview(office, name, action, cash)


async def _act(config: Config, seen: Kept, act: Act) -> Kept:
    from app.operating import staff

    with working("asking its workflow"):
        async with staff.staffed(config) as office:
            return await act(office, seen)


def _lines(told: Kept) -> list[str]:
    lines = [f"{told.id}  {told.title} is {told.phase}"]
    if (leg := told.leg) is not None:
        now = f"selling it now costs {leg.loss_now}" if leg.loss_now else "nobody bids for it"
        lines += [
            f"naked: {leg.size} {leg.outcome} at {leg.venue}, ${leg.exposure}; {now}",
            f"held until it resolves: from {leg.worst} to {leg.best}",
        ]
    return [*lines, told.meaning, *([f"not now: {told.why_not}"] if told.why_not else [])]


def _conclude(told: Kept, as_json: bool) -> None:
    result = told.result or {}
    emit(told, as_json, f"{told.id}: {told.state}, {told.phase}")
    if told.state == "failed":
        raise GuardError(f"{told.id}: {result['detail']}")
    if told.state != "succeeded":
        raise DependencyError(
            f"{told.id}: accepted and not carried out yet; `lockstep show {told.id}` tells"
        )
