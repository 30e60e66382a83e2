"""`lockstep close` and `flatten`: a preview in numbers, a question, then the sale."""

from collections.abc import Mapping
from typing import Annotated

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
from app.errors import GuardError, NeedsHumanError
from app.operating.output import Json
from app.operating.outputs import Closed, ClosePreview
from domain.money import Price
from domain.venue import Venue

FLATTEN_WORD = "flatten"
Limits = Mapping[Venue, Price]
Wait = Annotated[
    float, typer.Option(min=0, max=3600, help="Seconds to wait for the end; 0 does not wait.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "close",
        "close 3fa2 --dry-run: what selling both legs now brings, against holding",
        "close 3fa2: the same, then asks and sells",
        "close 3fa2 --loss-max 0.50 --yes: sell unless that loses more than half a dollar",
        "close 3fa2 --limit kalshi=0.47: sell nothing there below that price",
    )(close)
    verb(
        app,
        "flatten",
        "flatten --dry-run: what selling everything brings",
        "flatten: the same, then asks for the word and sells, at any price",
        "flatten --word flatten --json: for a script",
    )(flatten)


def close(
    name: ArbId,
    loss_max: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="Lose at most this; else any price.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="PRICE", help="No sale below it; VENUE=PRICE bounds one venue."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = 60,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Sell both legs of one position and end it; works while halted.

    Exit code 5 where it cannot be closed now or a limit is not bid, 6 where the sale needs a
    person: after one leg is sold, a limit or a loss may stop the other. The workflow goes on
    trying within the bounds; another close replaces them.
    """
    from app.operating import closing

    settings, limits = load(config), closing.limits_of(limit or [])
    seen = previews(settings, name, limits)
    told = Closed(action="preview", previews=seen, results=[])
    lines = [preview_line(one) for one in seen]
    if dry_run:
        emit(told, as_json, *lines)
        return
    if seen[0].why_not:
        raise GuardError(f"{seen[0].id}: {seen[0].why_not}")
    for line in lines:
        say(line)
    confirm(_question(loss_max, limits), yes=yes)
    with working("selling; the workflow tells when it is done"):
        result = run(_close(settings, seen[0].id, loss_max, limits, wait))
    _conclude(Closed(action="close", previews=seen, results=[result]), as_json)


def flatten(
    word: Annotated[str, typer.Option(help="The word `flatten`, typed out.")] = "",
    dry_run: DryRun = False,
    wait: Wait = 60,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Sell everything that is open, at any price; works while halted, opens nothing.

    It does not stop entries: `lockstep pause` or `kill` does.
    """
    from app.operating import closing

    settings = load(config)
    seen = previews(settings)
    total = closing.sum_of(seen)
    head = f"{len(seen)} open; selling all now brings {total or 'what the books do not say'}"
    lines = [head, *(preview_line(one) for one in seen)]
    if dry_run or not seen:
        emit(Closed(action="preview", previews=seen, results=[]), as_json, *lines)
        return
    for line in lines:
        say(line)
    confirm_word(f"{len(seen)} positions are sold at any price.", FLATTEN_WORD, word)
    with working(f"selling {len(seen)} positions"):
        results = run(_flatten(settings, wait))
    _conclude(Closed(action="flatten", previews=seen, results=results), as_json)


def previews(
    config: Config, name: str | None = None, limits: Limits | None = None
) -> list[ClosePreview]:
    """What closing this one now brings, or everything that is open."""
    with working("asking what selling now brings"):
        return run(_previews(config, name, limits or {}))


async def _previews(config: Config, name: str | None, limits: Limits) -> list[ClosePreview]:
    from app.operating import closing, staff

    async with staff.staffed(config) as office:
        if name is None:
            return await closing.preview_all(office)
        return [await closing.preview(office, name, limits)]


async def _close(
    config: Config, arb_id: str, loss_max: str | None, limits: Limits, wait: float
) -> Json:
    from app.operating import closing, staff

    async with staff.staffed(config) as office:
        operation = await closing.close(office, arb_id, loss_max, limits)
        return await closing.outcome(office, operation, wait)


async def _flatten(config: Config, wait: float) -> list[Json]:
    from app.operating import closing, staff

    async with staff.staffed(config) as office:
        accepted = await closing.flatten(office)
        return [
            await closing.outcome(office, closing.operation_of(one), wait) if "id" in one else one
            for one in accepted
        ]


def _question(loss_max: str | None, limits: Limits) -> str:
    """What a person says yes to: unless every leg is bound, at any price."""
    unbound = loss_max is None and set(limits) != set(Venue)
    return f"Sell both legs now{', at any price' if unbound else ''}?"


def preview_line(one: ClosePreview) -> str:
    """One preview, for a person."""
    against = f"holding brings at least {one.hold_at_least}" if one.hold_at_least else ""
    without = f"no figure for closing now ({one.unpriced_why})"
    now = f"closing now brings {one.result}" if one.result else one.why_not or without
    return f"{one.id}  {one.title}: {now}; {against}".rstrip("; ")


def _conclude(told: Closed, as_json: bool) -> None:
    """Print what came of it; whatever is not done is no success."""
    from app.operating import closing

    lines = []
    for one in told.results:
        result = one.get("result") or {}
        how = f"{result['phase']}, result {result['profit']}" if result else one.get("detail", "")
        lines.append(f"{one['arb_id']}: {one['state']} {how}")
    emit(told, as_json, *(lines or ["nothing was open"]))
    stuck = [one["arb_id"] for one in told.results if closing.needs_person(one)]
    if stuck:
        raise NeedsHumanError(
            f"{', '.join(stuck)}: not sold, a person is needed: `lockstep show ID` says why, "
            "`lockstep retry ID` tries again, `lockstep close ID` without --loss-max and --limit "
            "sells at any price"
        )
    failed = [one for one in told.results if one["state"] == "failed"]
    if failed:
        raise GuardError("; ".join(f"{one['arb_id']}: {one['detail']}" for one in failed))
    late = [one["arb_id"] for one in told.results if one["state"] == "pending"]
    if late:
        say(
            f"{', '.join(late)}: accepted and still selling; `lockstep show ID` tells how far it is"
        )
