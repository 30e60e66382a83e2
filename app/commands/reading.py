"""`lockstep positions`, `trades` and `show`: what is held, what was traded, how it came about."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from app.commands.frame import ArbId, AsJson, ConfigFile, emit, load, run, say, table, verb
from app.errors import UsageError
from app.operating import outputs
from domain.trade import TradeStatus

NEWEST = 20
SPANS = {"m": "minutes", "h": "hours", "d": "days"}


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verb(
        app,
        "positions",
        "positions: everything that is open now",
        "positions --json | jq '.positions[].id': the ids alone, for a script",
        "positions --config live.toml: those of another configuration",
    )(positions)
    verb(
        app,
        "trades",
        "trades: the last twenty",
        "trades --since 1d --status ROLLED_BACK: all that was sold back since yesterday",
        "trades --limit 500 --json: more of them, for a script",
    )(trades)
    verb(
        app,
        "show",
        "show arb-3fa2c1: legs, timeline, orders and their evidence",
        "show 3fa2: the same, by the beginning of its id",
        "show 3fa2 --json: every field, for a script",
    )(show)


def positions(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print every arbitrage that has not ended: both legs, what they pay, what closing brings."""
    from app.operating import reading

    told = run(reading.positions(load(config)))
    if not told.positions:
        emit(told, as_json, f"nothing is open in mode {told.mode}")
        return
    emit(told, as_json, position_table(told.positions))


def position_table(open_now: list[outputs.Position]) -> Table:
    """One row per arbitrage."""
    shown = table(
        "id", "title", "phase", "polymarket", "kalshi", "paid", "pays", "worst", "close now",
        right="paid pays worst",
    )  # fmt: skip
    for one in open_now:
        legs = [f"{leg.held} {leg.outcome} {leg.state}" for leg in one.legs]
        stale = f"– (no fresh book since {one.book_at})" if one.book_stale else "–"
        now = one.close_now or stale
        shown.add_row(
            one.id, one.title[:48], one.phase, *legs, one.paid, one.payout, one.worst, now
        )
    return shown


def trades(
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help=f"At most so many; {NEWEST}, or with --since all of them."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="30m, 2h, 7d, or a date such as 2026-11-20.")
    ] = None,
    status: Annotated[TradeStatus | None, typer.Option(help="Only these.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the trade log, the newest first. Profits are guaranteed until they are final."""
    from app.operating import reading

    begin = None if since is None else parse_since(since, datetime.now(UTC))
    most = NEWEST if limit is None and since is None else limit
    told = run(reading.trades(load(config), most, status, begin))
    shown = table("at", "id", "title", "how it ended", "size", "pnl", "", right="size pnl")
    for one in told.trades:
        state = "" if one.final else "guaranteed"
        shown.add_row(
            one.at, one.id, one.title[:48], one.status, one.size, one.pnl, state or one.reason
        )
    emit(told, as_json, shown if told.trades else f"no trades in mode {told.mode}")
    if told.more:
        say(f"…and {told.more} more: --limit")


def parse_since(text: str, now: datetime) -> str:
    """The beginning of a span of time as ISO 8601 UTC; UsageError for anything else."""
    if found := re.fullmatch(r"(\d{1,5})([mhd])", text):
        span = timedelta(**{SPANS[found[2]]: int(found[1])})
        return (now - span).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since: expected 30m, 2h, 7d or a date such as 2026-11-20, found {text!r}"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def show(name: ArbId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print one arbitrage: its legs, everything that happened to it, and every order.

    Evidence is every read that looked for an order whose answer was lost.
    """
    from app.operating import reading

    told = run(reading.show(load(config), name))
    one = told.position
    head = [
        f"{one.id}  {one.title}",
        " · ".join(dict.fromkeys(filter(None, (told.status, one.phase, one.reason)))),
        f"opened {one.opened_at} · settings v{told.settings_version} · mode {one.mode}",
        f"paid {one.paid} · pays at least {one.payout} · worst {one.worst}"
        + (f" · realised {told.realised}" if told.realised else ""),
        f"Temporal: {one.temporal or told.workflow_id}",
    ]
    legs = table("leg", "outcome", "held", "of", "price", "paid", "received", "fee", "state")
    for leg in one.legs:
        legs.add_row(
            leg.venue, leg.outcome, leg.held, leg.planned, leg.price, leg.paid, leg.received,
            leg.fee, f"{leg.state} {leg.error or ''}",
        )  # fmt: skip
    story = table("at", "what", "")
    for event in told.timeline:
        story.add_row(event.at, event.kind, event.said)
    orders = table("sent", "order", "", "answer")
    for order in told.orders:
        what = f"{order.action} {order.size} {order.outcome} at {order.limit}"
        name_of = f"{order.venue} {order.purpose}"
        orders.add_row(order.sent_at or order.state, name_of, what, order.answer or order.state)
        for look in order.evidence:
            orders.add_row("", "", "", f"evidence: {look}")
    emit(told, as_json, *head, "", legs, "", story, "", orders)
