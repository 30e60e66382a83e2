"""`lockstep scan` and `pairs`: what can be traded, what is seen of it, what a person says of it."""

import asyncio
import sys
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from app.commands.frame import (
    AsJson,
    ConfigFile,
    DryRun,
    Yes,
    confirm,
    emit,
    group,
    load,
    run,
    say,
    table,
    verb,
    working,
)
from app.config import Config
from app.errors import UsageError
from app.operating.outputs_markets import PairReviewed, PairShown, Scan
from domain.money import NotMoney
from domain.money import usd as exact

PairId = Annotated[str, typer.Argument(metavar="PAIR", help="The id of a pair.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "scan",
        "scan: every pair as it is seen now, the best first, until Ctrl-C",
        "scan --once --min-roi 2 --why: one look at the good ones, and why the rest is skipped",
        "scan --json | jq '.opportunities[] | select(.tradable)': for a script",
    )(scan)
    below = group(app, "pairs", "The pairs that are watched, with the rules of both venues.")
    verb(
        below,
        "list",
        "pairs list: every pair, its markets, and why it is not traded now",
        "pairs list --json | jq -r '.pairs[] | select(.listed | not) | .id': for a script",
    )(list_pairs)
    verb(
        below,
        "show",
        "pairs show p07: the rules of both venues one after the other, and the evidence",
        "pairs show p07 --json | jq -r '.rules[].text': for a script",
    )(show_pair)
    verb(
        below,
        "approve",
        "pairs approve p07 --why 'same source, same close': shows both rules, asks, then keeps it",
        "pairs approve p07 --why 'same source' --dry-run: what would be approved",
        "pairs approve p07 --why 'compared on Monday' --yes --json: for a script",
    )(approve)
    verb(
        below,
        "reject",
        "pairs reject p07 --why 'the other venue voids a draw': no entry of it from now on",
        "pairs reject p07 --why 'sources differ' --json: for a script",
    )(reject)


def scan(
    once: Annotated[bool, typer.Option(help="One look, then end.")] = False,
    min_roi: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Only what gains so much, after fees.")
    ] = None,
    why: Annotated[bool, typer.Option(help="Also where the last hour's looks ended.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print what the executor's scanner sees: the better direction of every pair, after fees.

    Looks only; what would be traded is taken by the executor itself. Exit code 4 where none runs.
    """
    settings, least = load(config), _percent(min_roi)
    if as_json or once or not sys.stdout.isatty():
        with working("looking at the executor's scanner"):
            told = run(_look(settings, least, why))
        emit(told, as_json, *_screen(told))
        return
    run(_watch(settings, least, why))


def _percent(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(exact(text))
    except NotMoney as wrong:
        raise UsageError(f"--min-roi: {wrong}") from None


async def _look(config: Config, least: Decimal | None, why: bool) -> Scan:
    from app.operating import markets

    return await markets.scan(config, least, why=why)


async def _watch(config: Config, least: Decimal | None, why: bool) -> None:
    with Live(console=Console(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(Group(*_screen(await _look(config, least, why))), refresh=True)
            await asyncio.sleep(1)


def _screen(told: Scan) -> list[Table | str]:
    tradable = sum(one.tradable for one in told.opportunities)
    head = f"{told.mode.upper()}  {told.pairs} pairs watched, {told.checks_per_s} checks/s"
    shown = table(
        "pair", "title", "roi", "profit", "shares", "polymarket", "kalshi", "confidence", "",
        right="roi profit shares",
    )  # fmt: skip
    for one in told.opportunities:
        shown.add_row(
            one.pair_id, one.title[:48], f"{one.roi} %", one.profit, one.size,
            one.legs["polymarket"], one.legs["kalshi"], one.confidence, one.verdict,
        )  # fmt: skip
    parts: list[Table | str] = [f"{head}, {tradable} of {len(told.opportunities)} would trade"]
    parts.append(shown if told.opportunities else "nothing to show")
    if told.funnel is not None:
        stages = " → ".join(f"{one['stage']} {one['count']}" for one in told.funnel["stages"])
        parts += ["", f"last hour: {stages}"]
        parts += [f"  {one['reason']}: {one['count']}" for one in told.funnel["reasons"]]
    return parts


def list_pairs(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print every pair that is watched.

    Which pairs there are is said by `pairs` in the configuration; a change there takes effect when
    the executor starts anew. `pairs reject` takes effect at once, `approve` within half a second.
    """
    from app.operating import markets

    told = run(markets.pairs(load(config)))
    shown = table("pair", "title", "confidence", "polymarket", "kalshi", "")
    for one in told.pairs:
        shown.add_row(
            one.id, one.title[:48], one.confidence, one.markets.get("polymarket", "")[:14],
            one.markets.get("kalshi", ""), "" if one.listed else f"not traded: {one.why_not}",
        )  # fmt: skip
    empty = "no pair is configured: `pairs` in the configuration names them"
    emit(told, as_json, shown if told.pairs else empty)


def show_pair(name: PairId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print one pair: both venues' rules, what speaks for it, and how much can be traded."""
    from app.operating import markets

    told = run(markets.pair(load(config), name))
    emit(told, as_json, *_pair_lines(told))


Why = Annotated[str, typer.Option("--why", help="What was compared; kept with the word.")]


def approve(
    name: PairId,
    why: Why,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say that both listings of a pair ask the same question; lifts a rejection.

    It is audited with who, when and why, and holds for the markets that were compared: where the
    configuration names others later, it says nothing of those.
    """
    from app.operating import markets

    settings = load(config)
    shown = run(markets.pair(settings, name))
    if dry_run:
        told = PairReviewed(
            action="preview", id=name, title=shown.pair.title, before=shown.review, now=None
        )
        emit(told, as_json, *_pair_lines(shown))
        return
    for line in _pair_lines(shown):
        say(line)
    confirm("Do both listings ask the same question?", yes=yes)
    _review(settings, name, "approved", why, as_json)


def reject(name: PairId, why: Why, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say that a pair must not be traded: no entry of it leaves from now on, without a restart.

    Never asks. What is open stays open: `lockstep close ID` sells it.
    """
    _review(load(config), name, "rejected", why, as_json)


def _review(config: Config, name: str, verdict: str, why: str, as_json: bool) -> None:
    from app.operating import reviewing
    from store.states import ReviewVerdict

    told = run(reviewing.review(config, name, ReviewVerdict(verdict), why))
    was = f", was {told.before.verdict} by {told.before.by}" if told.before else ""
    emit(told, as_json, f"{told.id}  {told.title}: {verdict}{was}")


def _pair_lines(told: PairShown) -> list[str]:
    one = told.pair
    state = "traded" if one.listed else f"not traded: {one.why_not}"
    lines = [f"{one.id}  {one.title}", f"confidence {one.confidence} · {state}"]
    if told.max_size is not None:
        lines.append(f"at most {told.max_size} shares now, by {told.capped_by}")
    lines += [f"evidence: {text}" for text in told.evidence]
    if (word := told.review) is not None:
        other = "" if word.holds else ", of other markets than it has now"
        lines.append(f"{word.verdict} by {word.by} at {word.at}: {word.why}{other}")
    for rule in told.rules:
        lines += ["", f"{rule.venue} {rule.market}  {rule.title}"]
        times = [("closes", rule.closes_at), ("settles", rule.settles_at)]
        lines += [f"{what} {at}" for what, at in times if at]
        lines += [rule.url] if rule.url else []
        lines += rule.text.splitlines() or ["its rules were not read yet"]
    return lines
